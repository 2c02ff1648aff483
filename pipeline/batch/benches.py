"""The benches of cells, which share frozen models."""

from dataclasses import replace

from pipeline.batch.cells import TaskSpec
from pipeline.batch.plan import Planned
from pipeline.runner import Bench, prepare
from tasks.evaluators import create_evaluator


class Benches:
    """Loads each bench once; those that differ in darkening or protocol alone share their model."""

    def __init__(self) -> None:
        self._loaded: dict[TaskSpec, Bench] = {}

    def of(self, one: Planned) -> Bench:
        """The task of a cell joined to its evaluator; errors as `prepare`."""
        spec = one.cell.task
        if spec not in self._loaded:
            self._loaded[spec] = self._of_same_model(one) or _load(one)
        return self._loaded[spec]

    def _of_same_model(self, one: Planned) -> Bench | None:
        spec, task = one.cell.task, one.bed.task
        for other, known in self._loaded.items():
            same = replace(other, darken=spec.darken, protocol=spec.protocol) == spec
            if same and task.kind != "restoration":
                evaluator = create_evaluator(known.evaluator.model, task)
                return Bench(evaluator, known.evaluator_provenance, one.bed.dataset)
        return None


def _load(one: Planned) -> Bench:
    spec = one.cell.task
    return prepare(
        one.bed.task, spec.evaluator, spec.evaluator_weights, spec.class_map, one.bed.dataset
    )
