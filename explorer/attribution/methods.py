"""The attribution methods, one table: whoever adds one writes an entry and its few lines here, nothing elsewhere.

The table itself needs neither torch nor captum, so that a page can offer the methods before either is loaded.
A method's `run` gets a private copy of the network in evaluation mode and a `Question`; it returns (N, C, h, w), of
which the caller sums the channels and scales the grid up. The usual baseline, zero, is the mean image.
"""

import math
from typing import TYPE_CHECKING, Any

from explorer.attribution.asked import expect_hooks, stage, value_range
from explorer.attribution.method import DIFFERENCE, SCORE, Method, Parameter, Question
from explorer.errors import RequestError
from explorer.language import later

if TYPE_CHECKING:
    from torch import Tensor, nn

IMAGES_PER_PASS = 25
"""Methods show the network this many variants at once: on two cores 4 at once take 1.5 times as long and 50 save
nothing more, and a deep network with large images still fits into memory."""

_BOTH_WAYS = 3  # forward and backward, in forward passes
_MOST = 200  # times as many points as asked for, where the network bends
_TINY = 1e-9  # LRP divides by what neurons put out, and silent ones put out 0


def saliency(network: "nn.Module", asked: Question) -> "Tensor":
    """|d output / d pixel| (Simonyan et al. 2013)."""
    from captum.attr import Saliency

    found: Tensor = Saliency(network).attribute(asked.images, target=asked.targets, abs=True)
    return found


def smooth_grad(network: "nn.Module", asked: Question, samples: int, noise: float) -> "Tensor":
    """|Mean gradient over noisy copies of the image| (Smilkov et al. 2017); captum's NoiseTunnel makes the copies."""
    from captum.attr import NoiseTunnel, Saliency

    found: Tensor = NoiseTunnel(Saliency(network)).attribute(
        asked.images,
        nt_type="smoothgrad",
        nt_samples=samples,
        nt_samples_batch_size=min(samples, IMAGES_PER_PASS),
        stdevs=noise * value_range(asked.images),
        target=asked.targets,
        abs=False,
    )
    return found.abs()


def input_x_gradient(network: "nn.Module", asked: Question) -> "Tensor":
    """Pixel times gradient (Shrikumar et al. 2016)."""
    from captum.attr import InputXGradient

    found: Tensor = InputXGradient(network).attribute(asked.images, target=asked.targets)
    return found


def integrated_gradients(network: "nn.Module", asked: Question, steps: int, tolerance: float) -> "Tensor":
    """Change of a pixel times the gradient averaged on the straight way from the baseline (Sundararajan et al. 2017).

    Captum integrates it section by section: `explorer.attribution.path`.
    """
    import torch

    from explorer.attribution.path import integrated

    asked_for = zip(asked.images.detach(), asked.baselines, asked.targets.tolist(), strict=True)
    return torch.stack([integrated(network, *one, steps, tolerance, _MOST * steps) for one in asked_for])


def gradient_shap(network: "nn.Module", asked: Question, samples: int, noise: float) -> "Tensor":
    """Integrated gradients by chance: random places on the way, each from a noisy image (Lundberg and Lee 2017)."""
    from captum.attr import GradientShap

    found: Tensor = GradientShap(network).attribute(
        asked.images,
        asked.baselines,
        n_samples=samples,
        stdevs=noise * value_range(asked.images),
        target=asked.targets,
    )
    return found


def grad_cam(network: "nn.Module", asked: Question, layer: str) -> "Tensor":
    """Feature maps of a stage weighted by their mean gradients (Selvaraju et al. 2017), here without the ReLU.

    The sign is kept, so that it can be compared with the other methods'; the grid is as coarse as the stage.
    """
    from captum.attr import LayerGradCam

    found: Tensor = LayerGradCam(network, stage(network, layer)).attribute(
        asked.images, target=asked.targets, relu_attributions=False
    )
    return found


def guided_backprop(network: "nn.Module", asked: Question) -> "Tensor":
    """Gradients that lose their negative part at each ReLU on the way back (Springenberg et al. 2014)."""
    from captum.attr import GuidedBackprop

    expect_hooks()
    found: Tensor = GuidedBackprop(network).attribute(asked.images, target=asked.targets)
    return found


def guided_grad_cam(network: "nn.Module", asked: Question, layer: str) -> "Tensor":
    """Guided backpropagation where Grad-CAM speaks for the class (Selvaraju et al. 2017)."""
    from captum.attr import GuidedGradCam

    expect_hooks()
    found: Tensor = GuidedGradCam(network, stage(network, layer)).attribute(
        asked.images, target=asked.targets, interpolate_mode="bilinear"
    )
    return found


def deep_lift(network: "nn.Module", asked: Question) -> "Tensor":
    """Differences from the baseline, handed back layer by layer with the rescale rule (Shrikumar et al. 2017).

    The gates of Highway networks need a rule of their own: `explorer.attribution.rules`. In double precision: ratios
    of small differences add up.
    """
    from captum.attr import DeepLift

    from explorer.attribution.rules import with_multipliers

    expect_hooks()
    found: Tensor = DeepLift(with_multipliers(network.double())).attribute(
        asked.images.double(), baselines=asked.baselines.double(), target=asked.targets
    )
    return found


def lrp(network: "nn.Module", asked: Question, epsilon: float) -> "Tensor":
    """The score handed back layer by layer, to each input what it put in (Bach et al. 2015), with the epsilon rule.

    Captum's LRP lets residual sums and biases lose most of it: `explorer.attribution.rules` says what is done. In
    double precision: relevance for and against the class can be a thousand times the score, and must cancel.
    """
    from captum.attr import LRP

    from explorer.attribution.rules import with_rules

    expect_hooks()
    images = asked.images.detach().double().requires_grad_()
    found: Tensor = LRP(with_rules(network.double(), images, max(epsilon, _TINY))).attribute(
        images, target=asked.targets
    )
    return found


def occlusion(network: "nn.Module", asked: Question, window: float, stride: float) -> "Tensor":
    """By how much the output falls when a window shows the baseline instead (Zeiler and Fergus 2014)."""
    import torch
    from captum.attr import Occlusion

    if stride > window:
        raise RequestError(f"stride {stride:g} is larger than window {window:g}: pixels between would never be covered")
    channels, *sides = asked.images.shape[1:]
    size = [max(1, round(window * side)) for side in sides]
    step = [max(1, round(stride * side)) for side in sides]
    with torch.no_grad():
        covered = Occlusion(network).attribute(
            asked.images.detach(),
            sliding_window_shapes=(channels, *size),
            strides=(channels, *step),
            baselines=asked.baselines,
            target=asked.targets,
            perturbations_per_eval=max(1, IMAGES_PER_PASS // len(asked.images)),
        )
    once: Tensor = covered[:, :1]  # the three channels are covered at once, so each holds the whole fall
    return once


def feature_ablation(network: "nn.Module", asked: Question, patches: int) -> "Tensor":
    """By how much the output falls when a patch of like colour shows the baseline instead."""
    import torch
    from captum.attr import FeatureAblation

    from explorer.attribution.segments import segments

    with torch.no_grad():
        found = [
            FeatureAblation(network).attribute(
                image[None],
                baselines=baseline[None],
                target=target,
                feature_mask=segments(image, patches)[None, None],
                perturbations_per_eval=IMAGES_PER_PASS,
            )[:, :1]
            for image, baseline, target in zip(
                asked.images.detach(), asked.baselines, asked.targets.tolist(), strict=True
            )
        ]
    return torch.cat(found)


def kernel_shap(network: "nn.Module", asked: Question, patches: int, samples: int) -> "Tensor":
    """Shapley values of patches of like colour, from random sets of them (Lundberg and Lee 2017), spread over pixels.

    One image. Captum fits the line with scikit-learn, which is not needed here: `explorer.attribution.lines`.
    """
    import torch
    from captum.attr import KernelShap

    from explorer.attribution.lines import WeightedLine
    from explorer.attribution.segments import segments

    mask = segments(asked.images[0], patches)
    method = KernelShap(network)
    method.interpretable_model = WeightedLine()
    with torch.no_grad():
        found: Tensor = method.attribute(
            asked.images.detach(),
            baselines=asked.baselines,
            target=asked.targets,
            feature_mask=mask[None, None].expand(1, 3, -1, -1),
            n_samples=samples,
            perturbations_per_eval=IMAGES_PER_PASS,
        )
    return found[:, :1] / torch.bincount(mask.flatten())[mask]


_LAYER = {
    "layer": Parameter(
        "",
        later("stage whose feature maps are read (empty: the last)"),
        choices=("", "stage1", "stage2", "stage3", "stage4"),
    )
}
_NOISE = Parameter(0.15, later("standard deviation of the noise, as a share of the image's range"), 0.0, 1.0)
_PATCHES = Parameter(48, later("patches of like colour that the image is cut into, about"), 2, 400)
_WINDOW = {
    "window": Parameter(0.25, later("side of the square, as a share of the image's"), 0.03, 1.0),
    "stride": Parameter(0.0625, later("step between two squares, as a share of the image's side"), 0.03, 1.0),
}


def _squares(window: float, stride: float) -> float:
    """How many squares occlusion covers."""
    return (math.ceil(max(0.0, 1 - window) / stride) + 1) ** 2


METHODS: dict[str, Method] = {
    "saliency": Method(
        "Saliency",
        later("How much the class's score would change if a pixel changed a little, no matter in which direction."),
        signed=False,
        run=saliency,
        cost=lambda: _BOTH_WAYS,
    ),
    "smooth_grad": Method(
        "SmoothGrad",
        later(
            "Saliency averaged over noisy copies of the image, so that what hangs on single grains of noise cancels."
        ),
        signed=False,
        run=smooth_grad,
        cost=lambda samples, noise: _BOTH_WAYS * samples,
        draws=True,
        parameters={"samples": Parameter(25, later("noisy copies of the image"), 2, 500), "noise": _NOISE},
    ),
    "input_x_gradient": Method(
        "Input × gradient",
        later(
            "A pixel's distance from the mean image times the score's slope there: what a straight line would predict."
        ),
        signed=True,
        run=input_x_gradient,
        cost=lambda: _BOTH_WAYS,
    ),
    "integrated_gradients": Method(
        "Integrated gradients",
        later("Fades in the image from the baseline and adds up what each pixel does to the score on the way."),
        signed=True,
        run=integrated_gradients,
        cost=lambda steps, tolerance: _BOTH_WAYS * steps * (3 if tolerance else 1),
        sums_to=DIFFERENCE,
        uses_baseline=True,
        parameters={
            "steps": Parameter(50, later("points on the way from the baseline to this image, to begin with"), 2, 500),
            "tolerance": Parameter(
                0.01,
                later("more points, up to 200 times as many, until the sum is off by less than this share"),  # _MOST
                0.0,
                0.5,
            ),
        },
    ),
    "gradient_shap": Method(
        "Gradient SHAP",
        later(
            "Integrated gradients by chance: random points on the way from the baseline to noisy copies of the image."
        ),
        signed=True,
        run=gradient_shap,
        cost=lambda samples, noise: _BOTH_WAYS * samples,
        sums_to=DIFFERENCE,
        draws=True,
        uses_baseline=True,
        parameters={
            "samples": Parameter(50, later("random points"), 2, 200),
            "noise": Parameter(0.0, _NOISE.description, 0.0, 1.0),
        },
    ),
    "deep_lift": Method(
        "DeepLIFT",
        later(
            "Compares every neuron with its value for the baseline and hands the score's difference back to the pixels."
        ),
        signed=True,
        run=deep_lift,
        cost=lambda: 2 * _BOTH_WAYS,
        sums_to=DIFFERENCE,
        uses_baseline=True,
    ),
    "lrp": Method(
        "LRP",
        later(
            "Hands the score back layer by layer, to each neuron what it put into the sum: nothing gets lost on the "
            "way."
        ),
        signed=True,
        run=lrp,
        cost=lambda epsilon: 2 * _BOTH_WAYS,
        sums_to=SCORE,
        parameters={
            "epsilon": Parameter(
                0.0, later("added to what is divided by: above 0 weak and contradictory parts fade"), 0.0, 1.0
            )
        },
    ),
    "guided_backprop": Method(
        "Guided backpropagation",
        later(
            "Gradients that only pass where they are positive: crisp, but often edges rather than the network's "
            "reasons."
        ),
        signed=True,
        run=guided_backprop,
        cost=lambda: _BOTH_WAYS,
    ),
    "grad_cam": Method(
        "Grad-CAM",
        later("Where a stage's feature maps speak for the class; as coarse as that stage's grid."),
        signed=True,
        run=grad_cam,
        cost=lambda layer: _BOTH_WAYS,
        parameters=_LAYER,
    ),
    "guided_grad_cam": Method(
        "Guided Grad-CAM",
        later("Guided backpropagation, kept only where Grad-CAM speaks for the class."),
        signed=True,
        run=guided_grad_cam,
        cost=lambda layer: 2 * _BOTH_WAYS,
        parameters=_LAYER,
    ),
    "occlusion": Method(
        "Occlusion",
        later("Covers one square after another with the baseline and notes how much the score falls."),
        signed=True,
        run=occlusion,
        cost=_squares,
        uses_baseline=True,
        parameters=_WINDOW,
    ),
    "feature_ablation": Method(
        "Feature ablation",
        later("Covers one patch of like colour after another with the baseline and notes how much the score falls."),
        signed=True,
        run=feature_ablation,
        cost=lambda patches: patches + 1,
        uses_baseline=True,
        parameters={"patches": _PATCHES},
    ),
    "kernel_shap": Method(
        "Kernel SHAP",
        later("Covers random sets of patches and shares the score out fairly among them: each gets its Shapley value."),
        signed=True,
        run=kernel_shap,
        cost=lambda patches, samples: samples,
        sums_to=DIFFERENCE,
        draws=True,
        uses_baseline=True,
        parameters={
            "patches": Parameter(32, _PATCHES.description, 2, 200),
            "samples": Parameter(400, later("random sets of patches"), 10, 5000),
        },
    ),
}


def usual(method: str) -> dict[str, Any]:
    """Parameters for many images: the defaults, but integrated gradients with a fixed number of points."""
    return {"tolerance": 0.0} if "tolerance" in METHODS[method].parameters else {}
