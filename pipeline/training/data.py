"""Training data of a command line: which set, in which order, and what identifies it."""

import hashlib
import time
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.factory import dataset_root
from pipeline.sample import sample_folder
from pipeline.training.ranks import Ranks
from pipeline.training.recipe import Data
from pipeline.training.signals import held_back
from tasks.pairs import TrainingSet
from tasks.stream import Sample, Stream, batches
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


class Feed:
    """This rank's batches of a set from step `start` to `steps`, the same whenever it starts.

    Iterated once, and closed then. `waited` is for how many seconds training has waited for a
    batch; `dataset` is there for mmengine.
    """

    def __init__(
        self, data: TrainingSet, options: Data, steps: int, seed: int, start: int, ranks: Ranks
    ) -> None:
        self.dataset = Stream(data, options.augmentation(), options.batch * steps, seed)
        self.waited = 0.0
        self._batches = batches(
            self.dataset,
            batch=options.batch,
            start=start,
            rank=ranks.rank,
            ranks=ranks.size,
            workers=options.workers,
        )
        self._source: Iterator[Sample] = iter(())

    def __iter__(self) -> "Feed":
        source = iter(self._batches)
        # The reading processes start with the first batch; what is held back here stays so in them.
        with held_back():
            first = list(islice(source, 1))
        self._source = chain(first, source)
        return self

    def __next__(self) -> Sample:
        before = time.perf_counter()
        try:
            return next(self._source)
        finally:
            self.waited += time.perf_counter() - before

    def close(self) -> None:
        """End the reading processes; those of the next feed would inherit what is left of them."""
        self._source = iter(())
