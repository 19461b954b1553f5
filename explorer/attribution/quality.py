"""How far can a map be trusted? Measures that need no known answer, of one method on one network and image."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from explorer.attribution.chance import drawn_from
from explorer.attribution.explain import attribute, attributions
from explorer.measurement.deletion import deletion_and_insertion
from explorer.measurement.saliency_noise import smoothness

_SEED = 0
_MOVES = 5
RADIUS = 0.05
"""How far an image is moved to see whether its map moves, in standard deviations of its pixels."""


@dataclass(frozen=True)
class Quality:
    """Of one map."""

    completeness: float | None
    """|sum - what it should be| as a share of what it should be; None where nothing is promised."""
    infidelity: float
    """Mean squared error of the score's change that the map predicts when squares are hidden, as a share of the mean
    squared change; the map may be scaled first. 0 is perfect, 1 no better than a map of zeros (Yeh et al. 2019)."""
    sensitivity: float
    """The largest change of the map, relative to its size, of images within `RADIUS` (Yeh et al. 2019)."""
    deletion: float
    """Area under the deletion curve: lower is better (Petsiuk et al. 2018)."""
    insertion: float
    """Area under the insertion curve: higher is better."""
    smoothness: float
    """Correlation of neighbouring pixels, -1..1: noise has 0. Gradients of deep plain networks shatter towards it
    (Balduzzi et al. 2017)."""


def quality(network: nn.Module, image: Tensor, target: int, method: str, **parameters: Any) -> Quality:
    """All measures of a method's map of one normalised image (3, H, W), with the mean image as the baseline."""
    found = attribute(network, image, target, method, **parameters)
    curves = deletion_and_insertion(network.eval(), image, torch.zeros_like(image), target, found.values)
    share = abs(found.difference)
    return Quality(
        completeness=found.completeness_error / share if found.completeness_error is not None and share else None,
        infidelity=infidelity(network, image, target, found.values),
        sensitivity=sensitivity(network, image, target, method, **parameters),
        deletion=curves.deletion_area,
        insertion=curves.insertion_area,
        smoothness=smoothness(found.values),
    )


def infidelity(network: nn.Module, image: Tensor, target: int, values: NDArray[np.float32]) -> float:
    """`Quality.infidelity` of a map (H, W), by captum, over 100 squares of a quarter to half the side.

    What is explained is not the image but a sheet of ones (H, W) that it is multiplied with: hiding a square makes
    the sheet zero there, whatever the image shows.
    """
    from captum.metrics import infidelity as measured

    sheet = torch.ones(1, 1, *image.shape[1:], device=image.device)

    def scores(sheets: Tensor) -> Tensor:
        found: Tensor = network.eval()(image * sheets)[:, target]
        return found

    def hidden(sheets: Tensor) -> tuple[Tensor, Tensor]:
        squares = torch.stack([_square(sheet.shape[-2:]) for _ in sheets]).to(sheets)
        changes.append(scores(sheets - squares))
        return squares, sheets - squares

    changes: list[Tensor] = []
    with torch.no_grad(), drawn_from(_SEED, image.device):
        error = measured(
            scores, hidden, sheet, torch.from_numpy(values)[None, None].to(image),
            n_perturb_samples=100, max_examples_per_batch=25, normalize=True,
        )  # fmt: skip
        spread = (scores(sheet) - torch.cat(changes)).square().mean()
    return float(error) / max(float(spread), 1e-12)


def sensitivity(network: nn.Module, image: Tensor, target: int, method: str, **parameters: Any) -> float:
    """`Quality.sensitivity`, by captum: of a few images within `RADIUS` the one whose map differs most."""
    from captum.metrics import sensitivity_max

    def explained(inputs: tuple[Tensor]) -> Tensor:
        (images,) = inputs
        found = attributions(network, images, [target] * len(images), method, **parameters)
        return torch.from_numpy(np.stack([one.values for one in found]))[:, None]

    with drawn_from(_SEED, image.device):
        found = sensitivity_max(
            explained, image[None].cpu(), perturb_radius=RADIUS * float(image.std()), n_perturb_samples=_MOVES
        )
    return float(found)


def _square(shape: tuple[int, ...]) -> Tensor:
    """(1, H, W): a square of ones somewhere, a quarter to half as wide as the image."""
    side = min(shape)
    width = int(torch.randint(max(1, side // 4), max(2, side // 2 + 1), ()))
    top, left = (int(torch.randint(0, length - width + 1, ())) for length in shape)
    made = torch.zeros(1, *shape)
    made[:, top : top + width, left : left + width] = 1
    return made
