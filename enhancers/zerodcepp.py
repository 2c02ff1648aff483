"""Zero-DCE++: Learning to Enhance Low-Light Image via Zero-Reference Deep Curve Estimation
(Li et al., TPAMI 2021)."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from enhancers.base import EncodeDecode
from enhancers.enlarging import enlarge
from enhancers.errors import EnhancerError
from enhancers.options import require_flag, require_integer
from enhancers.padding import pad_to_multiples
from enhancers.tiles import Tile, channels_last, over_tiles, side_for, worthwhile

WIDTH, BLOCKS = 32, 7
CURVE_ITERATIONS = 8
# A curve of 30×17 cells for a 1920×1080 image; the smallest image is padded to one cell.
COARSEST = 64


class ZeroDCEppOutput(NamedTuple):
    """Both B×3×H×W: `image` in [0, 1], `curve` (r, applied eight times) in [-1, 1]."""

    image: Tensor
    curve: Tensor


class Context(NamedTuple):
    """The image, its H and W when padded, and what x3, x2, x1 add to blocks 5, 6, 7."""

    image: Tensor
    padded: tuple[int, int]
    skips: tuple[Tensor, Tensor, Tensor]


class DepthwiseSeparable(nn.Module):
    """Depthwise 3×3, then pointwise 1×1, both with bias."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.depth_conv = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.point_conv = nn.Conv2d(channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w to B×out_channels×h×w."""
        return self.point_conv(self.depth_conv(x))


class JoiningBlock(DepthwiseSeparable):
    """A block of skip ⊕ deep features, 2·WIDTH channels; linear, so either half goes alone.

    What the skip adds is then computed once for every feature decoded with it, and nothing joined.
    """

    def __init__(self, out_channels: int) -> None:
        super().__init__(2 * WIDTH, out_channels)

    def skip(self, x: Tensor) -> Tensor:
        """What the skip, B×WIDTH×h×w, adds to the sum."""
        return self._half(x, slice(WIDTH), None)

    def forward(self, x: Tensor, skipped: Tensor) -> Tensor:
        """B×WIDTH×h×w deep features and what `skip` gave, to B×out_channels×h×w."""
        return self._half(x, slice(WIDTH, None), self.point_conv.bias) + skipped

    def _half(self, x: Tensor, half: slice, bias: Tensor | None) -> Tensor:
        depth, point = self.depth_conv, self.point_conv
        x = F.conv2d(x, depth.weight[half], depth.bias[half], padding=1, groups=WIDTH)
        return F.conv2d(x, point.weight[:, half], bias)


class ZeroDCEpp(EncodeDecode):
    """Seven separable blocks estimate one curve map r; eight times x ← x + r·(x² − x).

    `scale_factor` s: the curve is estimated at 1/s of the size and enlarged; 12 is the released
    inference, 1 the released training. An H or W that is no multiple of s is padded right and
    bottom and the curve cropped back; `script_crop` crops the image to multiples of s instead, as
    the released script does, so its output is smaller than its input.

    f_d (32 channels, H/s × W/s) is x4, the output of the fourth block: the deepest before the
    skips join. EnhancerError unless s is an integer from 1 to 64, and where `script_crop` would
    leave nothing of an image.
    """

    feature_channels = WIDTH
    bytes_per_pixel = 30

    def __init__(self, scale_factor: int = 12, script_crop: bool = False) -> None:
        super().__init__(scale_factor=scale_factor, script_crop=script_crop)
        require_integer("scale_factor", scale_factor, 1, COARSEST)
        require_flag("script_crop", script_crop)
        self.scale_factor, self.script_crop = scale_factor, script_crop
        self.keeps_size = not script_crop
        self.reach = BLOCKS if scale_factor == 1 else None
        self.e_conv1 = DepthwiseSeparable(3, WIDTH)
        self.e_conv2 = DepthwiseSeparable(WIDTH, WIDTH)
        self.e_conv3 = DepthwiseSeparable(WIDTH, WIDTH)
        self.e_conv4 = DepthwiseSeparable(WIDTH, WIDTH)
        self.e_conv5 = JoiningBlock(WIDTH)
        self.e_conv6 = JoiningBlock(WIDTH)
        self.e_conv7 = JoiningBlock(3)

    def encode(self, image: Tensor) -> tuple[Tensor, Context]:
        """f_d = x4, B×32×⌈H/s⌉×⌈W/s⌉, and the context of `image`."""
        if self.script_crop:
            image = _crop_to_multiples(image, self.scale_factor)
        padded = pad_to_multiples(image, self.scale_factor)
        size = (padded.shape[-2], padded.shape[-1])
        x1 = F.relu(self.e_conv1(channels_last(_reduce(padded, self.scale_factor))))
        x2 = F.relu(self.e_conv2(x1))
        x3 = F.relu(self.e_conv3(x2))
        skips = (self.e_conv5.skip(x3), self.e_conv6.skip(x2), self.e_conv7.skip(x1))
        return F.relu(self.e_conv4(x3)), Context(image, size, skips)

    def decode(self, feature: Tensor, context: Context) -> ZeroDCEppOutput:
        """Curve map from f_d and the skips, applied to the image at full size."""
        skip5, skip6, skip7 = context.skips
        x5 = F.relu(self.e_conv5(feature, skip5))
        x6 = F.relu(self.e_conv6(x5, skip6))
        curve = torch.tanh(self.e_conv7(x6, skip7))
        if self.scale_factor == 1:
            return ZeroDCEppOutput(_apply_curve(context.image, curve), curve)

        # The few columns of the curve take little when all are enlarged at once.
        shape = curve.shape[-2], context.padded[1]
        wide = F.interpolate(curve.contiguous(), shape, mode="bilinear", align_corners=True)

        def run(tile: Tile) -> tuple[Tensor, Tensor]:
            enlarged = enlarge(wide, tile, context.padded)
            return _apply_curve(tile.cut(context.image), enlarged), enlarged

        # The image, the curve and their products: three channels each.
        return ZeroDCEppOutput(*over_tiles(run, context.image, 0, 1, side_for(9 * len(curve))))

    def load_released(self, state: Mapping[str, Tensor]) -> None:
        """Load Epoch99.pth, whose keys are this network's own."""
        self.load_state_dict(state)


def _crop_to_multiples(image: Tensor, multiple: int) -> Tensor:
    height, width = image.shape[-2:]
    if min(height, width) < multiple:
        raise EnhancerError(
            f"script_crop with scale_factor {multiple} leaves nothing of a {width}x{height} image"
        )
    return image[..., : height - height % multiple, : width - width % multiple]


def _reduce(image: Tensor, factor: int) -> Tensor:
    if factor == 1:
        return image
    size = (image.shape[-2] // factor, image.shape[-1] // factor)
    return F.interpolate(image, size, mode="bilinear", align_corners=False)


def _apply_curve(image: Tensor, curve: Tensor) -> Tensor:
    if worthwhile(image):
        return _apply_in_place(image, curve)
    for _ in range(CURVE_ITERATIONS):
        image = image + curve * (image * image - image)
    return image


def _apply_in_place(image: Tensor, curve: Tensor) -> Tensor:
    """The same in two passes an iteration, on two maps besides `image`, which stays as it is."""
    change, enhanced = torch.empty_like(image), torch.empty_like(image)
    for _ in range(CURVE_ITERATIONS):
        torch.addcmul(image, image, image, value=-1, out=change)
        image = torch.addcmul(image, curve, change, value=-1, out=enhanced)
    return enhanced
