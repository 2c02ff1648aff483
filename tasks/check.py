"""Checking a dataset: every image and label is read, and what is wrong is named."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.errors import TaskError
from tasks.images import read_rgb
from tasks.task import Sample, Task, require_size


@dataclass(frozen=True)
class Report:
    """What was found: `facts` for information, `problems` to put right; lines for people."""

    facts: list[str]
    problems: list[str]


def check(task: Task) -> Report:
    """Read every image and label of a task; the layout was checked when the task was made."""
    problems = list(_count_problems(task))
    sizes: Counter[tuple[int, int]] = Counter()
    pixels = np.zeros(256, np.int64)
    for sample in task.samples:
        try:
            height, width = read_rgb(sample.image).shape[:2]
            sizes[(width, height)] += 1
            if task.kind == "restoration":
                require_size(sample, read_rgb(Path(sample.target)).shape, (height, width))
            if task.kind == "segmentation":
                pixels += _label_histogram(task, sample, (height, width))
        except TaskError as error:
            problems.append(str(error))
    problems += [f"{path}: label without an image" for path in _labels_alone(task)]
    return Report(list(_facts(task, sizes, pixels)), problems)


def _label_histogram(task: Task, sample: Sample, size: tuple[int, int]) -> np.ndarray:
    label = task.read_target(sample)
    require_size(sample, label.shape, size)
    return np.bincount(label.ravel(), minlength=256)


def _labels_alone(task: Task) -> list[Path]:
    """Label files beside the task's own, of the same kind, that belong to no image."""
    if task.kind != "segmentation":
        return []
    used = {Path(sample.target) for sample in task.samples}
    kind = "_" + next(iter(used)).name.rpartition("_")[2]
    folders = sorted({path.parent for path in used})
    return [p for f in folders for p in sorted(f.glob(f"*{kind}")) if p not in used]


def left_out(task: Task) -> list[str]:
    """In one line, if there is any, what no score can count though somebody may think it does."""
    left = [*_no_images(task)]
    if not left:
        return []
    return [f"left out, for they are no images: {len(left)} files or folders, e.g. {left[0]}"]


def _no_images(task: Task) -> Iterator[Path]:
    """What lies beside the images, or beside the folders of classes, and is none."""
    used = {sample.image for sample in task.samples}
    folders = {image.parent for image in used}
    if task.kind == "classification":
        folders |= {one for f in folders for one in f.parent.iterdir() if one.is_dir()}
    for folder in sorted(folders):
        inside = sorted(one for one in folder.iterdir() if not one.name.startswith("."))
        yield from (one for one in inside if one not in used)
        if not inside:
            yield folder


def _count_problems(task: Task) -> Iterator[str]:
    if task.card is None or task.sample_data:
        return
    found = Counter(sample.split for sample in task.samples)
    for split, official in task.card.splits.items():
        if found[split] != official:
            yield f"{split}: {found[split]} images, the official split has {official}"
    folders = {sample.image.parent.name for sample in task.samples}
    if task.card.sequence and folders != {task.card.sequence}:
        here = ", ".join(sorted(folders))
        yield f"the official split is the sequence {task.card.sequence}, here: {here}"


def _facts(task: Task, sizes: Counter, pixels: np.ndarray) -> Iterator[str]:
    for split, count in Counter(sample.split for sample in task.samples).items():
        yield f"{split}: {count} images"
    yield from left_out(task)
    for (width, height), count in sizes.most_common(3):
        yield f"size {width}x{height}: {count} images"
    if task.kind == "classification":
        present = {sample.target for sample in task.samples}
        yield f"classes with images: {len(present)}"
        missing = [name for name in task.classes or () if name not in present]
        if missing:
            yield f"classes without images: {', '.join(missing)}"
    elif task.kind == "segmentation" and (total := pixels.sum()):
        yield f"void: {100 * pixels[task.ignore_index] / total:.1f} % of pixels"
        absent = [n for i, n in enumerate(task.classes or ()) if not pixels[i]]
        yield f"classes without pixels: {', '.join(absent) or 'none'}"
