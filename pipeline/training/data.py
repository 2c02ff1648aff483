"""Training data of a command line: which set, in which order, and what identifies it."""

import hashlib
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.factory import dataset_root
from pipeline.sample import sample_folder
from tasks.pairs import TrainingSet
from tasks.training_sets import LAYOUTS, training_set


def find_set(name: str, root: str | Path | None) -> TrainingSet:
    """The training set of a name: a layout of `tasks.training_sets`, or sample.

    Raises:
        PipelineError, TaskError: unknown, not there, or not complete.
    """
    if name == "sample":
        if root:
            raise PipelineError("--data sample brings its own data; leave --root out")
        return training_set("lol", sample_folder("train") / "pairs")
    if name not in LAYOUTS:
        raise PipelineError(
            f"unknown training data '{name}'; there are {', '.join((*LAYOUTS, 'sample'))}"
        )
    return training_set(name, Path(root) if root else dataset_root(name))


def identity(data: TrainingSet, name: str) -> dict[str, Any]:
    """What tells a set from another one: numbers, and a hash over names and sizes of all files."""
    files = (*data.low, *data.normal, *(f for p in data.held_out for f in (p.low, p.normal)))
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.parent.name}/{file.name}\0{file.stat().st_size}\n".encode())
    return {
        "name": name,
        "low": len(data.low),
        "normal": len(data.normal),
        "paired": data.paired,
        "held_out": len(data.held_out),
        "sha256": digest.hexdigest(),
    }
