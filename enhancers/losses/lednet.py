"""The supervised objective of LEDNet (Zhou et al., ECCV 2022)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from enhancers.base import Run
from enhancers.errors import EnhancerError
from enhancers.losses.objective import Objective, summed
from enhancers.losses.perceptual import VGGFeatures
from enhancers.padding import pad_to_multiples

VGG_LAYERS = ("conv1_2", "conv2_2", "conv3_4", "conv4_4")
PERCEPTUAL_WEIGHT, SIDE_WEIGHT = 0.01, 0.8
SIDE_REDUCTION = 8
# The deepest layer stands behind three poolings, so smaller side images have no feature there.
SMALLEST_VGG_SIDE = 8


class LEDNetObjective(Objective):
    """D(raw, normal) + 0.8·D(side, normal reduced by 8), D(a, b) = L1 + 0.01·Σ_φ ‖φ(a) − φ(b)‖₁.

    φ are the features that `vgg` gives: the authors take `VGG_LAYERS` of VGG19, before their ReLU;
    None leaves the perceptual terms out. L1 are means. Everything is in the range of an image in
    [0, 1] but not clamped, so that a pixel outside of it still has a gradient.

    EnhancerError without a normal-light image, or where a side image is too small for `vgg`.
    """

    def __init__(self, vgg: VGGFeatures | None) -> None:
        super().__init__()
        self.vgg = vgg

    def forward(
        self, run: Run, low: Tensor, normal: Tensor | None
    ) -> tuple[Tensor, dict[str, float]]:
        """See Objective; `run` gives `raw` and `side`."""
        if normal is None:
            raise EnhancerError("LEDNet's objective needs a normal-light image for every low one")
        out = run(low)
        terms = self._distance(out.raw, normal)
        for name, term in self._distance(out.side, reduce_target(normal)).items():
            terms[f"side_{name}"] = SIDE_WEIGHT * term
        return summed(terms)

    def _distance(self, image: Tensor, target: Tensor) -> dict[str, Tensor]:
        terms = {"l1": F.l1_loss(image, target)}
        if self.vgg is not None:
            terms["perceptual"] = PERCEPTUAL_WEIGHT * perceptual(self.vgg, image, target)
        return terms


def perceptual(vgg: VGGFeatures, image: Tensor, target: Tensor) -> Tensor:
    """Σ over the layers of mean |φ(image) − φ(target)|, B×3×H×W both; no gradient to `target`."""
    if min(image.shape[-2:]) < SMALLEST_VGG_SIDE:
        too_small = SIDE_REDUCTION * (SMALLEST_VGG_SIDE - 1)
        raise EnhancerError(f"LEDNet's perceptual loss needs crops of more than {too_small} pixels")
    with torch.no_grad():
        wanted = vgg(target)
    distances = [F.l1_loss(*pair) for pair in zip(vgg(image), wanted, strict=True)]
    return torch.stack(distances).sum()


def reduce_target(normal: Tensor) -> Tensor:
    """B×3×H×W to B×3×⌈H/8⌉×⌈W/8⌉, bicubic and antialiased.

    Padded first as LEDNet pads its input, so that each pixel stands for the same 8×8 as the side
    output's.
    """
    padded = pad_to_multiples(normal, SIDE_REDUCTION)
    size = (padded.shape[-2] // SIDE_REDUCTION, padded.shape[-1] // SIDE_REDUCTION)
    return F.interpolate(padded, size, mode="bicubic", antialias=True)
