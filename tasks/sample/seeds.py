"""One random generator for each image, so that any image can be rendered alone."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, split: str, index: int) -> np.random.Generator:
    """Return the generator of image `index` of `split` in the set with `seed` (both ≥ 0)."""
    # crc32, because Python's own hash of a string changes from run to run.
    return np.random.default_rng([seed, zlib.crc32(split.encode()), index])
