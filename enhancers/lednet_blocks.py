"""The blocks of LEDNet (Zhou et al., ECCV 2022); attribute names follow the released keys."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

POOLED_SIDES = (1, 2, 3, 6)
CURVE_ITERATIONS = 3
KERNEL_SIDE = 5
LEAK = 0.2


class Residual(nn.Module):
    """x ← x + body1(x), x ← x + body2(x): conv 3×3, PReLU, conv 3×3 each.

    In encoder and middle blocks body2 ends at its PReLU (`closed` False).
    """

    def __init__(self, channels: int, closed: bool) -> None:
        super().__init__()
        self.body1 = nn.Sequential(conv3(channels), nn.PReLU(), conv3(channels))
        self.body2 = nn.Sequential(conv3(channels), nn.PReLU())
        if closed:
            self.body2.append(conv3(channels))

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w, the same shape."""
        x = x + self.body1(x)
        return x + self.body2(x)


class ResidualDown(Residual):
    """Residual, then half the size."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__(channels, closed=False)
        self.reshape_conv = Down(channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w to B×out_channels×h/2×w/2."""
        return self.reshape_conv(super().forward(x))


class ResidualUp(Residual):
    """Twice the size, then residual."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__(out_channels, closed=True)
        self.reshape_conv = Up(channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w to B×out_channels×2h×2w."""
        return super().forward(self.reshape_conv(x))


class Blur(nn.Module):
    """Every second pixel of x ∗ [1,2,1]ᵀ[1,2,1]/16, reflected at the border (Zhang, 2019)."""

    filt: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        row = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("filt", torch.outer(row, row).repeat(channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """B×C×h×w to B×C×⌈h/2⌉×⌈w/2⌉."""
        padded = F.pad(x, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(padded, self.filt, stride=2, groups=x.shape[1])


class Down(nn.Module):
    """1×1, PReLU, 3×3, PReLU, blur, 1×1, beside blur, 1×1; no biases."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.top = nn.Sequential(
            conv1(channels, channels),
            nn.PReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.PReLU(),
            Blur(channels),
            conv1(channels, out_channels),
        )
        self.bot = nn.Sequential(Blur(channels), conv1(channels, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w to B×out_channels×h/2×w/2."""
        return self.top(x) + self.bot(x)


class Up(nn.Module):
    """1×1, PReLU, transposed 3×3, PReLU, 1×1, beside bilinear, 1×1; no biases."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.top = nn.Sequential(
            conv1(channels, channels),
            nn.PReLU(),
            nn.ConvTranspose2d(channels, channels, 3, 2, 1, output_padding=1, bias=False),
            nn.PReLU(),
            conv1(channels, out_channels),
        )
        enlarge = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.bot = nn.Sequential(enlarge, conv1(channels, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w to B×out_channels×2h×2w."""
        return self.top(x) + self.bot(x)


class PyramidPooling(nn.Module):
    """fuse(cat[x, p_1, p_2, p_3, p_6]): p_n is x averaged to n×n, 1×1 to C/4, enlarged again."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        quarter = channels // len(POOLED_SIDES)
        self.features = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(side), conv1(channels, quarter), nn.PReLU())
            for side in POOLED_SIDES
        )
        fuse = nn.Conv2d(2 * channels, channels, 3, padding=1, bias=False)
        self.fuse = nn.Sequential(fuse, nn.PReLU())

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w, the same shape; h and w may be smaller than 6."""
        size = x.shape[-2:]
        pooled = [
            F.interpolate(feature(x), size, mode="bilinear", align_corners=True)
            for feature in self.features
        ]
        return self.fuse(torch.cat([x, *pooled], 1))


class Curve(nn.Module):
    """x ← clamp(x, 0, 1), then three times x ← x + a_i·x·(1 − x), a_i B×1×h×w in (0, 1)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.predict_a = nn.Sequential(
            nn.Conv2d(channels, channels, 5, padding=2),
            nn.ReLU(),
            conv3(channels),
            nn.ReLU(),
            nn.Conv2d(channels, CURVE_ITERATIONS, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w to the same shape in [0, 1]."""
        strengths = self.predict_a(x).split(1, 1)
        x = x.clamp(0, 1)
        for strength in strengths:
            x = x + strength * x * (1 - x)
        return x


def conv3(channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, 3, padding=1)


def conv1(channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, out_channels, 1, bias=False)


class DynamicFilter(nn.Module):
    """prototype"""

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers = []
        for _ in range(3):
            layers += [conv3(channels), nn.LeakyReLU(LEAK)]
        self.add = nn.Sequential(*layers, nn.Conv2d(channels, channels * KERNEL_SIDE**2, 1))
