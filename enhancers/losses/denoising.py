"""Teaching RUAS's denoiser what noise is, where no trained one is at hand."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from enhancers.base import Run
from enhancers.losses.objective import Objective, summed

STRONGEST = 0.1


class DenoiserPretraining(Objective):
    """MSE(n̂(x + n), n), n ~ N(0, σ²), σ ~ U(0, 0.1) for each image x.

    x is a normal-light image, of any scene, or without them what `run` makes of the low one. Trains
    `denoiser` alone, for RUASDenoiserObjective to start from. Noise comes from torch's global CPU
    generator.
    """

    trains = ("denoise_net.",)
    unpaired = True

    def __init__(self, denoiser: nn.Module) -> None:
        super().__init__()
        # In a list: its parameters are the network's, not the objective's.
        self._denoiser = [denoiser]

    def forward(
        self, run: Run, low: Tensor, normal: Tensor | None
    ) -> tuple[Tensor, dict[str, float]]:
        """See Objective; `run` gives `images`."""
        image = run(low).images[-1].detach() if normal is None else normal
        strength = torch.rand(len(image), 1, 1, 1).mul(STRONGEST)
        noise = (torch.randn(image.shape) * strength).to(image)
        (denoiser,) = self._denoiser
        return summed({"noise": F.mse_loss(denoiser(image + noise), noise)})
