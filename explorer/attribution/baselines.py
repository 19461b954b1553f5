"""What stands for 'nothing there' when a method asks what an image's pixels add."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from explorer.errors import RequestError
from explorer.language import later

if TYPE_CHECKING:
    from torch import Tensor

    from explorer.data.prepared import Normalization

_BLUR = 8  # standard deviations that a side holds


def baseline(name: str, image: "Tensor", normalization: "Normalization") -> "Tensor":
    """(3, H, W) float32, normalised, for one image (3, H, W) uint8. RequestError for an unknown name."""
    if name not in BASELINES:
        raise RequestError(f"baseline {name!r} is unknown: choose one of {', '.join(BASELINES)}")
    made: Tensor = BASELINES[name][1](image, normalization)
    return made


def _mean(image: "Tensor", normalization: "Normalization") -> "Tensor":
    return normalization(image[None])[0].zero_()


def _black(image: "Tensor", normalization: "Normalization") -> "Tensor":
    return normalization(image[None] * 0)[0]


def _blurred(image: "Tensor", normalization: "Normalization") -> "Tensor":
    from torchvision.transforms.functional import gaussian_blur

    side = min(image.shape[1:])
    width = max(3, min(2 * (side // 2) - 1, 2 * (3 * side // _BLUR) + 1))  # odd, six standard deviations, not too wide
    return normalization(gaussian_blur(image[None].float(), [width, width], [side / _BLUR] * 2))[0]


def _noise(image: "Tensor", normalization: "Normalization") -> "Tensor":
    import torch

    drawn = torch.randint(0, 256, image.shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return normalization(drawn.to(image.device)[None])[0]


BASELINES: dict[str, tuple[str, Callable[["Tensor", "Normalization"], "Tensor"]]] = {
    "mean": (later("The mean training image"), _mean),
    "zero": (later("Black: all pixels zero"), _black),
    "blurred": (later("The image itself, blurred"), _blurred),
    "noise": (later("Noise, always the same"), _noise),
}
"""By name: what people read, to be `told`, and the image in the network's own units."""
