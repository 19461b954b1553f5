"""The attribution methods, one table: whoever adds one writes an entry and its few lines here, nothing elsewhere.

The table itself needs neither torch nor captum, so that a page can offer the methods before either is loaded.
A method's `run` gets a private copy of the network in evaluation mode, a normalised image (1, 3, H, W) that
requires gradients, and a class; it returns (1, C, h, w), of which the caller sums the channels and scales the grid
up. None draws random numbers. Zero, the baseline of several, is the mean image once images are normalised.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from explorer.errors import RequestError

if TYPE_CHECKING:
    from torch import Tensor, nn

IMAGES_PER_PASS = 25
"""IG and occlusion show the network this many variants at once: on two cores 4 at once take 1.5 times as long and 50
save nothing more, and a deep network with large images still fits into memory."""


@dataclass(frozen=True)
class Parameter:
    """What a person may set: a number from `low` to `high`, or one of `choices`."""

    default: int | float | str
    description: str
    low: float = 0.0
    high: float = 0.0
    choices: tuple[str, ...] = ()

    def read(self, name: str, value: Any) -> Any:
        """The value in the default's type; RequestError if it is none or outside the limits."""
        if self.choices:
            if value not in self.choices:
                raise RequestError(
                    f"{name} {value!r} is unknown: choose one of {', '.join(filter(None, self.choices))}"
                )
            return value
        kinds = (int,) if isinstance(self.default, int) else (int, float)
        if not isinstance(value, kinds) or isinstance(value, bool) or not self.low <= value <= self.high:
            number = "a whole number" if isinstance(self.default, int) else "a number"
            raise RequestError(f"{name} is {value}: it must be {number} from {self.low:g} to {self.high:g}")
        return type(self.default)(value)


@dataclass(frozen=True)
class Method:
    """One way to ask which pixels counted."""

    label: str
    explanation: str
    """One line for students."""
    signed: bool
    """Whether negative values are possible, and mean 'against the class'."""
    run: Callable[..., "Tensor"]
    cost: int
    """Passes through the network, about: one forward and one backward count as two, with the default parameters."""
    complete: bool = False
    """Whether the map promises to sum to output - output at the baseline."""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


def saliency(network: "nn.Module", image: "Tensor", target: int) -> "Tensor":
    """|d output / d pixel| (Simonyan et al. 2013)."""
    from captum.attr import Saliency

    found: Tensor = Saliency(network).attribute(image, target=target, abs=True)
    return found


def input_x_gradient(network: "nn.Module", image: "Tensor", target: int) -> "Tensor":
    """Pixel times gradient (Shrikumar et al. 2016)."""
    from captum.attr import InputXGradient

    found: Tensor = InputXGradient(network).attribute(image, target=target)
    return found


def integrated_gradients(network: "nn.Module", image: "Tensor", target: int, steps: int) -> "Tensor":
    """Pixel times the gradient averaged on the straight way from the mean image (Sundararajan et al. 2017)."""
    from captum.attr import IntegratedGradients

    found: Tensor = IntegratedGradients(network).attribute(
        image, baselines=0.0, target=target, n_steps=steps, internal_batch_size=IMAGES_PER_PASS
    )
    return found


def grad_cam(network: "nn.Module", image: "Tensor", target: int, layer: str) -> "Tensor":
    """Feature maps of a stage weighted by their mean gradients (Selvaraju et al. 2017), here without the ReLU.

    The sign is kept, so that it can be compared with the other methods'; the grid is as coarse as the stage.
    """
    from captum.attr import LayerGradCam

    stages = [name for name, _ in network.named_children() if name.startswith("stage")]
    if not stages or layer not in ("", *stages):
        raise RequestError(f"this network has no stage {layer!r}: it has {', '.join(stages) or 'none at all'}")
    stage = network.get_submodule(layer or stages[-1])
    found: Tensor = LayerGradCam(network, stage).attribute(image, target=target, relu_attributions=False)
    return found


def guided_backprop(network: "nn.Module", image: "Tensor", target: int) -> "Tensor":
    """Gradients that lose their negative part at each ReLU on the way back (Springenberg et al. 2014)."""
    from captum.attr import GuidedBackprop

    _expect_hooks()
    found: Tensor = GuidedBackprop(network).attribute(image, target=target)
    return found


def deep_lift(network: "nn.Module", image: "Tensor", target: int) -> "Tensor":
    """Differences from the mean image, handed back layer by layer with the rescale rule (Shrikumar et al. 2017)."""
    from captum.attr import DeepLift

    _expect_hooks()
    found: Tensor = DeepLift(network).attribute(image, baselines=0.0, target=target)
    return found


def occlusion(network: "nn.Module", image: "Tensor", target: int, window: float, stride: float) -> "Tensor":
    """By how much the output falls when a window shows the mean image instead (Zeiler and Fergus 2014)."""
    import torch
    from captum.attr import Occlusion

    if stride > window:
        raise RequestError(f"stride {stride:g} is larger than window {window:g}: pixels between would never be covered")
    height, width = image.shape[-2:]
    size = [max(1, round(window * side)) for side in (height, width)]
    step = [max(1, round(stride * side)) for side in (height, width)]
    with torch.no_grad():
        covered = Occlusion(network).attribute(
            image.detach(),
            sliding_window_shapes=(image.shape[1], *size),
            strides=(image.shape[1], *step),
            baselines=0.0,
            target=target,
            perturbations_per_eval=IMAGES_PER_PASS,
        )
    once: Tensor = covered[:, :1]  # the three channels are covered at once, so each holds the whole fall
    return once


def _expect_hooks() -> None:
    """Silence captum's notice that it sets hooks: they sit on a copy that is thrown away.

    `warnings.catch_warnings` would do it for one call only, but is not safe with threads.
    """
    warnings.filterwarnings("ignore", message="Setting (forward, )?backward hooks", category=UserWarning)


METHODS: dict[str, Method] = {
    "saliency": Method(
        "Saliency",
        "How much the class's score would change if a pixel changed a little, no matter in which direction.",
        signed=False,
        run=saliency,
        cost=2,
    ),
    "input_x_gradient": Method(
        "Input × gradient",
        "A pixel's distance from the mean image times the score's slope there: what a straight line would predict.",
        signed=True,
        run=input_x_gradient,
        cost=2,
    ),
    "integrated_gradients": Method(
        "Integrated gradients",
        "Fades in the image from the mean image and adds up what each pixel does to the score on the way.",
        signed=True,
        run=integrated_gradients,
        cost=100,
        complete=True,
        parameters={"steps": Parameter(50, "points on the way from the mean image to this one", 2, 500)},
    ),
    "grad_cam": Method(
        "Grad-CAM",
        "Where the last stage's feature maps speak for the class; as coarse as that stage's grid.",
        signed=True,
        run=grad_cam,
        cost=2,
        parameters={
            "layer": Parameter(
                "", "stage whose feature maps are read (empty: the last)", choices=("", "stage1", "stage2", "stage3")
            )
        },
    ),
    "guided_backprop": Method(
        "Guided backpropagation",
        "Gradients that only pass where they are positive: crisp, but often edges rather than the network's reasons.",
        signed=True,
        run=guided_backprop,
        cost=2,
    ),
    "deep_lift": Method(
        "DeepLIFT",
        "Compares every neuron with its value for the mean image and hands the score's difference back to the pixels.",
        signed=True,
        run=deep_lift,
        cost=4,
        complete=True,
    ),
    "occlusion": Method(
        "Occlusion",
        "Covers one square after another with the mean image and notes how much the score falls.",
        signed=True,
        run=occlusion,
        cost=170,
        parameters={
            "window": Parameter(0.25, "side of the square, as a share of the image's", 0.03, 1.0),
            "stride": Parameter(0.0625, "step between two squares, as a share of the image's side", 0.03, 1.0),
        },
    ),
}
