"""Weights for networks whose released ones are not at hand: each key seeds its own."""

import math
from collections.abc import Mapping, Sequence
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

UNTOUCHED = ("num_batches_tracked", ".filt")


def synthetic_state(shapes: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """float32 state dict of the recipe in ENHANCERS.md, without the keys that it leaves alone."""
    return {
        key: torch.from_numpy(_draw(key, tuple(shape)).astype(np.float32))
        for key, shape in shapes.items()
        if not key.endswith(UNTOUCHED)
    }


def _draw(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """Values of one key; its name alone seeds them."""
    random = np.random.RandomState(crc32(key.encode()))
    name = key.rpartition(".")[2]
    if name == "weight" and len(shape) >= 2:
        return random.normal(0, math.sqrt(2 / math.prod(shape[1:])), shape)
    if name == "weight":
        return random.uniform(*((0.1, 0.3) if math.prod(shape) == 1 else (0.8, 1.2)), shape)
    if name == "running_var":
        return random.uniform(0.5, 1.5, shape)
    return random.normal(0, 0.05, shape)
