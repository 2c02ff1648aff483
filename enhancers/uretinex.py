"""URetinex-Net: Retinex-based Deep Unfolding Network for Low-Light Image Enhancement
(Wu et al., CVPR 2022)."""

import argparse
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from torch import Tensor

from enhancers.base import EncodeDecode, Round
from enhancers.errors import EnhancerError
from enhancers.options import require_number
from enhancers.states import load_strict, select
from enhancers.uretinex_units import (
    TRUNK,
    Adjustment,
    Decomposed,
    Decomposition,
    IlluminationUnit,
    ReflectanceUnit,
)

ROUNDS = 3
GAMMA, LAMBDA, OFFSET = 0.1, 0.5, 0.05
SMALLEST_DIVISOR = 1e-4
SMALLEST_RATIO, LARGEST_RATIO = 0.01, 100
# What the parts of the network are called below the stems of `released_files`.
PUBLISHED = {
    "model_decom": "init_low.model_R",
    "model_R": "unfolding.model_R",
    "model_L": "unfolding.model_L",
    "model_A": "L_adjust.model_A",
}


class Unfolded(NamedTuple):
    """One round: auxiliary P, Q and what the units make of them; P, R B×3×H×W, Q, L B×1×H×W."""

    P: Tensor
    Q: Tensor
    R: Tensor
    L: Tensor


class URetinexOutput(NamedTuple):
    """`image` B×3×H×W in [0, 1]; `adjusted` (A(L, ratio)) B×1×H×W; the stages before it.

    `adjustment` is the network A itself, for an objective that needs another ratio.
    """

    image: Tensor
    adjusted: Tensor
    initial: Decomposed
    rounds: tuple[Unfolded, ...]
    adjustment: Adjustment

    @property
    def reflectance(self) -> Tensor:
        """R of the last round, B×3×H×W."""
        return self.rounds[-1].R

    @property
    def illumination(self) -> Tensor:
        """L of the last round, B×1×H×W."""
        return self.rounds[-1].L


class Context(NamedTuple):
    """`image` and its initial R, L; P and Q of the round that is open, and the finished rounds."""

    image: Tensor
    initial: Decomposed
    P: Tensor
    Q: Tensor
    rounds: tuple[Unfolded, ...]


class URetinex(EncodeDecode):
    """Retinex decomposition unfolded into three rounds (340,105 parameters).

    P, Q = the initial R, L; in later rounds the closed forms of `solve`. R = P + n(P, Q),
    L = G(Q), and at last image = clamp(A(L, ratio)·R, 0, 1). `ratio` asks for an illumination so
    many times brighter; the released A knows those of LOL, about 5 to 10, and does not follow
    others. EnhancerError unless it is a number from 0.01 to 100.

    f_d (64 channels, H×W) is the trunk of the reflectance unit, before its last convolution, in
    every round: what is attached there is shared by the three.
    """

    feature_channels = TRUNK
    bytes_per_pixel = 370
    context_holds_feature = False
    released_files = ("init_low.pth", "unfolding.pth", "L_adjust.pth")
    released_globals = (argparse.Namespace,)

    def __init__(self, ratio: float = 5.0) -> None:
        super().__init__(ratio=ratio)
        require_number("ratio", ratio, SMALLEST_RATIO, LARGEST_RATIO)
        self.ratio = ratio
        self.model_decom = Decomposition()
        self.model_R = ReflectanceUnit()
        self.model_L = IlluminationUnit()
        self.model_A = Adjustment()

    def encode(self, image: Tensor) -> tuple[Tensor, Context]:
        """f_d of round 0, B×64×H×W, and the context of `image`."""
        initial = self.model_decom(image)
        return self._open(Context(image, initial, *initial, rounds=()))

    def decode(self, feature: Tensor, context: Context) -> Round | URetinexOutput:
        """R and L of the open round; the next one, or the output."""
        R = context.P + self.model_R.noise(feature)
        L = self.model_L(context.Q)
        rounds = (*context.rounds, Unfolded(context.P, context.Q, R, L))
        if len(rounds) == ROUNDS:
            adjusted = self.model_A(L, self.ratio)
            image = (adjusted * R).clamp(0, 1)
            return URetinexOutput(image, adjusted, context.initial, rounds, self.model_A)
        P, Q = solve(context.image, rounds[-1], *penalties(len(rounds)))
        return Round(partial(self._open, Context(context.image, context.initial, P, Q, rounds)))

    def enhance_to(self, image: Tensor, normal: Tensor, decompose: Decomposition) -> Tensor:
        """Enhance with the ratio taken from the truth, as the published LOL scores do.

        It looks at what it is measured against: for repeating those scores only. `decompose` is
        the decomposition network for normal light (init_high.pth), B×3×H×W both images.
        """
        out = self.run(image)
        ratio = ratio_between(out.illumination, decompose(normal).illumination)
        return (self.model_A(out.illumination, ratio) * out.reflectance).clamp(0, 1)

    def load_released(self, state: Mapping[str, Tensor]) -> None:
        """Load the three files together, each one's keys below its stem, or L_adjust.pth alone.

        L_adjust.pth repeats what the other two hold, under the names used here.
        """
        if "model_A.conv1.weight" in state:
            self.load_state_dict(state)
            return
        if not any(key.startswith("init_low.") for key in state):
            raise EnhancerError(
                f"URetinex-Net is published as {', '.join(self.released_files)}: name their folder "
                f"or L_adjust.pth alone; the first key here is '{next(iter(state), '')}'"
            )
        used = select(state, *(f"{part}." for part in PUBLISHED.values()))
        load_strict(self, used, _published_key)

    def _open(self, context: Context) -> tuple[Tensor, Context]:
        return self.model_R.trunk(context.P, context.Q), context


def _published_key(key: str) -> str:
    part, _, rest = key.partition(".")
    return f"{PUBLISHED[part]}.{rest}"


def penalties(index: int) -> tuple[float, float]:
    """γ_t and λ_t of round t = 0, 1, 2: 0.1 + 0.05·t and 0.5 + 0.05·t."""
    return GAMMA + OFFSET * index, LAMBDA + OFFSET * index


def solve(image: Tensor, last: Unfolded, gamma: float, lamda: float) -> tuple[Tensor, Tensor]:
    """P and Q that minimise the penalised fit to `image`, given the last round's Q, R and L.

    P = (I·Q + γR)/(γ + Q²), Q = (Σ_c I·P + λL)/(Σ_c P² + λ).
    """
    P = (image * last.Q + gamma * last.R) / (gamma + last.Q.square())
    fitted = (image * P).sum(1, keepdim=True) + lamda * last.L
    return P, fitted / (P.square().sum(1, keepdim=True) + lamda)


def ratio_between(illumination: Tensor, normal_illumination: Tensor) -> Tensor:
    """1/(mean(L/(L_normal + 1e-4)) + 1e-4) of each image: B×1×H×W both, to B×1×1×1."""
    share = illumination / (normal_illumination + SMALLEST_DIVISOR)
    return 1 / (share.mean((1, 2, 3), keepdim=True) + SMALLEST_DIVISOR)
