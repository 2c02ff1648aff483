"""The three training phases of URetinex-Net (Wu et al., CVPR 2022), each with its own objective.

`trains` names the parts of the network that a phase trains, by the start of their parameters'
names; the rest keeps what the phases before have learnt.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure
from torchvision.transforms.functional import rgb_to_grayscale

from enhancers.base import Run
from enhancers.errors import EnhancerError
from enhancers.losses.objective import Objective, summed
from enhancers.losses.perceptual import VGGFeatures
from enhancers.losses.smoothness import total_variation
from enhancers.uretinex import Unfolded, penalties, ratio_between
from enhancers.uretinex_units import Decomposed, Decomposition

ILLUMINATION_WEIGHT, EDGE_AWARE_WEIGHT, SMOOTHNESS_WEIGHT = 0.1, 0.1, 20.0
DISPLAY_GAMMA = 2.2
EDGE_SHARPNESS = 10.0
# The paper does not name its layers; these and their weights are pix2pixHD's (Wang et al., 2018).
PERCEPTUAL_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
PERCEPTUAL_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


class DecompositionObjective(Objective):
    """Phase 1: the decomposition of low light, and along with it `high`, that of normal light.

    low: ‖R·L − I‖₁ + 0.1·MSE(L, max_c I); high: the same with max_c I^(1/2.2), plus
    0.1·`edge_aware_variation`. `high` is what the next two phases are given.
    """

    trains = ("model_decom.",)

    def __init__(self) -> None:
        super().__init__()
        self.high = Decomposition()

    def forward(
        self, run: Run, low: Tensor, normal: Tensor | None
    ) -> tuple[Tensor, dict[str, float]]:
        """See Objective; `run` gives `initial`. EnhancerError without a normal-light image."""
        normal = _required(normal)
        dark, bright = run(low).initial, self.high(normal)
        target = brightest(normal) ** (1 / DISPLAY_GAMMA)
        return summed(
            {
                "low.reconstruction": reconstruction(dark, low),
                "low.illumination": ILLUMINATION_WEIGHT
                * F.mse_loss(dark.illumination, brightest(low)),
                "high.reconstruction": reconstruction(bright, normal),
                "high.illumination": ILLUMINATION_WEIGHT * F.mse_loss(bright.illumination, target),
                "high.smoothness": EDGE_AWARE_WEIGHT
                * edge_aware_variation(bright.illumination, normal),
            }
        )


class UnfoldingObjective(Objective):
    """Phase 2: the units G_R and G_L, towards the decomposition of the normal-light image.

    Σ_t γ_t·MSE(P_t, R_t) + λ_t·MSE(Q_t, L_t) + MSE(R, R_high) + 1 − SSIM(R, R_high)
    + `perceptual`(R, R_high) + 20·TV(L), R and L of the last round. `high` is frozen here;
    `vgg` gives PERCEPTUAL_LAYERS, or None leaves that term out.
    """

    trains = ("model_R.", "model_L.")

    def __init__(self, high: Decomposition, vgg: VGGFeatures | None) -> None:
        super().__init__()
        self.high = high.requires_grad_(False)
        self.vgg = vgg

    def forward(
        self, run: Run, low: Tensor, normal: Tensor | None
    ) -> tuple[Tensor, dict[str, float]]:
        """See Objective; `run` gives `rounds`. EnhancerError without a normal-light image."""
        target = self.high(_required(normal)).reflectance
        out = run(low)
        terms = {
            "consistency": consistency(out.rounds),
            "reflectance": F.mse_loss(out.reflectance, target),
            "structure": dissimilarity(out.reflectance, target),
            "smoothness": SMOOTHNESS_WEIGHT * total_variation(out.illumination),
        }
        if self.vgg is not None:
            terms["perceptual"] = perceptual(self.vgg(out.reflectance), self.vgg(target))
        return summed(terms)


class AdjustmentObjective(Objective):
    """Phase 3: A alone, L̂ = A(L, ratio of L_high to L) towards L_high.

    ‖∇L̂ − ∇L_high‖₁ + MSE(L̂, L_high) + 1 − SSIM(L̂, L_high). `high` is frozen here.
    """

    trains = ("model_A.",)

    def __init__(self, high: Decomposition) -> None:
        super().__init__()
        self.high = high.requires_grad_(False)

    def forward(
        self, run: Run, low: Tensor, normal: Tensor | None
    ) -> tuple[Tensor, dict[str, float]]:
        """See Objective; `run` gives `illumination` and `adjustment`. EnhancerError as above."""
        target = self.high(_required(normal)).illumination
        out = run(low)
        # The network's own ratio is fixed; each pair is to be trained with its own.
        ratio = ratio_between(out.illumination, target)
        adjusted = out.adjustment(out.illumination, ratio)
        return summed(
            {
                "gradient": gradient_difference(adjusted, target),
                "illumination": F.mse_loss(adjusted, target),
                "structure": dissimilarity(adjusted, target),
            }
        )


def reconstruction(decomposed: Decomposed, image: Tensor) -> Tensor:
    """mean |R·L − I|, R and I B×3×H×W, L B×1×H×W."""
    return F.l1_loss(decomposed.reflectance * decomposed.illumination, image)


def brightest(image: Tensor) -> Tensor:
    """max_c I, B×3×H×W to B×1×H×W."""
    return image.amax(1, keepdim=True)


def edge_aware_variation(illumination: Tensor, image: Tensor) -> Tensor:
    """mean[|∂L|·exp(−10·|∂I|)] of horizontal plus vertical differences, I the grey image.

    As in Retinex-Net (Wei et al., 2018) but for I, which stands there for the reflectance.
    """
    grey = rgb_to_grayscale(image)
    terms = [
        (step.abs() * (-EDGE_SHARPNESS * edge.abs()).exp()).mean()
        for step, edge in zip(_gradients(illumination), _gradients(grey), strict=True)
    ]
    return torch.stack(terms).sum()


def consistency(rounds: Sequence[Unfolded]) -> Tensor:
    """Σ_t γ_t·MSE(P_t, R_t) + λ_t·MSE(Q_t, L_t)."""
    terms = []
    for index, unfolded in enumerate(rounds):
        gamma, lamda = penalties(index)
        terms.append(gamma * F.mse_loss(unfolded.P, unfolded.R))
        terms.append(lamda * F.mse_loss(unfolded.Q, unfolded.L))
    return torch.stack(terms).sum()


def dissimilarity(image: Tensor, target: Tensor) -> Tensor:
    """1 − SSIM: Gaussian window of 11×11 and σ = 1.5, reflected border, data range 1."""
    return 1 - structural_similarity_index_measure(image, target, data_range=1.0)


def perceptual(features: Sequence[Tensor], targets: Sequence[Tensor]) -> Tensor:
    """Σ w·mean|f − f_target| over five layers, w = 1/32, 1/16, 1/8, 1/4, 1."""
    layers = zip(PERCEPTUAL_WEIGHTS, features, targets, strict=True)
    return torch.stack([weight * F.l1_loss(ours, theirs) for weight, ours, theirs in layers]).sum()


def gradient_difference(illumination: Tensor, target: Tensor) -> Tensor:
    """mean |∂L̂ − ∂L| of horizontal plus vertical differences, B×1×H×W both."""
    # Differences are linear: the difference of gradients is the gradient of the difference.
    horizontal, vertical = _gradients(illumination - target)
    return horizontal.abs().mean() + vertical.abs().mean()


def _gradients(values: Tensor) -> tuple[Tensor, Tensor]:
    return values.diff(dim=-1), values.diff(dim=-2)


def _required(normal: Tensor | None) -> Tensor:
    if normal is None:
        raise EnhancerError("URetinex needs a normal-light image for every low one")
    return normal
