"""Cells with their data, their folders and their identities."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.batch.cells import Cell, TaskSpec
from pipeline.batch.evidence import Bed, bed, enhancer_identity
from pipeline.batch.identity import canonical, identity_of
from pipeline.chain import default_batch
from pipeline.errors import NotDownloaded, PipelineError, one_line, user_errors
from pipeline.folders import darkened_folder, enhancer_folder


@dataclass(frozen=True)
class Planned:
    """A cell that can run.

    Attributes:
        folder: where its files lie.
        chunk: images of a forward pass.
    """

    cell: Cell
    bed: Bed
    folder: Path
    identity: dict[str, Any]
    chunk: int

    @property
    def images(self) -> int:
        """How many there are."""
        return len(self.bed.task.samples)

    def __str__(self) -> str:
        parent = self.folder.parent
        return f"{self.folder.name} on {parent.parent.name}/{parent.name}"


@dataclass(frozen=True)
class Blocked:
    """A cell that cannot run as things are.

    Attributes:
        task: what is wrong with the task's data or evaluator; None if nothing.
        weights: the same of the enhancer's weights.
    """

    cell: Cell
    task: Exception | None
    weights: Exception | None

    @property
    def reasons(self) -> list[Exception]:
        """Both."""
        return [error for error in (self.task, self.weights) if error]

    @property
    def reason(self) -> str:
        """In a line."""
        return "; ".join(map(one_line, self.reasons))

    @property
    def fetches(self) -> bool:
        """Whether all that it lacks are files that a run downloads."""
        return all(isinstance(error, NotDownloaded) for error in self.reasons)

    def __str__(self) -> str:
        return str(self.cell)


def plan(cells: Sequence[Cell], out: Path, fetch: bool = True) -> list[Planned | Blocked]:
    """Find what every cell needs; `fetch` downloads listed weights that are not here.

    Raises:
        PipelineError: two cells would share a folder.
    """
    beds: dict[TaskSpec, Bed | Exception] = {}
    for cell in cells:
        if cell.task not in beds:
            beds[cell.task] = _bed(cell.task, fetch)
    planned = [_planned(cell, beds[cell.task], out, fetch) for cell in cells]
    folders: dict[Path, Cell] = {}
    for one in planned:
        if isinstance(one, Planned):
            if one.folder in folders:
                raise PipelineError(
                    f"{one.cell} is there twice, with other settings; both belong to {one.folder}, "
                    "which is named by file names: rename a weights, class map or protocol file"
                )
            folders[one.folder] = one.cell
    return planned


def groups(planned: Sequence[Planned]) -> Iterator[list[Planned]]:
    """Cells of one enhancer on the same images, whose enhancement is computed once."""
    found: dict[str, list[Planned]] = {}
    for one in planned:
        images = [f"{sample.id}\0{sample.image}" for sample in one.bed.task.samples]
        images.append(str(one.bed.task.darkening))
        key = canonical({**one.identity["enhancer"], **one.identity["numerics"]}) + str(images)
        found.setdefault(key, []).append(one)
    yield from found.values()


def _bed(spec: TaskSpec, fetch: bool) -> Bed | Exception:
    try:
        return bed(spec, fetch)
    except (*user_errors(), OSError) as error:
        return error


def _planned(cell: Cell, found: Bed | Exception, out: Path, fetch: bool) -> Planned | Blocked:
    blocked = found if isinstance(found, Exception) else None
    sample = cell.task.sample if blocked else found.task.sample_data
    try:
        enhancer = enhancer_identity(cell.enhancer, sample, cell.options, fetch)
    except (*user_errors(), OSError) as error:
        return Blocked(cell, blocked, error)
    if blocked:
        return Blocked(cell, blocked, None)
    parent = darkened_folder(out, found.task, found.known)
    folder = parent / enhancer_folder(cell.enhancer, cell.amp)
    chunk = cell.chunk or default_batch(found.task)
    identity = identity_of(enhancer, found.identity, cell.amp, chunk)
    return Planned(cell, found, folder, identity, chunk)
