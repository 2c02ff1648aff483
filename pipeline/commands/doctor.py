"""`pipeline doctor`."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from pipeline.batch.plan import Blocked, Planned, groups, plan
from pipeline.batch.progress import Shown
from pipeline.batch.session import Session
from pipeline.chain import decoded, measure_group
from pipeline.clock import now
from pipeline.commands.batch import checked
from pipeline.console import stdout
from pipeline.errors import one_line
from pipeline.ranks import Ranks
from pipeline.runner import chosen_device
from pipeline.signals import Stop


def doctor(arguments: Namespace) -> None:
    """Hash weights and data, import and load everything, and push one image through every cell.

    Nothing is written and nothing downloaded. Ends by SystemExit 1 where a cell cannot run.
    """
    planned = plan(checked(arguments.config).cells, Path(), fetch=False)
    device = chosen_device(arguments.device)
    session = Session(device, 0, Ranks(), Stop(), Shown(0, live=False))
    table = Table()
    for name in ("enhancer", "task", "weights", "evaluator", "data", "one image"):
        table.add_column(name, overflow="fold")
    ready = [one for one in planned if isinstance(one, Planned)]
    problems = [f"{one}: {one.reason}" for one in planned if isinstance(one, Blocked)]
    for one in (cell for group in groups(ready) for cell in group):
        try:
            outcome = f"{1000 * _one_image(session, one):.0f} ms"
        except Exception as error:  # whatever it is, the other cells are looked at
            outcome = "fails"
            problems.append(f"{one.cell}: {one_line(error)}")
        table.add_row(*map(escape, (*_evidence(one), outcome)))
    stdout().print(table)
    for line in (*_counts(ready), *problems):
        print(line)
    if problems:
        raise SystemExit(1)
    print(f"all {len(planned)} cells can run on {device}")


def _one_image(session: Session, one: Planned) -> float:
    """Seconds for the first image, decoded, enhanced and evaluated."""
    evaluators, options = [session.bench(one).evaluator], session.options(one)
    enhancer = session.enhancer(one).model
    started = now(session.device)
    (items,) = decoded(enhancer, evaluators, options, [range(1)])
    list(measure_group(items, enhancer, evaluators, options))
    return now(session.device) - started


def _evidence(one: Planned) -> tuple[str, ...]:
    """Enhancer, task, and the first digits of the hashes that the cell stands on."""
    identity = one.identity
    weights = identity["enhancer"].get("weights")
    evaluator = identity["evaluator"].get("weights") or identity["evaluator"].get("lpips")
    return (
        str(one.cell.enhancer),
        f"{one.cell.task}, {one.bed.task.protocol.name}",
        _digits(weights),
        _digits(evaluator),
        f"{one.images} images, {_digits(identity['dataset']['sha256'])}",
    )


def _digits(sha256: str | None) -> str:
    return f"{sha256[:8]}…" if sha256 else "none"


def _counts(ready: Sequence[Planned]) -> Iterator[str]:
    """Splits that have not the official number of images."""
    for task in {id(one.bed): one.bed.task for one in ready}.values():
        official = task.card.splits if task.card and not task.sample_data else {}
        for split in task.splits:
            count = sum(sample.split == split for sample in task.samples)
            if count != official.get(split, count):
                yield f"note: {task.name}: {split} has {count} images, of {official[split]}"
