"""EnlightenGAN: Deep Light Enhancement without Paired Supervision (Jiang et al., TIP 2021)."""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from enhancers.base import EncodeDecode
from enhancers.enlarging import enlarge
from enhancers.options import require_flag
from enhancers.padding import crop_centre, pad_around
from enhancers.states import load_strict
from enhancers.tiles import MANY_VALUES, Tile, channels_last, over_tiles, side_for

WIDTHS = (32, 64, 128, 256, 512)
MULTIPLE = 16
WIDE = 2200
SLOPE = 0.2
# ITU-R BT.601 luma.
GREY = (0.299, 0.587, 0.114)


class EnlightenGANOutput(NamedTuple):
    """All B×3×H×W: `image` in [0, 1]; `raw` = x + `latent`, the network's own values near [-1, 1].

    `image` is clamp((raw + 1) / 2, 0, 1), `latent` the residual scaled by the attention.
    """

    image: Tensor
    raw: Tensor
    latent: Tensor


class Context(NamedTuple):
    """H and W of the image; of the padded one x in [-1, 1], its attention and scaled skips."""

    size: tuple[int, int]
    normalised: Tensor
    attention: Tensor
    skips: tuple[Tensor, ...]


class ConvBlock(nn.Module):
    """BN(LeakyReLU(conv 3×3)), B×channels×h×w to B×out_channels×h×w."""

    def __init__(self, channels: int, out_channels: int, norm: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out_channels, 3, padding=1)
        self.bn = nn.BatchNorm2d(out_channels) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """See ConvBlock."""
        return self.bn(F.leaky_relu(self.conv(x), SLOPE, inplace=not torch.is_grad_enabled()))


class EnlightenGAN(EncodeDecode):
    """U-Net guided by the darkness of its input (8,636,675 parameters).

    x = 2·image − 1, attention a = 1 − grey(image), max-pooled to every level; the network reads
    x ⊕ a, its four skips and the bottleneck are multiplied by a, raw = x + a·conv(features).
    Reflected on all sides to multiples of 16 and cropped back.

    `align_corners` is that of the ×2 up-sampling: True in torch 0.3.1, which trained the released
    weights. `halve_wide` averages images above 2200 pixels width down by 2 and enlarges the
    result, as the released script does.

    f_d (512 channels, H/16 × W/16) is the output of the second block of the bottleneck.
    EnhancerError unless both options are flags.
    """

    feature_channels = WIDTHS[-1]
    bytes_per_pixel = 370

    def __init__(self, align_corners: bool = True, halve_wide: bool = False) -> None:
        super().__init__(align_corners=align_corners, halve_wide=halve_wide)
        require_flag("align_corners", align_corners)
        require_flag("halve_wide", halve_wide)
        self.align_corners, self.halve_wide = align_corners, halve_wide
        self.blocks = nn.ModuleDict()
        for level, (channels, width) in enumerate(pairwise((4, *WIDTHS)), 1):
            self.blocks[f"{level}_1"] = ConvBlock(channels, width)
            self.blocks[f"{level}_2"] = ConvBlock(width, width)
        self.deconv = nn.ModuleDict()
        for level, width in enumerate(WIDTHS[-2::-1], 6):
            self.deconv[f"{level - 1}"] = nn.Conv2d(2 * width, width, 3, padding=1)
            self.blocks[f"{level}_1"] = ConvBlock(2 * width, width)
            self.blocks[f"{level}_2"] = ConvBlock(width, width, norm=level < 9)
        self.conv10 = nn.Conv2d(WIDTHS[0], 3, 1)

    def encode(self, image: Tensor) -> tuple[Tensor, Context]:
        """f_d, B×512×⌈H/16⌉×⌈W/16⌉, and the context of `image`."""
        size = (image.shape[-2], image.shape[-1])
        if self.halve_wide and size[1] > WIDE:
            image = F.avg_pool2d(image, 2)
        padded = pad_around(image, MULTIPLE)
        normalised = (padded - 0.5) / 0.5
        attention = darkness(normalised)
        feature, level_attention, skips = torch.cat([normalised, attention], 1), attention, []
        for level in range(1, 5):
            skip, feature = self._contract(level, channels_last(feature), level_attention)
            skips.append(skip)
            level_attention = F.max_pool2d(level_attention, 2)
        feature = self.blocks["5_2"](self.blocks["5_1"](feature) * level_attention)
        return feature, Context(size, normalised, attention, tuple(skips))

    def decode(self, feature: Tensor, context: Context) -> EnlightenGANOutput:
        """Residual from f_d and the skips, added where the image is dark."""
        feature = channels_last(feature)
        for level, skip in enumerate(reversed(context.skips), 6):
            feature = self._expand(level, feature, skip)
        latent = feature * context.attention
        raw = self._restore(context.normalised + latent, context.size)
        latent = self._restore(latent, context.size)
        return EnlightenGANOutput(((raw + 1) / 2).clamp(0, 1), raw, latent)

    def _contract(self, level: int, feature: Tensor, attention: Tensor) -> tuple[Tensor, Tensor]:
        """The scaled skip of a level, and its feature at half the size."""

        def run(tile: Tile) -> tuple[Tensor, Tensor]:
            inner = self.blocks[f"{level}_2"](self.blocks[f"{level}_1"](tile.cut(feature)))
            return inner * tile.cut(attention), F.max_pool2d(inner, 2)

        return over_tiles(run, feature, 2, 2, _side(level, feature))

    def _expand(self, level: int, feature: Tensor, skip: Tensor) -> Tensor:
        """The feature at twice the size, joined with a skip; behind the last level the residual."""

        def run(tile: Tile) -> tuple[Tensor]:
            enlarged = self.deconv[f"{level - 1}"](self._enlarge(feature, tile))
            joined = torch.cat([enlarged, tile.cut(skip)], 1)
            inner = self.blocks[f"{level}_2"](self.blocks[f"{level}_1"](joined))
            return (self.conv10(inner) if level == 9 else inner,)

        # Three convolutions, before them the neighbour in the enlargement.
        return over_tiles(run, skip, 4, 2, _side(10 - level, skip))[0]

    def _enlarge(self, feature: Tensor, tile: Tile) -> Tensor:
        if self.align_corners:
            return enlarge(feature, tile)
        part = tile.cut(feature)
        return F.interpolate(part, scale_factor=2, mode="bilinear", align_corners=False)

    def load_released(self, state: Mapping[str, Tensor]) -> None:
        """Load 200_net_G_A.pth; BatchNorm of torch 0.3.1 did not count its batches."""
        own = self.state_dict()
        counts = {_published_key(key): own[key] for key in own if own[key].dim() == 0}
        load_strict(self, counts | dict(state), _published_key)

    def _restore(self, padded: Tensor, size: tuple[int, int]) -> Tensor:
        if self.halve_wide and size[1] > WIDE:
            half = crop_centre(padded, (size[0] // 2, size[1] // 2))
            return F.interpolate(half, size, mode="bilinear", align_corners=self.align_corners)
        return crop_centre(padded, size)


def _side(level: int, maps: Tensor) -> int:
    """Of tiles at a level, whose widest maps are its joined ones."""
    return side_for(2 * WIDTHS[level - 1] * len(maps), MANY_VALUES)


def darkness(normalised: Tensor) -> Tensor:
    """1 − grey, B×1×H×W in [0, 1], of B×3×H×W in [-1, 1]."""
    red, green, blue = (normalised + 1).split(1, dim=1)
    # The authors' order: another one differs in the last bit, of which the network makes 1.5e-5.
    return 1 - (GREY[0] * red + GREY[1] * green + GREY[2] * blue) / 2


def _published_key(key: str) -> str:
    key = re.sub(r"^blocks\.(\d_\d)\.(conv|bn)\.", r"\2\1.", key)
    return re.sub(r"^deconv\.", "deconv", key)
