"""Which networks there are: the frozen value that decides one, its name, its depths. No torch here."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from explorer.canonical import Config, between, one_of, parsed
from explorer.errors import RequestError
from explorer.families import BLOCKS, FAMILIES, WHOLE
from explorer.language import later, told, tr

SHORTCUTS = ("none", "A", "B", "C", "gate")
DESIGNS = ("cifar", "imagenet")
INITIALISATIONS = ("kaiming", "xavier", "small", "large")
LARGEST_DEPTH = 1202  # the deepest network of the paper (section 4.2)
LARGEST_WIDTH = 256

_CHOICES = {
    "shortcut": SHORTCUTS,
    "design": DESIGNS,
    "init": INITIALISATIONS,
    "stride_in": ("1x1", "3x3"),
    "zeros": ("after", "around"),
}
_RANGES = {"gate_bias": (-20, 20), "strength": (0, 1), "survival": (0.05, 1), "dropout": (0, 0.9)}
_TABLE_1 = {
    ("basic", 18): (2, 2, 2, 2),
    ("basic", 34): (3, 4, 6, 3),
    ("bottleneck", 50): (3, 4, 6, 3),
    ("bottleneck", 101): (3, 4, 23, 3),
    ("bottleneck", 152): (3, 8, 36, 3),
    ("vgg", 16): (2, 2, 3, 3, 3),
    ("vgg", 19): (2, 2, 4, 4, 4),
    ("inception", 22): (2, 5, 2),
}
"""Blocks in each stage, by kind of block and depth; of VGG convolutions, of GoogLeNet Inception blocks."""
_STAGES = 3  # on CIFAR
_WHOLE_NAMES = {"vgg": "vgg-19", "inception": "googlenet"}
_NAME = re.compile(r"([a-z]+)(?:-(\d{1,6}))?(-bottleneck)?(@imagenet)?(?::(.+))?")
_TELLING = ("block", "shortcut", "skipinit", "preactivation")
"""The fields by which families are known; an earlier one decides before a later one."""


class _DepthError(RequestError):
    """There is no such network of this depth."""


@dataclass(frozen=True)
class NetworkConfig(Config):
    """A network: of section 4.2 (`cifar`: a 3x3 stem, three stages, a linear head) or of Table 1 (`imagenet`).

    The plain network is the same value with `shortcut="none"`: two things compared differ in one field.
    """

    depth: int = 20
    """Weighted layers: 6n+2 on CIFAR (9n+2 in bottlenecks), those of Table 1 on ImageNet."""
    shortcut: str = "A"
    """none (plain) · A identity, zeros padded · B projection where the shape changes · C projection everywhere ·
    gate (Highway: y = T(x) H(x) + (1 - T(x)) x)."""
    width: int = 16
    """Channels of the stem and of the first stage's 3x3 layers; each later stage has twice as many."""
    classes: int = 10
    block: str = "basic"
    """basic (two 3x3 layers) · bottleneck (1x1, 3x3, 1x1: Fig. 5) · vgg, inception (whole, from torchvision)."""
    design: str = "cifar"
    preactivation: bool = False
    """BN and ReLU before each convolution, nothing after the sum (He et al. 2016)."""
    bn: bool = True
    """Batch normalisation; without it convolutions have a bias."""
    init: str = "kaiming"
    """kaiming (He et al. 2015, fan in) · xavier (Glorot and Bengio 2010) · small, large (half and twice kaiming's)."""
    skipinit: bool = False
    """A learnt factor on F that starts at 0, one a block (SkipInit, De and Smith 2020; ReZero)."""
    gate_bias: float = -2.0
    """What the gates of a Highway network start from; below 0 they begin nearly closed."""
    strength: float = 1.0
    """Factor on the shortcut, y = F(x) + strength x: with 0 the network computes what the plain one does."""
    survival: float = 1.0
    """Stochastic depth: probability that the last block is kept in training, falling linearly from 1 (Huang 2016)."""
    dropout: float = 0.0
    """Probability that training sets a value between the two 3x3 layers of a block to 0 (Srivastava et al. 2014; there
    in residual blocks: Zagoruyko and Komodakis 2016). The paper uses none."""
    stride_in: str = "1x1"
    """Where a bottleneck halves the map: in its first 1x1 layer (the paper) or in the 3x3 (torchvision)."""
    zeros: str = "after"
    """Where option A puts the new channels: after the others, or `around` them, half and half."""

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            one_of(name, getattr(self, name), known)
        one_of("block", self.block, (*BLOCKS, *WHOLE))
        between("width", self.width, 1, LARGEST_WIDTH)
        between("classes", self.classes, 2, 1000)
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise RequestError(
                    tr(
                        "{name} is {value}: it must be from {low} to {high}",
                        name=name,
                        value=getattr(self, name),
                        low=low,
                        high=high,
                    )  # fmt: skip
                )
        self._check_depth()
        for clash, present in self._clashes().items():
            if present:
                raise RequestError(f"{self.family}-{self.depth}: {told(clash, block=self.block)}")

    def _check_depth(self) -> None:
        possible = depths(self.block, self.design)
        if self.depth not in possible:
            rule = ", ".join(map(str, possible))
            if isinstance(possible, range):
                rule = tr(
                    "{step}n+2 between {first} and {last}", step=possible.step, first=possible[0], last=possible[-1]
                )
            nearest = _nearest(self.depth, possible)
            raise _DepthError(
                tr("depth {depth} is not {rule}: {nearest}", depth=self.depth, rule=rule, nearest=nearest)
            )

    def _clashes(self) -> dict[str, bool]:
        """What cannot be together, to be told with the kind of block, and whether it is."""
        adds = self.shortcut in ("A", "B", "C")
        whole = self.block in WHOLE
        free = {"depth", "shortcut", "width", "classes", "block", "design", *(["bn"] if self.block == "vgg" else [])}
        return {
            later("{block} is taken whole, it has no such option"): whole
            and (self.shortcut, self.width) != ("none", 64)
            or (whole and not self.to_dict().keys() <= free),
            later("{block} blocks have no form with pre-activation"): self.preactivation
            and self.block not in ("basic", "bottleneck"),
            later("a gate stands in basic blocks only, and after F"): self.shortcut == "gate"
            and (self.block != "basic" or self.preactivation),
            later("gate_bias is for highway networks"): self.gate_bias != -2 and self.shortcut != "gate",
            later("skipinit needs a shortcut A, B or C and bn=off"): self.skipinit and (not adds or self.bn),
            later("strength needs a shortcut A, B or C"): self.strength != 1 and not adds,
            later("survival needs a shortcut A, B or C"): self.survival != 1 and not adds,
            later("dropout is for basic blocks"): self.dropout != 0 and self.block != "basic",
            later("stride_in is for bottlenecks"): self.stride_in != "1x1" and self.block != "bottleneck",
            later("zeros is for shortcut A"): self.zeros != "after" and self.shortcut != "A",
        }

    @property
    def blocks(self) -> tuple[int, ...]:
        """Blocks in each stage: the paper's n three times on CIFAR."""
        if self.design == "cifar":
            return (self.depth // (_STAGES * BLOCKS[self.block]),) * _STAGES
        return _TABLE_1[self.block, self.depth]

    @property
    def block_names(self) -> tuple[str, ...]:
        """stage1.0, stage1.1 …, in the order of the signal."""
        stages = enumerate(self.blocks, 1)
        return tuple(f"stage{stage}.{index}" for stage, count in stages for index in range(count))

    @property
    def family(self) -> str:
        """One of `FAMILIES`: plain, resnet, …"""
        for telling in _TELLING:
            for name, family in FAMILIES.items():
                if family.known_by == telling and getattr(self, telling) == family.usual[telling]:
                    return name
        return "resnet"

    @property
    def name(self) -> str:
        """The short name that people type; `network(name)` reads it back."""
        cifar_bottleneck = self.block == "bottleneck" and self.design == "cifar"
        base = self.family if self.block == "inception" else f"{self.family}-{self.depth}"
        base += ("-bottleneck" if cifar_bottleneck else "") + ("@imagenet" if self.design == "imagenet" else "")
        usual = _usual(self.family, self.block, self.design)
        options = [
            f"{name}={_written(getattr(self, name))}"
            for name in _OPTIONS
            if getattr(self, name) != usual.get(name, _DEFAULTS[name])
        ]
        return base + (":" + ",".join(options) if options else "")

    @property
    def twin(self) -> "NetworkConfig":
        """The plain network for one with shortcuts, the residual network for a plain one."""
        if self.block in WHOLE:
            return self
        own_block = FAMILIES[self.family].known_by == "block"
        residual = _usual(self.family if own_block else "resnet", self.block, self.design)
        shortcut = residual["shortcut"] if self.shortcut == "none" else "none"
        unset = {name: _DEFAULTS[name] for name in ("skipinit", "gate_bias", "strength", "survival", "zeros")}
        return replace(self, shortcut=shortcut, **unset)


_DEFAULTS: dict[str, Any] = {f.name: f.default for f in fields(NetworkConfig)}
_OPTIONS = (
    "shortcut", "width", "classes", "preactivation", "bn", "init", "gate_bias", "strength", "survival",
    "dropout", "stride_in", "zeros",
)  # fmt: skip


def depths(block: str = "basic", design: str = "cifar") -> range | tuple[int, ...]:
    """The depths that networks of such blocks can have."""
    if design == "imagenet":
        found = tuple(depth for kind, depth in _TABLE_1 if kind == block)
        if not found:
            raise RequestError(tr("Table 1 has no network of {block} blocks", block=block))
        return found
    if block in WHOLE:
        raise RequestError(
            tr("{block} is an ImageNet network: write {name}@imagenet", block=block, name=_WHOLE_NAMES[block])
        )
    step = _STAGES * BLOCKS[block]
    return range(step + 2, LARGEST_DEPTH + 1, step)


def short_names(networks: Iterable[NetworkConfig]) -> dict[NetworkConfig, str]:
    """Names for a legend: without the options that all of several networks share."""
    chosen = list(dict.fromkeys(networks))
    shared = shared_options(chosen)
    names = {}
    for config in chosen:
        base, _, options = config.name.partition(":")
        kept = ",".join(option for option in options.split(",") if option not in shared)
        names[config] = base + (f":{kept}" if kept else "")
    return names


def shared_options(networks: Iterable[NetworkConfig]) -> tuple[str, ...]:
    """The options, as written in names, that all of several networks have: what a caption says once."""
    options = [config.name.partition(":")[2].split(",") for config in dict.fromkeys(networks)]
    if len(options) < 2:
        return ()
    return tuple(option for option in options[0] if option and all(option in others for others in options))


def vgg_layers(depth: int) -> tuple[int | None, ...]:
    """Channels of VGG's convolutions in order; None stands for a max pooling, which halves the map."""
    stages = zip((64, 128, 256, 512, 512), _TABLE_1["vgg", depth], strict=True)
    return tuple(layer for channels, count in stages for layer in (*([channels] * count), None))


def network(name: str) -> NetworkConfig:
    """Read a name: `plain-20`, `resnet-56:shortcut=B,width=32`, `resnet-164-bottleneck`, `vgg-19@imagenet`."""
    match = _NAME.fullmatch(name.strip())
    if not match or match[1] not in FAMILIES:
        raise RequestError(
            tr(
                "unknown network {name!r}: write plain-20, resnet-56, resnet-56:shortcut=B,width=32, preresnet-110, "
                "highway-32, skipinit-56, resnet-164-bottleneck, resnet-50@imagenet, vgg-19@imagenet or "
                "googlenet@imagenet",
                name=name,
            )
        )
    family, number, bottleneck, imagenet, options = match.groups()
    own = FAMILIES[family].usual.get("block")
    design = "imagenet" if imagenet or own in WHOLE else "cifar"
    if number is None and family != "googlenet":
        raise RequestError(tr("{name!r} has no depth: write {family}-20, say", name=name, family=family))
    depth = int(number or 22)
    block = own or ("bottleneck" if bottleneck or (design == "imagenet" and depth >= 50) else "basic")
    values = {"depth": depth, "block": block, "design": design, **_usual(family, block, design)}
    for option in (options or "").split(",") if options else []:
        key, _, text = option.partition("=")
        if key not in _OPTIONS or not text:
            raise RequestError(
                tr(
                    "unknown option {option!r} in {name!r}: known are {known}",
                    option=option,
                    name=name,
                    known=", ".join(_OPTIONS),
                )  # fmt: skip
            )
        if key == "shortcut" and family in ("plain", "highway"):
            raise RequestError(
                tr(
                    "{name!r}: a {family} network has no shortcut to choose; write resnet-{depth} to have it",
                    name=name,
                    family=family,
                    depth=depth,
                )  # fmt: skip
            )
        if key == "shortcut" and text == "none" and not own:
            raise RequestError(tr("{name!r}: without shortcuts it is plain-{depth}", name=name, depth=depth))
        values[key] = parsed(key, type(_DEFAULTS[key]), text)
    try:
        return NetworkConfig(**values)
    except _DepthError as error:
        if design == "cifar" and any(other == depth for _, other in _TABLE_1):
            hint = tr("the one of Table 1 is {family}-{depth}@imagenet", family=family, depth=depth)
            raise RequestError(f"{error}; {hint}") from None
        raise


def _usual(family: str, block: str, design: str) -> dict[str, Any]:
    """What the bare name of such a network stands for, where that is not the default."""
    usual = {"shortcut": "B" if block == "bottleneck" else "A", **FAMILIES[family].usual}
    if design == "imagenet":
        usual |= {"width": 64, "classes": 1000}
    return usual


def _written(value: Any) -> str:
    return (
        {True: "on", False: "off"}[value]
        if isinstance(value, bool)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _nearest(depth: Any, possible: Sequence[int]) -> str:
    if not isinstance(depth, int):
        return tr("write a whole number")
    below = max((known for known in possible if known <= depth), default=possible[0])
    above = min((known for known in possible if known >= depth), default=possible[-1])
    if below == above:
        return tr("the nearest is {below}", below=below)
    return tr("the nearest are {below} and {above}", below=below, above=above)


def is_entry(block: str) -> bool:
    """Whether the block so called changes the shape: the first of each stage but the first."""
    stage, index = block.split(".")
    return index == "0" and stage != "stage1"
