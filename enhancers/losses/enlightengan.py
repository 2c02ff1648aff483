"""The unpaired adversarial objective of EnlightenGAN (Jiang et al., TIP 2021)."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from enhancers.base import Run
from enhancers.errors import EnhancerError
from enhancers.losses.discriminators import PatchGAN
from enhancers.losses.objective import Objective, summed
from enhancers.losses.perceptual import VGGFeatures

PATCHES, PATCH = 6, 32
DARKENED, DIVISORS = 0.5, (2.0, 4.0)

Corners = list[tuple[int, int]]


class EnlightenGANObjective(Objective):
    """Relativistic global + local adversarial loss + self-feature preservation, global and local.

    `normal` is any normal-light batch: it shares no scene with `low`. The network gets `low`
    darkened at random, its output `raw` is compared with `low` as it was. `vgg` is
    VGGFeatures(16, ["relu5_1"], …); None leaves feature preservation out.

    The loss has no gradient for `discriminators`, although they are among the parameters here:
    they have an optimiser of their own, for `discriminator_loss(objective.fake, normal)` after
    each step, `fake` being the last output without gradient. Darkening and patches are drawn from
    torch's global CPU generator. EnhancerError without `normal`, or below 32 pixels a side.
    """

    def __init__(self, vgg: VGGFeatures | None = None) -> None:
        super().__init__()
        self.discriminators = nn.ModuleDict({"global": PatchGAN(5), "local": PatchGAN(4)})
        self.vgg = vgg
        self.fake: Tensor | None = None

    def forward(
        self, run: Run, low: Tensor, normal: Tensor | None
    ) -> tuple[Tensor, dict[str, float]]:
        """See Objective; `run` gives `raw`."""
        if normal is None:
            raise EnhancerError("EnlightenGAN needs normal-light images, of any scenes")
        fake = run(darken(low)).raw
        self.fake = fake.detach()
        corners = draw_corners(fake)
        terms = self._adversarial(fake, 2 * normal - 1, corners)
        if self.vgg is not None:
            terms |= self._preservation((fake + 1) / 2, low, corners)
        return summed(terms)

    def discriminator_loss(self, fake: Tensor, normal: Tensor) -> tuple[Tensor, dict[str, float]]:
        """What the discriminators are to minimise, and its parts.

        `fake` near [-1, 1], `normal` in [0, 1], both B×3×H×W; `fake` gets no gradient. Local:
        E[(D(real) − 1)²] + E[D(fake)²], summed and not halved, as in `relativistic`.
        """
        fake, real = fake.detach(), 2 * normal - 1
        whole, local = self.discriminators["global"], self.discriminators["local"]
        real_patches = cut_patches(real, draw_corners(real))
        fake_patches = cut_patches(fake, draw_corners(fake))
        terms = {
            "discriminator.global": relativistic(whole(real), whole(fake)),
            "discriminator.local": least_squares(local(real_patches), 1)
            + least_squares(local(fake_patches), 0),
        }
        return summed(terms)

    def _adversarial(self, fake: Tensor, real: Tensor, corners: Corners) -> dict[str, Tensor]:
        whole = _frozen(self.discriminators["global"])
        local = _frozen(self.discriminators["local"])
        return {
            "global": relativistic(whole(fake), whole(real)),
            "local": least_squares(local(cut_patches(fake, corners)), 1),
        }

    def _preservation(self, image: Tensor, low: Tensor, corners: Corners) -> dict[str, Tensor]:
        patches = cut_patches(image, corners), cut_patches(low, corners)
        return {
            "features": self._feature_distance(image, low),
            "patch_features": self._feature_distance(*patches),
        }

    def _feature_distance(self, image: Tensor, low: Tensor) -> Tensor:
        (ours,), (theirs,) = self.vgg(image), self.vgg(low)
        return feature_distance(ours, theirs)


def relativistic(better: Tensor, worse: Tensor) -> Tensor:
    """E[(b − E[w] − 1)²] + E[(w − E[b])²] of ratings, E over batch and positions.

    The discriminator wants (real, fake), the generator (fake, real). Both terms are summed, not
    halved, for the source names no factor.
    """
    return least_squares(better - worse.mean(), 1) + least_squares(worse - better.mean(), 0)


def least_squares(rating: Tensor, target: float) -> Tensor:
    """E[(rating − target)²], 1 for real and 0 for fake."""
    return (rating - target).square().mean()


def feature_distance(feature: Tensor, target: Tensor) -> Tensor:
    """mean (IN(f) − IN(f'))² of B×c×h×w, IN(f) = (f − mean)/√(var + 1e-5) of each h×w map."""
    return F.mse_loss(F.instance_norm(feature), F.instance_norm(target))


def darken(low: Tensor) -> Tensor:
    """Each image of B×3×H×W divided by U[2, 4] with probability ½."""
    divisors = torch.empty(len(low)).uniform_(*DIVISORS)
    divisors = torch.where(torch.rand(len(low)) < DARKENED, divisors, 1.0)
    return low / divisors.to(low).view(-1, 1, 1, 1)


def draw_corners(image: Tensor) -> Corners:
    """Top and left of six 32×32 patches of B×3×H×W, uniform, shared by the batch."""
    height, width = image.shape[-2:]
    if min(height, width) < PATCH:
        raise EnhancerError(f"EnlightenGAN trains on {PATCH} pixels a side or more")
    tops = torch.randint(height - PATCH + 1, (PATCHES,)).tolist()
    return list(zip(tops, torch.randint(width - PATCH + 1, (PATCHES,)).tolist(), strict=True))


def cut_patches(image: Tensor, corners: Corners) -> Tensor:
    """B×3×H×W to the patches of all images, (6·B)×3×32×32."""
    return torch.cat([image[..., y : y + PATCH, x : x + PATCH] for y, x in corners])


def _frozen(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """`network` without gradient for its parameters, with gradient for its input."""
    parameters = {name: value.detach() for name, value in network.named_parameters()}
    return lambda image: functional_call(network, parameters, (image,))
