"""The stream of training samples: item i is a function of (seed, i) and of nothing else.

Global batch s of B samples is items s·B to s·B + B − 1, so a stream may be entered at any step, and
R ranks share a batch: rank r takes its r-th block of B/R items, in order.
"""

import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler, default_collate

from tasks.augmentation import Augmentation
from tasks.decoded import BUDGET, Images
from tasks.errors import TaskError
from tasks.loading import Batches
from tasks.pairs import Pair, TrainingSet


class TrainingSample(NamedTuple):
    """A training sample, or a batch of them: then B×3×H×W, and B indices.

    Attributes:
        low: 3×H×W float32 RGB in [0, 1].
        normal: its partner, as large; of an unpaired set a sample drawn by itself; None without.
        index: place in the stream, the same whatever the ranks.
    """

    low: Tensor
    normal: Tensor | None
    index: int | Tensor


class Stream(Dataset[TrainingSample]):
    """`length` random samples of a training set.

    Sample i is drawn by default_rng((seed, i)): which image, then what `Augmentation.draw` draws;
    for an unpaired set then both once more for the normal-light image.

    Items raise TaskError: unreadable file, partners of different size, image smaller than the crop.
    """

    def __init__(
        self,
        data: TrainingSet,
        augmentation: Augmentation,
        length: int,
        seed: int,
        budget: int = BUDGET,
    ) -> None:
        self.augmentation, self.length, self.seed = augmentation, length, seed
        self.images = Images(augmentation.resize, budget)
        # Lists of files that are drawn from together, at one place in all of them.
        sides = [data.low, data.normal] if data.normal else [data.low]
        self.draws = [sides] if data.paired else [[side] for side in sides]

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> TrainingSample:
        rng = np.random.default_rng((self.seed, index))
        low, *normal = [image for sides in self.draws for image in self._drawn(rng, sides)]
        return TrainingSample(low, normal[0] if normal else None, index)

    def _drawn(self, rng: np.random.Generator, sides: Sequence[Sequence[Path]]) -> list[Tensor]:
        place = rng.integers(len(sides[0]))
        paths = [side[place] for side in sides]
        images = [self.images(path) for path in paths]
        _require_equal(paths, images)
        _require_room(paths[0], images[0], self.augmentation.crop)
        return [_tensor(image) for image in self.augmentation.draw(rng, *images)]


class RankSampler(Sampler[int]):
    """Indices of rank `rank` of `ranks`, for the steps from `start` up to `stop`.

    TaskError when the ranks cannot share the batch equally.
    """

    def __init__(self, batch: int, stop: int, start: int = 0, rank: int = 0, ranks: int = 1):
        if batch % ranks:
            raise TaskError(f"{ranks} ranks cannot share a batch of {batch} equally")
        self.batch, self.steps, self.share = batch, range(start, stop), batch // ranks
        self.rank = rank

    def __len__(self) -> int:
        return len(self.steps) * self.share

    def __iter__(self) -> Iterator[int]:
        for step in self.steps:
            first = step * self.batch + self.rank * self.share
            yield from range(first, first + self.share)


def batches(
    stream: Dataset, *, batch: int, start: int = 0, rank: int = 0, ranks: int = 1, workers: int = 2
) -> Batches:
    """The stream from step `start` on, in global batches of `batch`: rank's share of each, joined.

    Neither the workers nor the start change a sample. torch's global generator stays untouched,
    and workers leave SIGINT to the training.

    Raises:
        TaskError: see RankSampler; while iterating, see Stream.
    """
    sampler = RankSampler(batch, len(stream) // batch, start, rank, ranks)
    return _loader(stream, batch_size=sampler.share, sampler=sampler, num_workers=workers)


def whole(pairs: Sequence[Pair]) -> Batches:
    """Pairs for validation, in order, one at a time: whole images, kept as `Images` does.

    TaskError while iterating: unreadable file, or partners of different size.
    """
    return _loader(_Whole(pairs), batch_size=1)


class _Whole(Dataset[TrainingSample]):
    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.pairs, self.images = pairs, Images()

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> TrainingSample:
        paths = [self.pairs[index].low, self.pairs[index].normal]
        images = [self.images(path) for path in paths]
        _require_equal(paths, images)
        return TrainingSample(*map(_tensor, images), index)


def _loader(data: Dataset[TrainingSample], **options) -> Batches:
    # Without a generator of its own, DataLoader would draw from the one that training resumes.
    options |= {"generator": torch.Generator(), "worker_init_fn": _ignore_interrupt}
    return Batches(data, collate=_joined, **options)


def _ignore_interrupt(_worker: int) -> None:
    # Ctrl-C reaches the whole process group; the training ends by itself, after its step.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _joined(samples: list[tuple]) -> tuple:
    """A batch of named tuples, field by field."""
    return type(samples[0])(*map(_stacked, zip(*samples, strict=True)))


def _stacked(values: Sequence[Any]) -> Tensor | None:
    if values[0] is None:
        return None
    if isinstance(values[0], Tensor) and len({value.shape for value in values}) > 1:
        raise TaskError("images of different size cannot be joined in a batch: set crop or resize")
    # Not torch.stack: in a worker process this writes straight into shared memory.
    return default_collate(list(values))


def _require_equal(paths: Sequence[Path], images: Sequence[np.ndarray]) -> None:
    if len({image.shape for image in images}) > 1:
        raise TaskError(f"{paths[0]}: and its partner {paths[1]} differ in size")


def _require_room(path: Path, image: np.ndarray, crop: int | None) -> None:
    height, width = image.shape[:2]
    if crop is not None and min(height, width) < crop:
        raise TaskError(f"{path}: is {width}x{height}, smaller than the crop {crop}")


def _tensor(image: np.ndarray) -> Tensor:
    scaled = np.divide(image.transpose(2, 0, 1), np.float32(255), dtype=np.float32, order="C")
    return torch.from_numpy(scaled)
