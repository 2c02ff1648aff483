"""The dry run's table: the cells, what they need, and how long they will take."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from statistics import mean

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table

from pipeline.batch.plan import Blocked, Planned
from pipeline.batch.state import Standing, recorded, standing
from pipeline.console import say
from pipeline.errors import NotDownloaded, one_line

# Of a result and its records, an image, as measured with 19 classes.
BYTES = {"segmentation": 3000, "classification": 400, "restoration": 400}


def print_plan(planned: Sequence[Planned | Blocked], out: Path, console: Console) -> None:
    """Print a row a cell, with what it needs and what is done."""
    table = Table()
    for name in ("enhancer", "task", "weights", "data", "state"):
        table.add_column(name, overflow="fold")
    table.add_column("time", justify="right")
    standings = {id(one): standing(one) for one in planned if isinstance(one, Planned)}
    done = [
        (one, standings[id(one)])
        for one in planned
        if isinstance(one, Planned) and standings[id(one)].state == "done"
    ]
    total, unknown, size = 0.0, 0, 0
    for one in planned:
        if isinstance(one, Blocked):
            unknown += one.fetches
            table.add_row(*map(escape, _blocked(one)))
            continue
        found = standings[id(one)]
        seconds = None if found.state == "done" else _estimate(one, done)
        if found.state != "done":
            total, unknown = total + (seconds or 0), unknown + (seconds is None)
            size += BYTES[one.bed.task.kind] * one.images
        task = f"{one.cell.task}, {one.bed.task.protocol.name}"
        table.add_row(
            escape(str(one.cell.enhancer)),
            escape(task),
            "yes" if one.identity["enhancer"].get("weights") else "none needed",
            f"{one.images} images",
            escape(_state(one, found)),
            "" if found.state == "done" else _time(seconds),
        )
    console.print(table)
    for line in blocked_lines(planned):
        say(line, console)
    blocked = sum(isinstance(one, Blocked) and not one.fetches for one in planned)
    left = len(planned) - len(done) - blocked
    words = f"{_cells(len(planned))}: {len(done)} done, {left} to run, {blocked} blocked; "
    words += f"about {decimal(size)} to write; time "
    parts = [f"about {_time(total)}"] if left > unknown or not left else []
    words += " and ".join([*parts, *([f"unknown of {_cells(unknown)}"] if unknown else [])])
    say(words, console)
    say(f"results: {out}", console)


def blocked_lines(planned: Sequence[Planned | Blocked]) -> list[str]:
    """A line for every reason why cells cannot run, or not yet."""
    reasons = Counter(
        ("to download" if isinstance(error, NotDownloaded) else "blocked", one_line(error))
        for one in planned
        if isinstance(one, Blocked)
        for error in one.reasons
    )
    return [f"{what}, {_cells(count)}: {reason}" for (what, reason), count in reasons.items()]


def _blocked(one: Blocked) -> tuple[str, ...]:
    spec = one.cell.task
    task = f"{spec}, {spec.protocol}" if spec.protocol else str(spec)
    needs = (
        "to download" if isinstance(error, NotDownloaded) else "no" if error else "yes"
        for error in (one.weights, one.task)
    )
    state, time = ("pending", "?") if one.fetches else ("blocked", "")
    return str(one.cell.enhancer), task, *needs, state, time


def _cells(count: int) -> str:
    return f"{count} cell{'' if count == 1 else 's'}"


def _state(one: Planned, found: Standing) -> str:
    count = recorded(one) if found.state in ("pending", "failed") else 0
    parts = [found.state]
    if count:
        parts.append(f"{count} of {one.images} images recorded")
    if found.reason:
        parts.append(found.reason)
    return ", ".join(parts)


def _estimate(one: Planned, done: Sequence[tuple[Planned, Standing]]) -> float | None:
    """Seconds for the images that are left: from cells of the same enhancer and task, else task."""
    task = one.bed.task.name
    same_task = [pair for pair in done if pair[0].bed.task.name == task]
    same = [pair for pair in same_task if pair[0].cell.enhancer.bare == one.cell.enhancer.bare]
    rates = [found.seconds / other.images for other, found in same or same_task]
    return mean(rates) * (one.images - recorded(one)) if rates else None


def _time(seconds: float | None) -> str:
    return "?" if seconds is None else str(timedelta(seconds=round(seconds)))
