"""A task: the samples of a dataset in its official layout, their labels and the protocol."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from tasks.darken import Darkening
from tasks.errors import TaskError
from tasks.images import read_label, read_rgb
from tasks.protocol import Protocol, TaskCard


@dataclass(frozen=True)
class Sample:
    """One image and its truth.

    Attributes:
        id: path relative to the dataset's root, without suffix; unique within a task.
        split: e.g. "val" or "test_night".
        image: image file.
        target: class name (classification), label file (segmentation) or normal-light image
            (restoration); None where there is no public truth (submission).
    """

    id: str
    split: str
    image: Path
    target: str | Path | None


@dataclass(frozen=True)
class Task:
    """What is evaluated, and how.

    Attributes:
        name: as in the name grammar, e.g. "darkzurich" or "segmentation:my/folder".
        kind: "classification", "segmentation", "restoration", or "submission": a segmentation
            whose labels are a server's alone.
        samples: in sorted order, split by split; the first split is the one that is reported first.
        protocol: see `Protocol`.
        classes: class names in index order; None when only the evaluator knows them.
        ignore_index: label id that no score counts (segmentation).
        id_table: (256,) int16, stored label id → class index or `ignore_index`; negative is an
            unknown id. None accepts 0…classes−1 and `ignore_index`.
        card: what is published about the dataset; None for a plug-in's task.
        sample_data: True for the procedural scenes that ship with the product.
        darkening: what is done to every image when it is read; None is nothing.
    """

    name: str
    kind: str
    samples: tuple[Sample, ...]
    protocol: Protocol
    classes: tuple[str, ...] | None
    ignore_index: int = 255
    id_table: np.ndarray | None = field(default=None, repr=False, compare=False)
    card: TaskCard | None = None
    sample_data: bool = False
    darkening: Darkening | None = None

    @property
    def data(self) -> str:
        """What the images are: "user", "sample", "darkened" or "darkened sample"."""
        if self.darkening is None:
            return "sample" if self.sample_data else "user"
        return "darkened sample" if self.sample_data else "darkened"

    @property
    def splits(self) -> list[str]:
        """Names of the splits in reporting order."""
        return list(dict.fromkeys(sample.split for sample in self.samples))

    def darkened(self, darkening: Darkening) -> "Task":
        """The same task on the same images, darkened as they are read.

        Raises:
            TaskError: they are dark already (restoration), or of several splits, of which some are.
        """
        if self.kind == "restoration":
            raise TaskError(f"{self.name} has dark images already; nothing to darken")
        if len(self.splits) > 1:
            raise TaskError(
                f"{self.name} has the splits {', '.join(self.splits)}; darken the day images of one"
            )
        return replace(self, darkening=darkening)

    def read_image(self, sample: Sample) -> np.ndarray:
        """Decode an image, (H, W, 3) uint8 RGB, and darken it where the task says so.

        Raises:
            TaskError: see `read_rgb`.
        """
        image = read_rgb(sample.image)
        return self.darkening(image, sample.id) if self.darkening else image

    def read_target(self, sample: Sample) -> np.ndarray:
        """Read a segmentation label as class indices.

        Returns:
            (H, W) int16 with values 0…classes−1 and `ignore_index`.

        Raises:
            TaskError: unreadable file, or an id that the task does not define.
        """
        stored = read_label(Path(sample.target))
        table = self._plain_table() if self.id_table is None else self.id_table
        label = table[stored]
        if (label < 0).any():
            ids = np.unique(stored[label < 0])
            raise TaskError(
                f"{sample.target}: unknown label id {ids[0]} ({int((label < 0).sum())} pixels); "
                f"the task knows 0-{len(self.classes or ()) - 1} and void {self.ignore_index}"
            )
        return label

    def _plain_table(self) -> np.ndarray:
        table = np.full(256, -1, np.int16)
        table[: len(self.classes or ())] = np.arange(len(self.classes or ()))
        table[self.ignore_index] = self.ignore_index
        return table


def require_size(sample: Sample, truth: Sequence[int], image: Sequence[int]) -> None:
    """Raise TaskError unless the truth of shape (H, W, ...) has the (H, W) of its image."""
    if tuple(truth[:2]) != tuple(image[:2]):
        raise TaskError(
            f"{sample.target}: is {truth[1]}x{truth[0]}, its image is {image[1]}x{image[0]}"
        )


@dataclass(frozen=True)
class ClassReader:
    """Callable: a classification sample → its class index as a () int64 tensor."""

    classes: tuple[str, ...]

    def __call__(self, sample: Sample) -> torch.Tensor:
        return torch.tensor(self.classes.index(str(sample.target)))


@dataclass(frozen=True)
class LabelReader:
    """Callable: a segmentation sample → its label as an (H, W) int64 tensor."""

    task: Task

    def __call__(self, sample: Sample) -> torch.Tensor:
        return torch.from_numpy(self.task.read_target(sample).astype(np.int64))
