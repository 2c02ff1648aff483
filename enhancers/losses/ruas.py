"""The zero-reference objectives of RUAS (Liu et al., CVPR 2021), one for each of its modules."""

import torch
import torch.nn.functional as F
from torch import Tensor

from enhancers.base import Run
from enhancers.errors import EnhancerError
from enhancers.losses.objective import Objective, summed
from enhancers.losses.sci import released_ycbcr, ycbcr
from enhancers.losses.smoothness import neighbour_differences, smoothness, total_variation

ILLUMINATION_FIDELITY_WEIGHT, DENOISED_FIDELITY_WEIGHT = 0.5, 1e-7
COLOUR_SIGMA = 0.1


class RUASObjective(Objective):
    """Trains the illumination module: 0.5·MSE(t_2, y) + smoothness(t_2; y), σ = 0.1.

    Smoothness is Σ over 24 neighbour offsets of mean[exp(−‖ΔYCbCr(y)‖²/(2σ²))·‖Δt‖₁], as in SCI.
    `released` (for parity only) is the authors' code: Σ mean[exp(−σ²/2·‖Δ‖²)]·mean|Δt|, so the
    weights are all near 1 and no longer know their pixel, over colours that their conversion
    mixes up as in SCI.
    """

    def __init__(self, released: bool = False) -> None:
        super().__init__()
        self.released = released

    def forward(
        self, run: Run, low: Tensor, normal: Tensor | None
    ) -> tuple[Tensor, dict[str, float]]:
        """See Objective; `run` gives `illuminations`, `normal` is not looked at."""
        return summed(illumination_terms(run(low).illuminations[-1], low, self.released))


class RUASDenoiserObjective(Objective):
    """Trains the denoiser alone: 1e-7·MSE(u_2 − n, u_2) + TV(u_2 − n), u_2 without gradient.

    For a few steps only, after `RUAS.load_released_denoiser`: nothing but 1e-7 holds the image
    against TV. EnhancerError where `run` does not denoise.
    """

    def forward(
        self, run: Run, low: Tensor, normal: Tensor | None
    ) -> tuple[Tensor, dict[str, float]]:
        """See Objective; `run` gives `images` and `noise`, `normal` is not looked at."""
        out = run(low)
        if out.noise is None:
            raise EnhancerError("to train the denoiser of RUAS needs its option denoise: true")
        return summed(denoiser_terms(out.images[-1].detach(), out.noise))


def illumination_terms(
    illumination: Tensor, low: Tensor, released: bool = False
) -> dict[str, Tensor]:
    """Weighted terms of t and y, both B×3×H×W; see RUASObjective."""
    smooth = (
        released_smoothness(illumination, released_ycbcr(low))
        if released
        else smoothness(illumination, ycbcr(low), COLOUR_SIGMA)
    )
    fidelity = ILLUMINATION_FIDELITY_WEIGHT * F.mse_loss(illumination, low)
    return {"fidelity": fidelity, "smoothness": smooth}


def denoiser_terms(image: Tensor, noise: Tensor) -> dict[str, Tensor]:
    """Weighted terms of u and n, both B×3×H×W; TV = 2·(mean Δ_h² + mean Δ_w²)."""
    denoised = image - noise
    return {
        "fidelity": DENOISED_FIDELITY_WEIGHT * F.mse_loss(denoised, image),
        # Zero-DCE++ leaves the channels out of its counts.
        "smoothness": total_variation(denoised) / denoised.shape[1],
    }


def released_smoothness(illumination: Tensor, colours: Tensor) -> Tensor:
    """Σ over 24 offsets of mean[exp(−σ²/2·‖Δcolours‖²)]·mean|Δt|, B×3×H×W both."""
    pairs = zip(neighbour_differences(colours), neighbour_differences(illumination), strict=True)
    terms = [
        (-(COLOUR_SIGMA**2) / 2 * colour.square().sum(1)).exp().mean() * step.abs().mean()
        for colour, step in pairs
    ]
    return 2 * torch.stack(terms).sum()
