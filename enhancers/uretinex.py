"""URetinex-Net: Retinex-based Deep Unfolding Network for Low-Light Image Enhancement
(Wu et al., CVPR 2022)."""

import argparse
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from enhancers.base import EncodeDecode, Round
from enhancers.errors import EnhancerError
from enhancers.options import require_number
from enhancers.states import load_below, load_strict, select
from enhancers.tiles import (
    MANY_VALUES,
    Tile,
    channels_last,
    in_tiles,
    over_tiles,
    side_for,
    tiles,
    worthwhile,
)

WIDTH = 32
TRUNK = 2 * WIDTH
ROUNDS = 3
LEAK = 0.2
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


class Decomposed(NamedTuple):
    """An image ≈ R·L: `reflectance` B×3×H×W and `illumination` B×1×H×W, both >= 0."""

    reflectance: Tensor
    illumination: Tensor


class Unfolded(NamedTuple):
    """One round: auxiliary P, Q and what the units make of them; P, R B×3×H×W, Q, L B×1×H×W."""

    P: Tensor
    Q: Tensor
    R: Tensor
    L: Tensor


class Decomposition(nn.Module):
    """Initial R and L of an image by four 3×3 convolutions, 3-32-32-32-4 (20,548 parameters).

    URetinex holds the one for low light; the one for normal light is for training only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.decom = nn.Sequential(
            *(nn.Conv2d(3, WIDTH, 3, padding=1), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.LeakyReLU(0.2)),
            *(_alive(nn.Conv2d(WIDTH, 4, 3, padding=1)), nn.ReLU()),
        )

    def forward(self, image: Tensor) -> Decomposed:
        """B×3×H×W in [0, 1] to its R and L."""
        layers = _in_tiles(lambda part: self.decom(channels_last(part)), 4, image)
        return Decomposed(layers[:, :3], layers[:, 3:])

    def load_released(self, state: Mapping[str, Tensor]) -> None:
        """Load `model_R.*` of init_low.pth or init_high.pth; EnhancerError unless it fits."""
        load_below(self, state, "model_R.")


class SqueezeExcite(nn.Module):
    """Scale every channel by a gate in (0, 1) computed from the channel means."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            *(nn.Linear(channels, channels // reduction, bias=False), nn.ReLU()),
            *(nn.Linear(channels // reduction, channels, bias=False), nn.Sigmoid()),
        )

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×H×W, the same shape."""
        return x * self.gates(x.mean((2, 3)))

    def gates(self, means: Tensor) -> Tensor:
        """B×channels means to B×channels×1×1."""
        return self.fc(means)[:, :, None, None]


class ReflectanceUnit(nn.Module):
    """R = P + conv8(trunk(P, Q)), trunk = squeeze-excite and 5 × conv-ReLU (188,099 parameters)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTH, 3, padding=1)
        self.conv2 = nn.Conv2d(1, WIDTH, 3, padding=1)
        self.se_layer = SqueezeExcite(TRUNK, 16)
        self.conv3 = nn.Conv2d(TRUNK, TRUNK, 3, padding=1)
        self.conv4 = nn.Conv2d(TRUNK, TRUNK, 3, padding=1)
        self.conv5 = nn.Conv2d(TRUNK, TRUNK, 3, padding=1)
        self.conv6 = nn.Conv2d(TRUNK, TRUNK, 3, padding=1)
        self.conv7 = nn.Conv2d(TRUNK, TRUNK, 3, padding=1)
        self.conv8 = nn.Conv2d(TRUNK, 3, 3, padding=1)

    def trunk(self, P: Tensor, Q: Tensor) -> Tensor:
        """P B×3×H×W and Q B×1×H×W to f_d, B×64×H×W."""
        if not worthwhile(P):
            return self._deepen(self.se_layer(self._join(P, Q)))
        size, side = (P.shape[-2], P.shape[-1]), side_for(TRUNK * len(P), MANY_VALUES)
        total: Tensor | float = 0.0
        for tile in tiles(size, 1, 1, side):
            total = total + tile.inside(self._join(tile.cut(P), tile.cut(Q))).sum((2, 3))
        gates = self.se_layer.gates(total / (size[0] * size[1]))

        def run(tile: Tile) -> tuple[Tensor]:
            joined = self._join(tile.cut(P), tile.cut(Q))
            return (self._deepen(channels_last(joined.mul_(gates))),)

        return over_tiles(run, P, 6, 1, side)[0]

    def _join(self, P: Tensor, Q: Tensor) -> Tensor:
        return torch.cat([_relu(self.conv1(P)), _relu(self.conv2(Q))], 1)

    def _deepen(self, x: Tensor) -> Tensor:
        for conv in (self.conv3, self.conv4, self.conv5, self.conv6, self.conv7):
            x = _relu(conv(x))
        return x


class IlluminationUnit(nn.Module):
    """L from Q: 4 × (5×5 convolution and LeakyReLU), 1×1 and ReLU (77,761 parameters)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, WIDTH, 5, padding=2)
        self.conv2 = nn.Conv2d(WIDTH, WIDTH, 5, padding=2)
        self.conv3 = nn.Conv2d(WIDTH, WIDTH, 5, padding=2)
        self.conv4 = nn.Conv2d(WIDTH, WIDTH, 5, padding=2)
        self.conv5 = _alive(nn.Conv2d(WIDTH, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """B×1×H×W to an illumination >= 0 of the same shape."""
        return _in_tiles(self._estimate, 8, x)

    def _estimate(self, x: Tensor) -> Tensor:
        x = channels_last(_leaky_relu(self.conv1(x)))
        for conv in (self.conv2, self.conv3, self.conv4):
            x = _leaky_relu(conv(x))
        return _relu(self.conv5(x))


class Adjustment(nn.Module):
    """A(L, ratio): the brightened illumination; 5×5, 2-32-32-32-1 (53,697 parameters)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, WIDTH, 5, padding=2)
        self.conv2 = nn.Conv2d(WIDTH, WIDTH, 5, padding=2)
        self.conv3 = nn.Conv2d(WIDTH, WIDTH, 5, padding=2)
        self.conv4 = _alive(nn.Conv2d(WIDTH, 1, 5, padding=2))

    def forward(self, illumination: Tensor, ratio: float | Tensor) -> Tensor:
        """L (B×1×H×W) and one ratio, or B×1×1×1 of them, to the adjusted L, >= 0."""
        x = torch.cat([illumination, torch.ones_like(illumination) * ratio], 1)
        return _in_tiles(self._adjust, 8, x)

    def _adjust(self, x: Tensor) -> Tensor:
        x = channels_last(x)
        for conv in (self.conv1, self.conv2, self.conv3):
            x = _leaky_relu(conv(x))
        return _relu(self.conv4(x))


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
        """R and L of the open round; f_d and context of the next one, or the output."""
        R = context.P + _in_tiles(self.model_R.conv8, 1, feature)
        L = self.model_L(context.Q)
        rounds = (*context.rounds, Unfolded(context.P, context.Q, R, L))
        if len(rounds) == ROUNDS:
            adjusted = self.model_A(L, self.ratio)
            image = (adjusted * R).clamp(0, 1)
            return URetinexOutput(image, adjusted, context.initial, rounds, self.model_A)
        P, Q = solve(context.image, rounds[-1], *penalties(len(rounds)))
        return Round(*self._open(Context(context.image, context.initial, P, Q, rounds)))

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


def _in_tiles(run: Callable[[Tensor], Tensor], reach: int, maps: Tensor) -> Tensor:
    """`run` of maps, in tiles for the memory's sake."""
    return in_tiles(run, maps, reach, 1, WIDTH, MANY_VALUES)


def _relu(x: Tensor) -> Tensor:
    """ReLU of a convolution's result, which nothing else needs."""
    return F.relu(x, inplace=not torch.is_grad_enabled())


def _leaky_relu(x: Tensor) -> Tensor:
    return F.leaky_relu(x, LEAK, inplace=not torch.is_grad_enabled())


def _alive(conv: nn.Conv2d) -> nn.Conv2d:
    """Start at an output of about 0.5: a ReLU that starts below 0 everywhere never learns."""
    nn.init.constant_(conv.bias, 0.5)
    return conv
