"""The batches of a training, read ahead by processes that no signal reaches."""

import time
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from torch.utils.data import Dataset

from pipeline.ranks import Ranks
from pipeline.signals import held_back
from tasks.stream import batches


class Feed:
    """This rank's batches of a stream from step `start` on, the same whenever it starts.

    Iterated once, and closed then. `dataset` is there for mmengine.
    """

    def __init__(
        self, stream: Dataset, *, batch: int, start: int, ranks: Ranks, workers: int
    ) -> None:
        self.dataset = stream
        self._since, self._waited = time.perf_counter(), 0.0
        self._batches = batches(
            stream,
            batch=batch,
            start=start,
            rank=ranks.rank,
            ranks=ranks.size,
            workers=workers,
        )
        self._source: Iterator[Any] = iter(())

    def __iter__(self) -> "Feed":
        source = iter(self._batches)
        # The reading processes start with the first batch; what is held back here stays so in them.
        with held_back():
            first = list(islice(source, 1))
        self._source = chain(first, source)
        return self

    def __next__(self) -> Any:
        before = time.perf_counter()
        try:
            return next(self._source)
        finally:
            self._waited += time.perf_counter() - before

    def pace(self, steps: int) -> dict[str, float]:
        """Seconds a step, and the share of them spent waiting, over the last `steps` steps."""
        now = time.perf_counter()
        seconds = now - self._since
        shown = {"seconds": seconds / steps, "waiting": self._waited / seconds}
        self._since, self._waited = now, 0.0
        return shown

    def close(self) -> None:
        """End the reading processes; those of the next feed would inherit what is left of them."""
        self._source = iter(())
