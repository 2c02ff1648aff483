"""What cells share while they run: loaded models, the device, the ranks, the wish to stop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch

from pipeline.batch.benches import Benches
from pipeline.batch.identity import canonical
from pipeline.batch.plan import Planned
from pipeline.batch.progress import Shown
from pipeline.cache import Cached, Store
from pipeline.chain import ChainOptions, Enhance
from pipeline.errors import PipelineError, one_line
from pipeline.factory import Loaded, load_enhancer
from pipeline.own.images import ImageFolder
from pipeline.provenance import environment
from pipeline.ranks import Ranks
from pipeline.runner import Bench
from pipeline.signals import Stop

T = TypeVar("T")


@dataclass
class Session:
    """One process of a batch.

    An enhancer is loaded once and kept for as long as its cells follow each other; an evaluator is
    kept to the end.
    """

    device: torch.device
    workers: int
    ranks: Ranks
    stop: Stop
    shown: Shown
    store: Store | None = None
    _enhancer: tuple[str, Loaded] | None = None
    _benches: Benches = field(default_factory=Benches)

    def enhancer(self, one: Planned) -> Loaded:
        """The enhancer of a cell, on the device.

        Raises:
            PipelineError: its weights are no longer those of the plan.
        """
        key = canonical(one.identity["enhancer"])
        if self._enhancer is None or self._enhancer[0] != key:
            # The one before goes first: two need not fit.
            self._enhancer = None
            sample = one.bed.task.sample_data
            loaded = load_enhancer(one.cell.enhancer, sample=sample, **one.cell.options)
            planned = one.identity["enhancer"].get("weights")
            if planned and loaded.weights["sha256"] != planned:
                raise PipelineError(f"{one.cell.enhancer}: its weights changed meanwhile")
            loaded.model.to(self.device)
            self._enhancer = key, loaded
        return self._enhancer[1]

    def enhance(self, cells: Sequence[Planned]) -> Enhance:
        """The enhancer of cells that share their images, with the cache where they can use it."""
        model, one = self.enhancer(cells[0]).model, cells[0]
        protocols = [cell.bed.task.protocol for cell in cells]
        rounded = all(p.eight_bit == "round" and not p.match_brightness for p in protocols)
        # Entries are 8-bit levels; and files that are there already are no use twice.
        if self.store is None or not rounded or isinstance(model, ImageFolder):
            return model
        machine = environment(self.device)
        identity = {
            **{part: one.identity[part] for part in ("enhancer", "numerics")},
            **{part: machine[part] for part in ("packages", "hardware")},
        }
        return Cached(model, self.store, canonical(identity), self.shown.say)

    def bench(self, one: Planned) -> Bench:
        """The task of a cell with its evaluator, on the device; errors as `enhancer`."""
        found = self._benches.of(one)
        planned = one.identity["evaluator"].get("weights")
        if planned and found.evaluator_provenance["sha256"] != planned:
            raise PipelineError(f"{one.cell.task.task}: its evaluator changed meanwhile")
        found.evaluator.to(self.device)
        return found

    def options(self, one: Planned) -> ChainOptions:
        """How a cell goes through the chain."""
        return ChainOptions(self.device, one.cell.amp, one.chunk, self.workers)

    def together(self, act: Callable[[], T]) -> Sequence[T]:
        """What `act` gives on every rank; where it fails on one, it fails on all."""
        value: Any = None
        failure: Exception | None = None
        try:
            value = act()
        except Exception as error:
            failure = error
        found = self.ranks.gather((value, failure and one_line(failure)))
        if failure:
            try:
                raise failure
            finally:
                # It knows this frame: only by itself does it go as soon as it is dealt with.
                del failure
        for _, reason in found:
            if reason is not None:
                raise PipelineError(reason)
        return [value for value, _ in found]
