"""Supervision by normal-light images, for any network."""

import torch
from torch import Tensor

from enhancers.base import Run
from enhancers.errors import EnhancerError
from enhancers.losses.objective import Objective, summed

SOFTNESS = 1e-3


def charbonnier(image: Tensor, target: Tensor) -> Tensor:
    """mean √((a − b)² + ε²), ε = 1e-3, of two tensors of one shape (Lai et al., 2018)."""
    return torch.sqrt((image - target).square() + SOFTNESS**2).mean()


class Paired(Objective):
    """Charbonnier loss of the enhanced image against the normal-light one.

    EnhancerError where the training set has no normal-light image.
    """

    def forward(
        self, run: Run, low: Tensor, normal: Tensor | None
    ) -> tuple[Tensor, dict[str, float]]:
        """See Objective."""
        if normal is None:
            raise EnhancerError("paired supervision needs a normal-light image for every low one")
        return summed({"charbonnier": charbonnier(run(low).image, normal)})
