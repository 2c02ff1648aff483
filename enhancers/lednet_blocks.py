"""The blocks of LEDNet (Zhou et al., ECCV 2022); attribute names follow the released keys."""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from enhancers.enlarging import enlarge
from enhancers.tiles import Tile, whole, worthwhile

POOLED_SIDES = (1, 2, 3, 6)
CURVE_ITERATIONS = 3
KERNEL_SIDE = 5
LEAK = 0.2
BAND_VALUES = 2**23  # 32 MB of float32 kernels at a time
TAP_VALUES = 2**16  # of kernels of one tap


class EncoderBlock(nn.Module):
    """x ← x + body1(x), then body2(x): conv 3×3, PReLU, conv 3×3; conv 3×3, PReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body1 = _two_convs(channels)
        self.body2 = nn.Sequential(_conv3(channels), nn.PReLU())

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w, the same shape."""
        return self.body2(x + self.body1(x))


class DownBlock(EncoderBlock):
    """An encoder block, then half the size."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__(channels)
        self.reshape_conv = Down(channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w to B×out_channels×h/2×w/2."""
        return self.reshape_conv(super().forward(x))


class DecoderBlock(nn.Module):
    """x ← x + body1(x), x ← x + body2(x): conv 3×3, PReLU, conv 3×3 each."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body1, self.body2 = _two_convs(channels), _two_convs(channels)

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w, the same shape."""
        x = x + self.body1(x)
        return x + self.body2(x)


class UpBlock(DecoderBlock):
    """Twice the size, then a decoder block."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__(out_channels)
        self.reshape_conv = Up(channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w to B×out_channels×2h×2w."""
        return super().forward(self.reshape_conv(x))


class Blur(nn.Module):
    """Every second pixel of x ∗ [1,2,1]ᵀ[1,2,1]/16, reflected at the border (Zhang, ICML 2019)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        row = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("filt", torch.outer(row, row).repeat(channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w to B×channels×⌈h/2⌉×⌈w/2⌉."""
        padded = F.pad(x, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(padded, self.filt, stride=2, groups=x.shape[1])


class Down(nn.Module):
    """(1×1, PReLU, 3×3, PReLU, blur, 1×1)(x) + (blur, 1×1)(x), no biases."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.top = nn.Sequential(
            _conv1(channels, channels),
            nn.PReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.PReLU(),
            Blur(channels),
            _conv1(channels, out_channels),
        )
        self.bot = nn.Sequential(Blur(channels), _conv1(channels, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w to B×out_channels×⌈h/2⌉×⌈w/2⌉."""
        return self.top(x) + self.bot(x)


class Up(nn.Module):
    """(1×1, PReLU, transposed 3×3, PReLU, 1×1)(x) + (bilinear ×2, 1×1)(x), no biases."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.top = nn.Sequential(
            _conv1(channels, channels),
            nn.PReLU(),
            nn.ConvTranspose2d(channels, channels, 3, 2, 1, output_padding=1, bias=False),
            nn.PReLU(),
            _conv1(channels, out_channels),
        )
        double = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.bot = nn.Sequential(double, _conv1(channels, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w to B×out_channels×2h×2w."""
        return self.top(x) + self.bot(x)


class PyramidPooling(nn.Module):
    """fuse(cat[x, p₁, p₂, p₃, p₆]): pₙ is x averaged to n×n, 1×1 to a quarter of the channels,
    PReLU, enlarged again; fuse = conv 3×3, PReLU. No biases; h and w may be below 6."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        quarter = channels // len(POOLED_SIDES)
        self.features = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(side), _conv1(channels, quarter), nn.PReLU())
            for side in POOLED_SIDES
        )
        fuse = nn.Conv2d(2 * channels, channels, 3, padding=1, bias=False)
        self.fuse = nn.Sequential(fuse, nn.PReLU())

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w, the same shape."""
        return self.join(x, self.pool(x), whole(x))

    def pool(self, x: Tensor) -> list[Tensor]:
        """p₁, p₂, p₃, p₆ before they are enlarged; the only part that looks at all of x."""
        return [feature(x) for feature in self.features]

    def join(self, x: Tensor, pooled: list[Tensor], tile: Tile) -> Tensor:
        """What `tile` holds of the result, of x and of what `pool` gave; looks 1 pixel away."""
        return self.fuse(torch.cat([tile.cut(x), *(enlarge(part, tile) for part in pooled)], 1))


class Curve(nn.Module):
    """x ← clamp(x, 0, 1), then for i = 1, 2, 3: x ← x + aᵢ·x·(1 − x), aᵢ in (0, 1) for all
    channels of a pixel; a = (conv 5×5, ReLU, conv 3×3, ReLU, 1×1, sigmoid)(x before the clamp)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.predict_a = nn.Sequential(
            nn.Conv2d(channels, channels, 5, padding=2),
            nn.ReLU(),
            _conv3(channels),
            nn.ReLU(),
            nn.Conv2d(channels, CURVE_ITERATIONS, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w to the same shape in [0, 1]."""
        strengths = self.predict_a(x).split(1, dim=1)
        x = x.clamp(0, 1)
        for strength in strengths:
            x = x + strength * x * (1 - x)
        return x


def kernel_branch(channels: int) -> nn.Sequential:
    """Three times conv 3×3, ReLU, and the 1×1 convolution that gives 25 taps a channel."""
    layers: list[nn.Module] = []
    for _ in range(3):
        layers += [_conv3(channels), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(channels, channels * KERNEL_SIDE**2, 1))


def filter_adaptively(x: Tensor, guide: Tensor, kernels: nn.Conv2d) -> Tensor:
    """LeakyReLU of x filtered 5×5, edge repeated; each pixel and channel has a kernel of its own.

    x, `guide` and the result B×C×h×w; `kernels`(guide) B×25C×h×w, of which channel c owns 25c to
    25c + 24, row by row.
    """
    padded = F.pad(x, (KERNEL_SIDE // 2,) * 4, mode="replicate")
    if torch.compiler.is_compiling():
        # A traced loop over rows has a fixed number of them.
        return F.leaky_relu(_filter(padded, kernels(guide)), LEAK)
    if worthwhile(x):
        return F.leaky_relu_(_filter_by_taps(padded, guide, kernels), LEAK)
    height = x.shape[-2]
    # All kernels at once need 25 times the memory of x, 3.3 GB for a 1080×1920 image at half size.
    band = max(1, BAND_VALUES * height // (KERNEL_SIDE**2 * x.numel()))
    bands = [
        _filter(
            padded[..., top : top + band + KERNEL_SIDE - 1, :],
            kernels(guide[..., top : top + band, :]),
        )
        for top in range(0, height, band)
    ]
    return F.leaky_relu(torch.cat(bands, 2), LEAK)


def _filter(padded: Tensor, kernels: Tensor) -> Tensor:
    """Weighted sums of the 5×5 surroundings: B×C×(h+4)×(w+4) and B×25C×h×w to B×C×h×w."""
    taps = KERNEL_SIDE**2
    around = padded.unfold(2, KERNEL_SIDE, 1).unfold(3, KERNEL_SIDE, 1).flatten(-2)
    return (around * kernels.unflatten(1, (-1, taps)).movedim(2, -1)).sum(-1)


def _filter_by_taps(padded: Tensor, guide: Tensor, kernels: nn.Conv2d) -> Tensor:
    """The same, tap by tap on so few rows that they stay in the cache between the taps."""
    channels, taps = padded.shape[1], KERNEL_SIDE**2
    # One matrix and one bias a tap.
    weight = kernels.weight.view(channels, taps, channels).permute(1, 2, 0).contiguous()
    bias = kernels.bias.view(channels, taps).T.contiguous()
    pixels = padded.permute(0, 2, 3, 1).contiguous()
    guides = guide.permute(0, 2, 3, 1).contiguous()
    out = torch.zeros_like(guides)
    width = out.shape[2]
    rows = max(1, TAP_VALUES // (channels * width))
    for image, top in itertools.product(range(len(out)), range(0, out.shape[1], rows)):
        target = out[image, top : top + rows]
        flat = guides[image, top : top + rows].flatten(0, 1)
        for tap, (y, x) in enumerate(itertools.product(range(KERNEL_SIDE), repeat=2)):
            around = pixels[image, top + y : top + y + len(target), x : x + width]
            target.addcmul_(torch.addmm(bias[tap], flat, weight[tap]).view_as(target), around)
    return out.permute(0, 3, 1, 2)


def _two_convs(channels: int) -> nn.Sequential:
    return nn.Sequential(_conv3(channels), nn.PReLU(), _conv3(channels))


def _conv3(channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, 3, padding=1)


def _conv1(channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, out_channels, 1, bias=False)
