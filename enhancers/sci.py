"""SCI: Toward Fast, Flexible, and Robust Low-Light Image Enhancement (Ma et al., CVPR 2022)."""

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor, nn

from enhancers.base import EncodeDecode
from enhancers.states import drop_copies, load_below
from enhancers.tiles import channels_last

DARKEST_ILLUMINATION = 1e-4


class SCIOutput(NamedTuple):
    """Both B×3×H×W: `image` in [0, 1], `illumination` in [1e-4, 1]."""

    image: Tensor
    illumination: Tensor


class SCI(EncodeDecode):
    """The illumination network, all that SCI runs at inference (258 parameters).

    f = ReLU(conv x), f_d = f + ReLU(BN(conv f)), t = clamp(sigmoid(conv f_d) + x, 1e-4, 1),
    image = clamp(x / t, 0, 1), every convolution 3×3 on three channels at full size.

    f_d (3 channels, H×W) is taken after the residual block, before the last convolution, so that
    encoder and decoder both hold learnable layers; three channels can hold little.
    """

    feature_channels = 3
    bytes_per_pixel = 15
    reach = 3

    def __init__(self) -> None:
        super().__init__()
        self.in_conv = nn.Sequential(_conv3(), nn.ReLU(inplace=True))
        self.conv = nn.Sequential(_conv3(), nn.BatchNorm2d(3), nn.ReLU(inplace=True))
        self.out_conv = nn.Sequential(_conv3(), nn.Sigmoid())
        initialise(self)

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(f_d, image), both B×3×H×W."""
        image = channels_last(image)
        shallow = self.in_conv(image)
        return shallow + self.conv(shallow), image

    def decode(self, feature: Tensor, context: Tensor) -> SCIOutput:
        """Illumination from f_d, and the image (`context`) divided by it."""
        illumination = (self.out_conv(feature) + context).clamp_(DARKEST_ILLUMINATION, 1)
        return SCIOutput((context / illumination).clamp_(0, 1).contiguous(), illumination)

    def load_released(self, state: Mapping[str, Tensor]) -> None:
        """Load easy, medium or difficult; `calibrate.*` is for training and is left out."""
        load_below(self, drop_copies(state, "enhance.conv.", "enhance.blocks."), "enhance.")


def initialise(module: nn.Module) -> None:
    """The authors' start: N(0, 0.02) for convolution weights and zero biases."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, 0.0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _conv3() -> nn.Conv2d:
    return nn.Conv2d(3, 3, 3, padding=1)
