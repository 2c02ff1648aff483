"""The self-calibrated, zero-reference objective of SCI (Ma et al., CVPR 2022)."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from enhancers.base import Run
from enhancers.losses.calibration import SelfCalibration
from enhancers.losses.objective import Objective, summed
from enhancers.losses.smoothness import smoothness

STAGES = 3
FIDELITY_WEIGHT = 1.5
COLOUR_SIGMA = 10.0
# ITU-R BT.601 in [0, 1]: rows Y, Cb, Cr, columns R, G, B.
BT601 = ((0.257, 0.504, 0.098), (-0.148, -0.291, 0.439), (0.439, -0.368, -0.071))
OFFSETS = (16 / 255, 128 / 255, 128 / 255)
# The released code has 0.564 for 0.504.
RELEASED = ((0.257, 0.564, 0.098), (-0.148, -0.291, 0.439), (0.439, -0.368, -0.071))


class Stage(NamedTuple):
    """Loss terms of one stage, scalars: MSE (unweighted) and smoothness."""

    fidelity: Tensor
    smoothness: Tensor


class SCIObjective(Objective):
    """Three stages: x_1 = y; t_k = illumination(x_k); x_{k+1} = y + calibrate(clamp(y/t_k, 0, 1)).

    Loss = Σ_k 1.5·MSE(t_k, x_k) + smoothness(t_k; x_k). Holds the calibration network, which is
    trained along and not needed at inference. `released_ycbcr` reproduces the authors' colour
    conversion, which mixes pixels up (for parity only).
    """

    def __init__(self, released_ycbcr: bool = False) -> None:
        super().__init__()
        self.calibrate = SelfCalibration()
        self.released_ycbcr = released_ycbcr

    def forward(
        self, run: Run, low: Tensor, normal: Tensor | None
    ) -> tuple[Tensor, dict[str, float]]:
        """See Objective; `run` gives `illumination`, `normal` is not looked at."""
        stages = self.stages(run, low)
        fidelity = FIDELITY_WEIGHT * torch.stack([stage.fidelity for stage in stages]).sum()
        smooth = torch.stack([stage.smoothness for stage in stages]).sum()
        return summed({"fidelity": fidelity, "smoothness": smooth})

    def stages(self, run: Run, low: Tensor) -> list[Stage]:
        """The terms of the three stages for B×3×H×W `low`."""
        terms = []
        entered = low
        for stage in range(STAGES):
            illumination = run(entered).illumination
            colours = self._ycbcr(entered)
            fidelity = F.mse_loss(illumination, entered)
            terms.append(Stage(fidelity, smoothness(illumination, colours, COLOUR_SIGMA)))
            if stage + 1 < STAGES:
                entered = low + self.calibrate((low / illumination).clamp(0, 1))
        return terms

    def _ycbcr(self, image: Tensor) -> Tensor:
        return released_ycbcr(image) if self.released_ycbcr else ycbcr(image)


def ycbcr(image: Tensor) -> Tensor:
    """BT.601 Y, Cb, Cr of B×3×H×W RGB, without the offsets, which differences do not see."""
    return torch.einsum("oc,bchw->bohw", image.new_tensor(BT601), image)


def released_ycbcr(image: Tensor) -> Tensor:
    """The authors' conversion: B×3×H×W memory read as if it were rows of R, G, B.

    The offsets then stand beside each other in a row of pixels, so differences do see them.
    """
    rows = image.contiguous().view(-1, 3) @ image.new_tensor(RELEASED).T
    return (rows + image.new_tensor(OFFSETS)).view(image.shape)
