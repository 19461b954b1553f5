"""What streams and measurements yield: small typed values that know no network, no screen, no database."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar

from explorer import kinds


@dataclass(frozen=True)
class LayerResponse:
    """Standard deviation of one 3x3 layer's response: after BN, before the nonlinearity (Fig. 7)."""

    layer: str
    std: float
    predicted: float | None
    """sqrt(mean(gamma^2) + var(beta)): what it is exactly when BN normalises with the batch's own statistics.
    None where no BN follows the layer."""


@dataclass(frozen=True)
class ChannelSpread:
    """Standard deviation of the response of one layer's channels: how much they differ."""

    layer: str
    low: float
    """A tenth of the channels have less."""
    middle: float
    high: float
    """A tenth of the channels have more."""


@dataclass(frozen=True)
class LayerGradient:
    """The loss's gradient with respect to one 3x3 layer's weights, on fixed training images."""

    layer: str
    norm: float
    """Euclidean, of the gradient."""
    weight_norm: float
    """Euclidean, of the weights."""


@dataclass(frozen=True)
class BlockBranch:
    """The two summands of one residual block, each as its root mean square over images, channels and places."""

    block: str
    residual: float
    """Of F(x)."""
    shortcut: float
    """Of what comes over the shortcut: x, where the shape stays."""


@dataclass(frozen=True)
class Lesion:
    """A change to a trained network's blocks, and the error with it."""

    blocks: tuple[str, ...]
    """Those taken away; of an exchange of places, which block stands in each place."""
    error: float


@dataclass(frozen=True)
class BranchesRecord:
    """A study of one moment of a training: each block's summands."""

    kind: ClassVar[str] = "branches"
    seq: int
    done: int
    of: int
    step: int
    branches: tuple[BlockBranch, ...]


@dataclass(frozen=True)
class LesionRecord:
    """How far a study of lesions is: all that is known by now."""

    kind: ClassVar[str] = "lesions"
    seq: int
    done: int
    of: int
    images: int
    """Seen so far."""
    whole: float
    """The error of the unchanged network on the images seen."""
    lesions: tuple[Lesion, ...]


@dataclass(frozen=True)
class PathPoint:
    """Where the weights were after so many steps, projected onto a plane."""

    step: int
    x: float
    y: float


@dataclass(frozen=True)
class PlaneRecord:
    """The plane and the grid of a loss surface, before its first point is measured."""

    kind: ClassVar[str] = "plane"
    seq: int
    done: int
    of: int
    x: tuple[float, ...]
    y: tuple[float, ...]
    path: tuple[PathPoint, ...]
    """From the untrained network to the trained one at (0, 0)."""
    within: float
    """The part of the path's squared distances from the trained weights that lies in the plane, 0..1."""


@dataclass(frozen=True)
class SurfaceRecord:
    """Some more points of a loss surface."""

    kind: ClassVar[str] = "surface"
    seq: int
    done: int
    """Points measured by now."""
    of: int
    points: tuple[tuple[int, int, float | None, float], ...]
    """Row (of y), column (of x), mean loss (None where it overflows), error."""


@dataclass(frozen=True)
class PathLength:
    """The paths through a residual network that go through so many of its blocks and around the others."""

    length: int
    paths: float
    """Their part of all paths, 0..1."""
    norm: float
    """Of the gradient that comes back along one of them, on average."""
    share: float
    """Their part of the gradient, 0..1: `paths` times `norm`, over the sum of that."""


@dataclass(frozen=True)
class PathsRecord:
    """The path lengths measured by now, from 0 blocks on."""

    kind: ClassVar[str] = "paths"
    seq: int
    done: int
    of: int
    lengths: tuple[PathLength, ...]


@dataclass(frozen=True)
class GateOpenness:
    """T(x) of one Highway block over images, channels and places: 0 carries the input on, 1 is a plain layer."""

    block: str
    mean: float
    std: float
    by_data: float = 0.0
    """What of `std` is left within a channel, over images and places: 0 for a gate that does not look at its input."""
    shut: float = 0.0
    """The part of all values above 0.9: there the shortcut, 1 - T, lets less than a tenth of the input through."""


@dataclass(frozen=True)
class EncodingScore:
    """How well images of one class are found by one kind of vector."""

    method: str
    """bag · vlad · fisher"""
    length: int
    """Numbers in an image's vector."""
    average_precision: float
    """Mean over all images, each asking for those of its class among the others."""
    precision: float
    """The same of the share of right ones among the nearest ten."""


@dataclass(frozen=True)
class EncodingsRecord:
    """One dictionary of a comparison of bags of words, VLAD and Fisher vectors."""

    kind: ClassVar[str] = "encodings"
    seq: int
    done: int
    of: int
    draw: int
    """Which images and which dictionary: draws have none in common."""
    words: int
    scores: tuple[EncodingScore, ...]


@dataclass(frozen=True)
class StepRecord:
    """Training seen from inside, averaged over the steps since the last such record."""

    kind: ClassVar[str] = "step"
    seq: int
    step: int
    """Steps done so far."""
    epoch: float
    """Passes over the training images so far."""
    loss: float
    training_error: float
    """Fraction wrong among the augmented images trained on since the last record, BN in training mode."""
    learning_rate: float
    """That of the last step."""
    images_per_second: float
    seconds: float
    """Wall time since the start of the run, evaluations included."""


@dataclass(frozen=True)
class EvaluationRecord:
    """The network in evaluation mode after `step` steps, on fixed images.

    Before the first step BN normalises with the images' own statistics, since it has gathered none.
    """

    kind: ClassVar[str] = "evaluation"
    seq: int
    step: int
    epoch: float
    training_error: float
    """On the clean subset of the training images, not augmented."""
    training_images: int
    test_error: float
    """Top 1."""
    test_top5_error: float
    test_images: int
    """Fewer on the way than at the end."""
    responses: tuple[LayerResponse, ...]
    """In layer order, on the clean training images."""
    seconds: float
    gradients: tuple[LayerGradient, ...] = ()
    """In layer order; empty where they were not measured (imported networks)."""
    branches: tuple[BlockBranch, ...] = ()
    """In the order of the signal, on the clean training images; empty where
    nothing is added (plain networks) or it was not measured."""
    gates: tuple[GateOpenness, ...] = ()
    """In the order of the signal, on the clean training images; empty where there are none or it was not measured."""


Record = StepRecord | EvaluationRecord


@dataclass(frozen=True)
class Provenance:
    """Where a number comes from."""

    origin: str
    """live · recorded · imported · paper"""
    device: str
    precision: str
    date: str
    """ISO 8601, UTC, when the run ended (began, while it runs)."""
    versions: dict[str, str]
    data: str
    """The image set in words, e.g. CIFAR-10, JPEG re-encoded."""
    seconds: float
    """Wall time of the run."""


@dataclass(frozen=True)
class Attribution:
    """How much each pixel of one image counted for one class, according to one method."""

    method: str
    values: Any
    """(H, W) float32 array, channels summed; unit as the method defines it."""
    signed: bool
    """Whether negative values are possible and mean 'against the class'."""
    target: int
    completeness_error: float | None
    """|sum of the map - difference|, where the method promises it to be 0."""
    seconds: float
    difference: float = 0.0
    """What the map should sum to: the target's logit less that of the baseline; of LRP the whole logit."""
    grid: Any = None
    """(h, w) float32: the map before it was scaled up to the image, where the method's own is coarser."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """Those of the method, defaults filled in."""


_KINDS: dict[str, type[StepRecord] | type[EvaluationRecord]] = {
    record.kind: record for record in (StepRecord, EvaluationRecord)
}
_OF_LAYERS: dict[str, Any] = {
    "responses": LayerResponse,
    "gradients": LayerGradient,
    "branches": BlockBranch,
    "gates": GateOpenness,
}


def record_to_dict(record: Record) -> dict[str, Any]:
    """A record as plain JSON values, its kind with it."""
    return {"kind": record.kind, **asdict(record)}


def record_from_dict(values: dict[str, Any]) -> Record:
    """Read `record_to_dict` back; fields that a newer version added are passed over."""
    record = _KINDS[values["kind"]]
    known = {f.name for f in fields(record)}
    kept = {name: value for name, value in values.items() if name in known}
    for name, kind in _OF_LAYERS.items():
        if name in kept:
            kept[name] = tuple(kind(**layer) for layer in kept[name])
    return record(**kept)


def check(value: Record | Provenance) -> None:
    """Raise TypeError where a field is not what it can be: a file from elsewhere may say anything.

    Numbers count or measure something, so that none is negative; an error is a fraction. What was measured of a layer
    may be no finite number, as it may where a network overflows.
    """
    for name, kind in kinds.kinds(type(value)).items():
        found = getattr(value, name)
        most = 1 if name.endswith("error") else kinds.LARGEST
        if not kinds.fits(found, kind) or (isinstance(found, int | float) and not 0 <= found <= most):
            raise TypeError(f"{name} is {str(found)[:60]!r}")
