"""Paired low-light training data: LOL's layout, read as random crops."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from tasks.errors import TaskError
from tasks.images import image_files, read_rgb
from tasks.loading import Batches


@dataclass(frozen=True)
class Pair:
    """A low-light image and the normal-light image of the same scene."""

    low: Path
    normal: Path


def lol_pairs(root: Path, split: str = "our485") -> list[Pair]:
    """Pairs of `root/split/{low,high}`, matched by stem, whatever the format.

    Raises:
        TaskError: a folder is missing or empty, or a file has no partner.
    """
    if not (root / split).is_dir():
        raise TaskError(f"{root}: has no {split}/; expected {split}/low and {split}/high (LOL)")
    return paired_files(root / split)


def paired_files(folder: Path) -> list[Pair]:
    """Pairs of `folder/{low,high}`, matched by stem, whatever the format; errors as `lol_pairs`."""
    low, high = ({f.stem: f for f in image_files(folder / name)} for name in ("low", "high"))
    if not low:
        raise TaskError(f"{folder / 'low'}: no images")
    alone = sorted(low.keys() ^ high.keys())
    if alone:
        raise TaskError(
            f"{folder}: {len(alone)} files have no partner in low/ and high/: "
            f"{', '.join(alone[:5])}{', …' if len(alone) > 5 else ''}"
        )
    return [Pair(low[stem], high[stem]) for stem in sorted(low)]


def crops(
    pairs: list[Pair], *, crop: int, batch: int, steps: int, seed: int, workers: int = 2
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Random crops with random flips, drawn from `seed` alone, whatever the number of workers.

    Yields:
        `steps` times (low, normal), each (batch, 3, crop, crop) float32 RGB in [0, 1].

    Raises:
        TaskError: unreadable image, partners of different size, or an image smaller than `crop`.
    """
    data = _Crops(pairs, crop, batch * steps, seed)
    yield from Batches(data, batch_size=batch, num_workers=workers)


class _Crops(Dataset):
    def __init__(self, pairs: list[Pair], crop: int, length: int, seed: int) -> None:
        self.pairs, self.crop, self.length, self.seed = pairs, crop, length, seed

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng((self.seed, index))
        pair = self.pairs[rng.integers(len(self.pairs))]
        low, normal = read_rgb(pair.low), read_rgb(pair.normal)
        height, width = low.shape[:2]
        if normal.shape != low.shape:
            raise TaskError(f"{pair.low}: and its partner {pair.normal} differ in size")
        if min(height, width) < self.crop:
            raise TaskError(f"{pair.low}: is {width}x{height}, smaller than the crop {self.crop}")
        top, left = rng.integers(height - self.crop + 1), rng.integers(width - self.crop + 1)
        across, down = rng.integers(2, size=2)
        window = np.s_[top : top + self.crop, left : left + self.crop]
        flip = np.s_[:: -1 if down else 1, :: -1 if across else 1]
        return _tensor(low[window][flip]), _tensor(normal[window][flip])


def _tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image.transpose(2, 0, 1).copy()).float().div_(255)
