"""The stream of labelled training images: item i is a function of (seed, i) and of nothing else."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.tv_tensors import Mask

from tasks.cityscapes import VOID
from tasks.errors import TaskError
from tasks.labelled_augmentation import LabelledAugmentation
from tasks.task import ClassReader, LabelReader, Sample, Task, require_size


class Labelled(NamedTuple):
    """A training image, or a batch of them: then B×3×H×W, and B targets.

    Attributes:
        image: 3×H×W uint8 RGB.
        target: a class index, or H×W uint8 class indices and 255 for void.
        index: place in the stream, the same whatever the ranks.
    """

    image: Tensor
    target: Tensor
    index: int | Tensor


class LabelledStream(Dataset[Labelled]):
    """`length` images of a task: epoch after epoch without a gap, each in an order of its own.

    Epoch e is default_rng((seed, e)).permutation(N); the augmentation of image n in it is drawn by
    torch's CPU generator, seeded from (seed, e, n) and put back.

    Items raise TaskError: unreadable file, label of another size, image smaller than the crop.
    """

    def __init__(
        self, task: Task, augmentation: LabelledAugmentation, length: int, seed: int
    ) -> None:
        self.task, self.augmentation = task, augmentation
        self.length, self.seed = length, seed
        self.transform = augmentation.transform()
        self.read_target = reader(task)
        self._order: tuple[int, np.ndarray] = (-1, np.empty(0, int))

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Labelled:
        epoch, place = divmod(index, len(self.task.samples))
        number = int(self._epoch(epoch)[place])
        sample = self.task.samples[number]
        image, target = self.task.read_image(sample), self.read_target(sample)
        if target.ndim:
            require_size(sample, target.shape, image.shape)
            target = target.where(target != self.task.ignore_index, VOID).to(torch.uint8)
        try:
            picture, target = self.augmentation.resized(image, target)
        except TaskError as error:
            raise TaskError(f"{sample.image}: {error}") from None
        with torch.random.fork_rng(devices=[]):
            drawn = np.random.default_rng((self.seed, epoch, number)).integers(2**63)
            # Not torch.manual_seed, which would seed a GPU's generator as well.
            torch.default_generator.manual_seed(int(drawn))
            if target.ndim:
                picture, mask = self.transform(picture, Mask(target))
                target = mask.as_subclass(Tensor)
            else:
                picture = self.transform(picture)
        pixels = np.array(picture).transpose(2, 0, 1)
        return Labelled(torch.from_numpy(np.ascontiguousarray(pixels)), target, index)

    def _epoch(self, epoch: int) -> np.ndarray:
        if self._order[0] != epoch:
            rng = np.random.default_rng((self.seed, epoch))
            self._order = epoch, rng.permutation(len(self.task.samples))
        return self._order[1]


def reader(task: Task) -> Callable[[Sample], Tensor]:
    """A sample → its class index, or its label map."""
    if task.kind == "classification":
        return ClassReader(task.classes or ())
    return LabelReader(task)
