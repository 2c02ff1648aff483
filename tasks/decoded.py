"""Reading training images fast: each is decoded once, as far as memory allows."""

from pathlib import Path

import numpy as np
from PIL import Image
from torch.utils.data import get_worker_info

from tasks.errors import TaskError
from tasks.images import read_rgb

BUDGET = 2 * 1024**3
"""Bytes of decoded images kept in memory by all reading processes of a rank together."""


class Images:
    """`images(path)`: H×W×3 uint8 RGB, resized to `side`×`side` if that is given.

    Decoded images are kept until the share of `budget` is full that each reading process has; the
    rest is decoded every time. Files are drawn at random with equal chance, so that no other
    choice of what to keep would be hit more often. Arrays (.npy) are mapped, not read: only the
    pages of a crop are.
    """

    def __init__(self, side: int | None = None, budget: int = BUDGET) -> None:
        self.side, self.budget = side, budget
        self._kept: dict[Path, np.ndarray] = {}
        self._bytes = 0

    def __call__(self, path: Path) -> np.ndarray:
        """TaskError for a file that cannot be read, or an array of another kind."""
        if path in self._kept:
            return self._kept[path]
        pixels = read_array(path) if path.suffix == ".npy" else read_rgb(path)
        if self.side is not None:
            pixels = _resized(pixels, self.side)
        elif path.suffix == ".npy":
            return pixels
        worker = get_worker_info()
        if self._bytes + pixels.nbytes <= self.budget // (worker.num_workers if worker else 1):
            self._kept[path] = pixels
            self._bytes += pixels.nbytes
        return pixels


def read_array(path: Path) -> np.ndarray:
    """Map an .npy file of BGR pixels; H×W×3 uint8 RGB. TaskError if it holds anything else."""
    try:
        pixels = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except FileNotFoundError:
        raise TaskError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError) as error:
        raise TaskError(f"{path}: cannot be read as an array ({error})") from None
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        shape = "×".join(map(str, pixels.shape))
        raise TaskError(f"{path}: holds {shape} {pixels.dtype}, expected H×W×3 uint8 (BGR)")
    return pixels[..., ::-1]


def _resized(pixels: np.ndarray, side: int) -> np.ndarray:
    if pixels.shape[:2] == (side, side):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS))
