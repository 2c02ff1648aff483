"""The parts of URetinex-Net (Wu et al., CVPR 2022); attribute names follow the released keys."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from enhancers.states import load_below
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
REDUCTION = 16
LEAK = 0.2


class Decomposed(NamedTuple):
    """An image ≈ R·L: `reflectance` B×3×H×W and `illumination` B×1×H×W, both >= 0."""

    reflectance: Tensor
    illumination: Tensor


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

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = channels // REDUCTION
        self.fc = nn.Sequential(
            *(nn.Linear(channels, narrow, bias=False), nn.ReLU()),
            *(nn.Linear(narrow, channels, bias=False), nn.Sigmoid()),
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
        self.se_layer = SqueezeExcite(TRUNK)
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

    def noise(self, feature: Tensor) -> Tensor:
        """n = R − P, B×3×H×W, from f_d."""
        return _in_tiles(self.conv8, 1, feature)

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
