"""Figures that the paper prints, each with its place: reference marks, never measured here and never mixed in."""

from dataclasses import dataclass

from explorer.config import NetworkConfig
from explorer.language import later


@dataclass(frozen=True)
class Printed:
    """What the paper says of one network's size. None: it does not say."""

    source: str
    """A text to be `told`, as `remark` is."""
    parameters: float | None = None
    macs: float | None = None
    """It calls them FLOPs, and says: multiply-adds."""
    remark: str = ""
    """Why an exact count differs, where rounding is not the reason."""


_TABLE_1, _TABLE_6 = later("Table 1"), later("Table 6")
_TABLE_7, _TABLE_8 = later("Table 7"), later("Table 8")
_RESNET_50 = later("Counted exactly it is 3.86; no one rule of rounding gives all five figures of Table 1.")
_CIFAR = {20: 0.27e6, 32: 0.46e6, 44: 0.66e6, 56: 0.85e6, 110: 1.7e6, 1202: 19.4e6}
_IMAGENET = {18: 1.8e9, 34: 3.6e9, 50: 3.8e9, 101: 7.6e9, 152: 11.3e9}
_VGG = {
    16: Printed(
        later("section 4.1"),
        macs=15.3e9,
        remark=later("This counts convolutions alone; the linear layers add 0.12."),
    ),
    19: Printed(later("section 3.3"), macs=19.6e9, remark=later("This one counts the linear layers too.")),
}


@dataclass(frozen=True)
class PrintedErrors:
    """What the paper says of one network's errors on CIFAR-10 after 64,000 steps, as fractions."""

    training: float
    """Read from Figure 6, to 0.3 points; augmented images."""
    test: float
    source: str
    """Of the test error; to be `told`."""
    mean: float | None = None
    """The mean test error, where `test` is the best of several runs."""

    @property
    def mean_test(self) -> float:
        """The test error that a run can be held against."""
        return self.test if self.mean is None else self.mean

    @property
    def read(self) -> bool:
        """Whether the test error is read from a figure and not printed."""
        return self.source is _FIGURE_6


_FIGURE_6 = later("read from Figure 6, to 0.1 points")
_BEST_OF_FIVE = later("Table 6: five runs, 6.61 ± 0.16 %, the best 6.43 %")
_ERRORS = {
    ("plain", 20): PrintedErrors(0.014, 0.097, _FIGURE_6),
    ("plain", 32): PrintedErrors(0.013, 0.101, _FIGURE_6),
    ("plain", 44): PrintedErrors(0.026, 0.113, _FIGURE_6),
    ("plain", 56): PrintedErrors(0.057, 0.133, _FIGURE_6),
    ("resnet", 20): PrintedErrors(0.006, 0.0875, _TABLE_6),
    ("resnet", 32): PrintedErrors(0.003, 0.0751, _TABLE_6),
    ("resnet", 44): PrintedErrors(0.002, 0.0717, _TABLE_6),
    ("resnet", 56): PrintedErrors(0.001, 0.0697, _TABLE_6),
    ("resnet", 110): PrintedErrors(0.001, 0.0643, _BEST_OF_FIVE, mean=0.0661),
    ("resnet", 1202): PrintedErrors(0.001, 0.0793, _TABLE_6),
}


def printed_errors(family: str, depth: int) -> PrintedErrors | None:
    """The paper's errors of one of its CIFAR-10 networks; None for one that it does not show."""
    return _ERRORS.get((family, depth))


def depths(family: str) -> list[int]:
    """The depths that the paper shows errors of."""
    return sorted(depth for of, depth in _ERRORS if of == family)


def printed(config: NetworkConfig) -> Printed | None:
    """What the paper prints of this network; None for one that it does not speak of."""
    if config.block == "vgg":
        return None if config.bn else _VGG[config.depth]
    if config.block == "inception" or config != _spoken_of(config):
        return None
    if config.design == "cifar":
        known = config.depth in _CIFAR and config.block == "basic" and config.shortcut in ("none", "A")
        source = later("Table 6 (of the residual twin)") if config.shortcut == "none" else _TABLE_6
        return Printed(source, parameters=_CIFAR[config.depth]) if known else None
    remark = _RESNET_50 if config.depth == 50 else ""
    if config.shortcut == "C" or (config.block == "basic" and config.shortcut == "B"):
        remark = later("Table 1 is counted with as few projections as there can be; each one more costs.")
    return Printed(_TABLE_1, macs=_IMAGENET[config.depth], remark=remark)


def _spoken_of(config: NetworkConfig) -> NetworkConfig:
    """The paper's network of this depth, design and shortcut: nothing else set."""
    width, classes = (16, 10) if config.design == "cifar" else (64, 1000)
    return NetworkConfig(config.depth, config.shortcut, width, classes, config.block, config.design)


DETECTION = (
    ("PASCAL VOC 2007, test", "mAP, %", 73.2, 76.4, _TABLE_7),
    ("PASCAL VOC 2012, test", "mAP, %", 70.4, 73.8, _TABLE_7),
    ("COCO, validation", "mAP@.5, %", 41.5, 48.4, _TABLE_8),
    ("COCO, validation", "mAP@[.5, .95], %", 21.2, 27.2, _TABLE_8),
)
"""Faster R-CNN with VGG-16 and with ResNet-101: images, measure, both figures, where they are printed."""
