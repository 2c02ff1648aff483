"""The zero-reference losses of Zero-DCE++ (Li et al., TPAMI 2021)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from enhancers.base import Run
from enhancers.losses.objective import Objective, summed
from enhancers.losses.smoothness import total_variation

SMOOTHNESS_WEIGHT, COLOUR_WEIGHT, EXPOSURE_WEIGHT = 1600.0, 5.0, 10.0
REGION, EXPOSURE_PATCH, WELL_EXPOSED = 4, 16, 0.6


class ZeroDCEppObjective(Objective):
    """1600·TV(curve) + spatial consistency + 5·colour constancy + 10·exposure; no reference."""

    def forward(
        self, run: Run, low: Tensor, normal: Tensor | None
    ) -> tuple[Tensor, dict[str, float]]:
        """See Objective; `run` gives `image` and `curve`, `normal` is not looked at."""
        out = run(low)
        terms = {
            "smoothness": SMOOTHNESS_WEIGHT * total_variation(out.curve),
            "spatial": spatial_consistency(out.image, low),
            "colour": COLOUR_WEIGHT * colour_constancy(out.image),
            "exposure": EXPOSURE_WEIGHT * exposure(out.image),
        }
        return summed(terms)


def spatial_consistency(image: Tensor, low: Tensor) -> Tensor:
    """Mean over 4×4 regions of the squared change of the four neighbour differences of grey.

    Beyond the border the neighbour is zero, as in the authors' code.
    """
    change = F.avg_pool2d((image - low).mean(1, keepdim=True), REGION)
    vertical = F.pad(change, (0, 0, 1, 1)).diff(dim=-2).square()
    horizontal = F.pad(change, (1, 1, 0, 0)).diff(dim=-1).square()
    up, down = vertical[..., :-1, :], vertical[..., 1:, :]
    left, right = horizontal[..., :-1], horizontal[..., 1:]
    return (up + down + left + right).mean()


def colour_constancy(image: Tensor) -> Tensor:
    """Mean over images of √Σ (m_p − m_q)⁴, m the mean of a channel, (p, q) the three pairs."""
    red, green, blue = image.mean((-2, -1)).unbind(1)
    squares = torch.stack([red - green, red - blue, green - blue]).square()
    # A norm, not a square root: its gradient at a grey image is 0 where the root's is NaN.
    return torch.linalg.vector_norm(squares, dim=0).mean()


def exposure(image: Tensor) -> Tensor:
    """Mean squared distance of the grey mean of 16×16 patches from 0.6."""
    patches = F.avg_pool2d(image.mean(1, keepdim=True), EXPOSURE_PATCH)
    return (patches - WELL_EXPOSED).square().mean()
