"""SCI's self-calibrated module (Ma et al., CVPR 2022). Training only."""

from collections.abc import Mapping

from torch import Tensor, nn

from enhancers.sci import initialise
from enhancers.states import drop_copies, load_below

WIDTH = 16
REPEATS = 3


class SelfCalibration(nn.Module):
    """x − sigmoid(conv(f)), f ← f + block(f) three times with one shared block, 16 channels.

    The block is conv-BN-ReLU twice; f starts as ReLU(BN(conv x)). 5,619 parameters.
    """

    def __init__(self) -> None:
        super().__init__()
        self.in_conv = nn.Sequential(*_conv_norm(3))
        self.convs = nn.Sequential(*_conv_norm(WIDTH), *_conv_norm(WIDTH))
        self.out_conv = nn.Sequential(nn.Conv2d(WIDTH, 3, 3, padding=1), nn.Sigmoid())
        initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        """B×3×H×W in [0, 1] to the calibration residual, B×3×H×W in [-1, 1]."""
        feature = self.in_conv(image)
        for _ in range(REPEATS):
            feature = feature + self.convs(feature)
        return image - self.out_conv(feature)

    def load_released(self, state: Mapping[str, Tensor]) -> None:
        """Load `calibrate.*` of the authors' checkpoint; EnhancerError where it does not fit."""
        state = drop_copies(state, "calibrate.convs.", "calibrate.blocks.")
        load_below(self, state, "calibrate.")


def _conv_norm(inputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, WIDTH, 3, padding=1), nn.BatchNorm2d(WIDTH), nn.ReLU()]
