"""Cells run, each under its lock, and their results written."""

import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from pipeline.batch.chunks import Measured, measured_chunks
from pipeline.batch.identity import digest
from pipeline.batch.plan import Planned, groups
from pipeline.batch.records import Chunk, Records, Totals
from pipeline.batch.session import Session
from pipeline.batch.state import RESULT, locked, now, standing, write_status
from pipeline.chain import cut
from pipeline.errors import one_line, user_errors
from pipeline.files import remove_unfinished, sha256
from pipeline.panels import PANELS, forget_panels
from pipeline.runner import provenance_of
from pipeline.summary import summarise

TRACEBACK = "traceback.txt"


class Stopped(Exception):
    """A signal asked to end; what is recorded stays."""


def run_cells(
    session: Session, planned: Sequence[Planned], retry_failed: bool, fail_fast: bool
) -> bool:
    """Run what is not done and in no other process, enhancer by enhancer.

    Returns:
        False where a failure was the end, with `fail_fast`.

    Raises:
        Stopped: a signal, after the chunk that was running.
    """
    for group in groups(planned):
        with ExitStack() as locks:
            todo = [
                index
                for index, one in enumerate(group)
                if session.ranks.first and _take(one, locks, retry_failed)
            ]
            # The first rank holds the locks and the files, and decides.
            todo = session.ranks.gather(todo)[0]
            done = _attempt(session, [group[index] for index in todo]) if todo else True
        if fail_fast and not done:
            return False
    return True


def _take(one: Planned, locks: ExitStack, retry_failed: bool) -> bool:
    """Lock a cell that has to be run; one that has not is left as it is."""
    if standing(one).state == "done" or not locks.enter_context(locked(one.folder)):
        return False
    # Looked at again: another process may have finished it in between.
    state = standing(one).state
    return state != "done" and (state != "failed" or retry_failed)


def _attempt(session: Session, cells: Sequence[Planned]) -> bool:
    """Run cells of a group; whether all are done. A failure is found in each cell by itself."""
    try:
        _run(session, cells)
        return True
    except Stopped:
        raise
    except Exception as error:
        if len(cells) == 1:
            if session.ranks.first:
                _failed(session, cells[0], error)
            return False
    # Out of the handler, so that what the failed attempt held is free.
    outcomes = [_attempt(session, [one]) for one in cells]
    return all(outcomes)


def _failed(session: Session, one: Planned, error: Exception) -> None:
    reason = one_line(error)
    if not isinstance(error, (*user_errors(), OSError)):
        # A bug, or the device: the reason alone would not be enough.
        reason = f"{type(error).__name__}: {reason} (see {one.folder / TRACEBACK})"
        (one.folder / TRACEBACK).write_text("".join(traceback.format_exception(error)))
    write_status(one, "failed", reason)
    session.shown.say(f"failed: {one}: {reason}")


def _run(session: Session, cells: Sequence[Planned]) -> None:
    """Bring cells of a group from where they are to their results."""
    with ExitStack() as files:
        opened: list[Records] = []
        session.together(lambda: opened.extend(_opened(session, cells, files)))
        recorded = session.together(lambda: [records.finished() for records in opened])[0]
        chunks = list(enumerate(cut(cells[0].images, cells[0].chunk)))
        wanted = [{number for number, _ in chunks} - numbers for numbers in recorded]
        session.together(lambda: (session.enhancer(cells[0]), [session.bench(c) for c in cells]))
        _measure(session, cells, opened, chunks, wanted)
        session.together(
            lambda: [_finish(session, *pair) for pair in zip(cells, opened, strict=False)]
        )


def _opened(session: Session, cells: Sequence[Planned], files: ExitStack) -> Iterator[Records]:
    """The records of cells that run from now on; on the first rank alone."""
    for one in cells if session.ranks.first else ():
        write_status(one, "running")
        yield files.enter_context(Records.open(one.folder, one.identity))


def _measure(
    session: Session,
    cells: Sequence[Planned],
    opened: Sequence[Records],
    chunks: Sequence[tuple[int, range]],
    wanted: Sequence[set[int]],
) -> None:
    """Measure the chunks that are wanted, a rank every so many, and record them."""
    missing = [chunk for chunk in chunks if any(chunk[0] in numbers for numbers in wanted)]
    done = cells[0].images - sum(len(indices) for _, indices in missing)
    session.shown.begin(" + ".join(map(str, cells)), cells[0].images, done)
    if not missing:
        return
    options = session.options(cells[0])
    stream = measured_chunks(
        session.enhance(cells),
        [session.bench(one).evaluator for one in cells],
        options,
        missing[session.ranks.rank :: session.ranks.size],
        wanted,
    )
    starts = {number: indices.start for number, indices in chunks}
    # Reading processes take no signal: what is not closed here would be waited for at the end.
    with closing(stream):
        for _ in range(0, len(missing), session.ranks.size):
            for found in filter(None, session.together(lambda: next(stream, None))):
                start = starts[found.number]
                session.together(partial(_record, found, start, opened, str(options.device)))
                wanting = [images for images in found.images if images is not None]
                session.shown.advance(len(wanting[0]), len(wanting), found.seconds)
            if session.ranks.any(session.stop.number, options.device):
                if session.ranks.first:
                    for one in cells:
                        write_status(one, "pending")
                raise Stopped


def _record(found: Measured, start: int, opened: Sequence[Records], device: str) -> None:
    """Commit a chunk in every cell that lacks it; on the first rank alone, which has them open."""
    for records, images in zip(opened, found.images, strict=False):
        if images is not None:
            chunk = Chunk(found.number, start, images, found.forward_batch, found.seconds)
            records.add(chunk, device, now())


def _finish(session: Session, one: Planned, records: Records) -> None:
    """From the records of a whole cell to its result, and last the mark that it is done."""
    bench, enhancer = session.bench(one), session.enhancer(one)
    totals, options = records.totals(), session.options(one)
    given = {**asdict(one.cell), "enhancer": str(one.cell.enhancer)}
    provenance = provenance_of(
        str(one.cell.enhancer), enhancer, bench, options, given, totals.seconds
    )
    provenance["cell"] = _cell(one, totals)
    result = summarise(str(one.cell.enhancer), bench.evaluator, records.images(), provenance)
    result = replace(result, notes=[*result.notes, *_memory_note(totals)])
    forget_panels(one.folder / PANELS)
    remove_unfinished(one.folder)
    (one.folder / TRACEBACK).unlink(missing_ok=True)
    # The mark comes last: a kill in between leaves a cell whose result is written again.
    result.write(one.folder / RESULT)
    write_status(one, "done", seconds=totals.seconds, result=sha256(one.folder / RESULT))
    session.shown.done(str(one))


def _cell(one: Planned, totals: Totals) -> dict[str, Any]:
    """What the batch adds to a result's provenance."""
    return {
        "sha256": digest(one.identity),
        "identity": one.identity,
        "devices": totals.devices,
        "first_chunk": totals.first,
        "last_chunk": totals.last,
    }


def _memory_note(totals: Totals) -> list[str]:
    if not totals.shortened:
        return []
    return [f"{totals.shortened} chunks went in smaller batches: the memory was too short"]
