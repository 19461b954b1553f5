"""A straight line through weighted points: what Kernel SHAP fits."""

from typing import Any

import torch
from torch import Tensor


class WeightedLine:
    """What captum asks of a model that it fits, by weighted least squares in double precision.

    Where there are fewer points than features it is the shortest of the lines that fit.
    """

    def fit(self, data: Any) -> None:
        """`data` yields one batch: features (n, F), values (n,), weights (n,)."""
        features, values, weights = next(iter(data))
        ones = torch.ones(len(features), 1, dtype=torch.float64)
        root = weights.double().cpu().sqrt()[:, None]
        points = torch.cat([features.double().cpu(), ones], dim=1)
        solved = torch.linalg.lstsq(points * root, values.double().cpu()[:, None] * root, driver="gelsd").solution
        self.slopes: Tensor = solved[:-1, 0].float()

    def representation(self) -> Tensor:
        """The line's slopes, (1, F)."""
        return self.slopes[None]
