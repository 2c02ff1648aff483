"""Patch discriminators for adversarial objectives (Isola et al., CVPR 2017)."""

from itertools import pairwise

from torch import Tensor, nn

FIRST_WIDTH, LAST_WIDTH = 64, 512
KERNEL, PADDING, SLOPE = 4, 2, 0.2


class PatchGAN(nn.Module):
    """Rates overlapping patches of an image: 4×4 convolutions, LeakyReLU .2, no normalisation.

    `layers` convolutions of stride 2 (64 channels, doubled up to 512), then one of 512 channels
    and one of 1, both of stride 1; all are padded by 2. EnlightenGAN rates whole images with 5
    layers (11,154,369 parameters) and 32×32 patches with 4 (6,959,553).
    """

    def __init__(self, layers: int) -> None:
        super().__init__()
        widths = [3, *(min(FIRST_WIDTH << layer, LAST_WIDTH) for layer in range(layers))]
        convolutions = [_convolution(*pair, stride=2) for pair in pairwise(widths)]
        convolutions.append(_convolution(widths[-1], LAST_WIDTH, stride=1))
        hidden = [part for layer in convolutions for part in (layer, nn.LeakyReLU(SLOPE))]
        self.model = nn.Sequential(*hidden, _convolution(LAST_WIDTH, 1, stride=1))

    def forward(self, image: Tensor) -> Tensor:
        """B×3×H×W near [-1, 1] to unbounded ratings B×1×h×w; 320×320 to 13×13."""
        return self.model(image)


def _convolution(channels: int, out_channels: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(channels, out_channels, KERNEL, stride, PADDING)
