"""Real data of the shared folder, and a small network that stands for any enhancer."""

from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

# The synthetic weights give values up to 47, of which another CPU's order of sums alone can change
# more than 1e-5.
LARGE_VALUES = ("lednet_synthweights/*_out", "enlightengan_synthweights/*")

# Networks and images here are so small that a second thread costs more than it gives.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def crop(shared: Path) -> Tensor:
    """The parity input, 1×3×97×113."""
    return read_image(shared / "reference/inputs/crop_113x97.png")


@pytest.fixture(scope="session")
def loss_input(shared: Path) -> Tensor:
    """The input of the authors' loss values, 1×3×256×256."""
    return read_image(shared / "data/LOL/eval15/low/1.png")[..., :256, :256]


@pytest.fixture
def weights(shared: Path):
    """weights("sci/easy.pt"): a released state dict."""
    folder = shared / "reference/weights"
    return lambda name: torch.load(folder / name, map_location="cpu", weights_only=True)


@pytest.fixture
def reference(shared: Path):
    """reference("sci/crop_113x97_easy_out"): an output of the authors' code."""
    folder = shared / "reference/outputs"
    return lambda name: torch.from_numpy(np.load(folder / f"{name}.npy"))


@pytest.fixture
def two_threads():
    """The references were computed with two: with one, oneDNN sums in another order."""
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


@pytest.fixture
def parity(reference):
    """parity(value, "sci/crop_113x97_easy_out"): assert that the authors' code gave the same.

    max |ours − released| ≤ 1e-5; for LARGE_VALUES ≤ 5e-6 of the largest value, where that is more.
    """

    def check(value: Tensor, name: str) -> None:
        released = reference(name)
        assert value.shape == released.shape
        deviation = (value - released).abs().max().item()
        DEVIATIONS[name] = max(deviation, DEVIATIONS.get(name, 0.0))
        allowed = 1e-5
        if any(fnmatch(name, pattern) for pattern in LARGE_VALUES):
            allowed = max(allowed, 5e-6 * released.abs().max().item())
        assert deviation <= allowed, name

    return check


DEVIATIONS: dict[str, float] = {}


def pytest_terminal_summary(terminalreporter) -> None:
    """The measured deviations, for whoever doubts them."""
    if DEVIATIONS:
        terminalreporter.section("max |ours − released|")
    for name, deviation in sorted(DEVIATIONS.items()):
        terminalreporter.write_line(f"{deviation:.1e}  {name}")


def read_image(path: Path) -> Tensor:
    rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    return torch.from_numpy(rgb).permute(2, 0, 1)[None] / 255


class ToyOutput(NamedTuple):
    image: Tensor


class ToyNetwork(nn.Module):
    """Encoder and decoder with BatchNorm; counts its encoder passes."""

    def __init__(self, channels: int = 4, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, channels, 3, stride=stride, padding=1)
        self.norm = nn.BatchNorm2d(channels)
        self.last = nn.Conv2d(channels, 3, 1)
        self.passes = 0

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]:
        self.passes += 1
        return torch.tanh(self.norm(self.first(image))), image

    def decode(self, feature: Tensor, context: Tensor) -> ToyOutput:
        change = nn.functional.interpolate(self.last(feature), context.shape[-2:])
        return ToyOutput(torch.sigmoid(change + context))


@pytest.fixture
def toy_class() -> type[ToyNetwork]:
    return ToyNetwork
