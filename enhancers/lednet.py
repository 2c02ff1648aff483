"""LEDNet: Joint Low-Light Enhancement and Deblurring in the Dark (Zhou et al., ECCV 2022)."""

from collections.abc import Mapping
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from enhancers.base import EncodeDecode
from enhancers.lednet_blocks import (
    Curve,
    DecoderBlock,
    DownBlock,
    EncoderBlock,
    PyramidPooling,
    UpBlock,
    filter_adaptively,
    kernel_branch,
)
from enhancers.options import require_flag
from enhancers.padding import pad_to_multiples
from enhancers.tiles import MANY_VALUES, Tile, channels_last, in_tiles, over_tiles, side_for

STRIDE = 8


class LEDNetOutput(NamedTuple):
    """`image` = clamp(`raw`, 0, 1) and `raw`, B×3×H×W; `side`, B×3×⌈H/8⌉×⌈W/8⌉, not clamped.

    `side` is an enhanced small image, of the image padded to multiples of 8 and reduced by 8.
    All in the range of an image in [0, 1], whichever range the network works in.
    """

    image: Tensor
    raw: Tensor
    side: Tensor


class Context(NamedTuple):
    """What needs no f_d: the size H×W, guides of the filters at 1/2, 1/4, 1/8, and `side`."""

    size: tuple[int, int]
    guides: tuple[Tensor, Tensor, Tensor]
    side: Tensor


class LEDNet(EncodeDecode):
    """Encoder with curves that brighten, decoder with dynamic filters that deblur (7,408,893).

    Encoder, at 1/2, 1/4, 1/8 with 64, 128, 128 channels: e_k = curve(pool(block(e_{k−1}))); side
    image from e_3. Decoder: d ← filter_k(block(d)), its 5×5 kernels from e_k, k = 3, 2, 1; one
    more block and convolution at full size.

    `signed`: the network works in [−1, 1], as the authors' retrained and GAN weights do; else in
    [0, 1], as the paper's. Sides that are no multiples of 8 are reflected right and bottom and the
    outputs cropped back. `script_pad` adds 8 to a multiple of 8 too, as the released script does:
    the pooling is over the whole image, so its output differs.

    f_d (128 channels, ⌈H/8⌉ × ⌈W/8⌉) is the bottleneck after the second middle block.
    EnhancerError unless both options are flags.
    """

    feature_channels = 128
    bytes_per_pixel = 270

    def __init__(self, signed: bool = False, script_pad: bool = False) -> None:
        super().__init__(signed=signed, script_pad=script_pad)
        require_flag("signed", signed)
        require_flag("script_pad", script_pad)
        self.signed, self.script_pad = signed, script_pad
        self.E_block1 = nn.Sequential(nn.Conv2d(3, 32, 3, padding=1), nn.PReLU(), DownBlock(32, 64))
        self.E_block2, self.E_block3 = DownBlock(64, 128), DownBlock(128, 128)
        self.PPM1, self.PPM2, self.PPM3 = (PyramidPooling(width) for width in (64, 128, 128))
        self.conv_1c, self.conv_2c, self.conv_3c = (Curve(width) for width in (64, 128, 128))
        self.side_out = nn.Conv2d(128, 3, 3, padding=1)
        self.M_block1, self.M_block2 = EncoderBlock(128), EncoderBlock(128)
        self.conv_fac_k1, self.conv_fac_k2 = kernel_branch(64), kernel_branch(128)
        self.conv_fac_k3 = kernel_branch(128)
        self.D_block3, self.D_block2 = DecoderBlock(128), UpBlock(128, 128)
        self.D_block1 = UpBlock(128, 64)
        self.D_block0 = nn.Sequential(UpBlock(64, 32), nn.Conv2d(32, 3, 3, padding=1))

    def encode(self, image: Tensor) -> tuple[Tensor, Context]:
        """f_d, B×128×⌈H/8⌉×⌈W/8⌉ (one more with `script_pad`), and the context of `image`."""
        height, width = image.shape[-2:]
        padded = _pad_as_script(image) if self.script_pad else pad_to_multiples(image, STRIDE)
        if self.signed:
            padded = (padded - 0.5) / 0.5
        half = self._brighten(1, self._reduce(self.E_block1, channels_last(padded), 32))
        quarter = self._brighten(2, self._reduce(self.E_block2, half, 64))
        eighth = self._brighten(3, self._reduce(self.E_block3, quarter, 128))
        feature = self.M_block2(self.M_block1(eighth))
        branches = (self.conv_fac_k1, self.conv_fac_k2, self.conv_fac_k3)
        guide1, guide2, guide3 = (
            in_tiles(branch[:-1], level, 3, 1, level.shape[1], MANY_VALUES)
            for branch, level in zip(branches, (half, quarter, eighth), strict=True)
        )
        small = self.side_out(eighth)[..., : -(-height // STRIDE), : -(-width // STRIDE)]
        return feature, Context((height, width), (guide1, guide2, guide3), self._to_image(small))

    def decode(self, feature: Tensor, context: Context) -> LEDNetOutput:
        """The image from f_d, filtered by the guides."""
        guide1, guide2, guide3 = context.guides
        feature = self.D_block3(channels_last(feature))
        eighth = filter_adaptively(feature, guide3, self.conv_fac_k3[-1])
        quarter = self._enlarge(self.D_block2, eighth, guide2, self.conv_fac_k2[-1])
        half = self._enlarge(self.D_block1, quarter, guide1, self.conv_fac_k1[-1])
        # Its widest maps are its 64 channels at full size, here as in the blocks before.
        output = in_tiles(self.D_block0, half, 4, 1, 4 * 64, MANY_VALUES)
        height, width = context.size
        raw = self._to_image(output[..., :height, :width])
        return LEDNetOutput(raw.clamp(0, 1), raw, context.side)

    def _reduce(self, block: nn.Module, feature: Tensor, channels: int) -> Tensor:
        """Five or six 3×3 convolutions, the blur among them."""
        return in_tiles(block, feature, 6, 2, channels, MANY_VALUES)

    def _brighten(self, level: int, feature: Tensor) -> Tensor:
        """Pooling, of all of it, and curve."""
        pooling, curve = getattr(self, f"PPM{level}"), getattr(self, f"conv_{level}c")
        pooled = pooling.pool(feature)

        def run(tile: Tile) -> tuple[Tensor]:
            return (curve(pooling.join(feature, pooled, tile)),)

        side = side_for(2 * feature.shape[1] * len(feature), MANY_VALUES)
        return over_tiles(run, feature, 4, 1, side)[0]

    def _enlarge(self, block: nn.Module, x: Tensor, guide: Tensor, kernels: nn.Conv2d) -> Tensor:
        """A block at twice the size, filtered; looks 4 pixels of x away."""

        def run(tile: Tile) -> tuple[Tensor]:
            return (filter_adaptively(block(tile.cut(x)), tile.cut(guide), kernels),)

        side = side_for(4 * x.shape[1] * len(x), MANY_VALUES)
        return over_tiles(run, x, 4, 1, side)[0]

    def load_released(self, state: Mapping[str, Tensor]) -> None:
        """Load a published state dict, whose keys are this network's own."""
        self.load_state_dict(state)

    def _to_image(self, output: Tensor) -> Tensor:
        return (output + 1) / 2 if self.signed else output


def _pad_as_script(image: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    bottom, right = STRIDE - height % STRIDE, STRIDE - width % STRIDE
    return F.pad(image, (0, right, 0, bottom), mode="reflect")
