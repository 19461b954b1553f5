"""Figures that the paper prints, each with its place: reference marks, never measured here and never mixed in."""

from dataclasses import dataclass

from explorer.config import NetworkConfig


@dataclass(frozen=True)
class Printed:
    """What the paper says of one network's size. None: it does not say."""

    source: str
    parameters: float | None = None
    macs: float | None = None
    """It calls them FLOPs, and says: multiply-adds."""
    remark: str = ""
    """Why an exact count differs, where rounding is not the reason."""


_TABLE_1 = "Table 1"
_RESNET_50 = "Counted exactly it is 3.86; no one rule of rounding gives all five figures of Table 1."
_CIFAR = {20: 0.27e6, 32: 0.46e6, 44: 0.66e6, 56: 0.85e6, 110: 1.7e6, 1202: 19.4e6}
_IMAGENET = {18: 1.8e9, 34: 3.6e9, 50: 3.8e9, 101: 7.6e9, 152: 11.3e9}
_VGG = {
    16: Printed("section 4.1", macs=15.3e9, remark="This counts convolutions alone; the linear layers add 0.12."),
    19: Printed("section 3.3", macs=19.6e9, remark="This one counts the linear layers too."),
}


def printed(config: NetworkConfig) -> Printed | None:
    """What the paper prints of this network; None for one that it does not speak of."""
    if config.block == "vgg":
        return None if config.bn else _VGG[config.depth]
    if config.block == "inception" or config != _spoken_of(config):
        return None
    if config.design == "cifar":
        known = config.depth in _CIFAR and config.block == "basic" and config.shortcut in ("none", "A")
        plain = " (of the residual twin)" if config.shortcut == "none" else ""
        return Printed(f"Table 6{plain}", parameters=_CIFAR[config.depth]) if known else None
    remark = _RESNET_50 if config.depth == 50 else ""
    if config.shortcut == "C" or (config.block == "basic" and config.shortcut == "B"):
        remark = "Table 1 is counted with as few projections as there can be; each one more costs."
    return Printed(_TABLE_1, macs=_IMAGENET[config.depth], remark=remark)


def _spoken_of(config: NetworkConfig) -> NetworkConfig:
    """The paper's network of this depth, design and shortcut: nothing else set."""
    width, classes = (16, 10) if config.design == "cifar" else (64, 1000)
    return NetworkConfig(config.depth, config.shortcut, width, classes, config.block, config.design)
