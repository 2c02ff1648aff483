"""`pipeline batch`."""

import os
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from pipeline.batch.config import Batch, read_batch
from pipeline.batch.pictures import draw_missing
from pipeline.batch.plan import Blocked, Planned, plan
from pipeline.batch.source import ConfigErrors
from pipeline.batch.state import RESULT, standing
from pipeline.batch.tables import blocked_lines, print_plan
from pipeline.console import say, stdout
from pipeline.errors import PipelineError
from pipeline.files import require_writable
from pipeline.report.collect import Found
from pipeline.report.terminal import print_benches
from pipeline.result import Result

if TYPE_CHECKING:
    from submitit import AutoExecutor


def batch(arguments: Namespace) -> None:
    """Run the cells that are not done, then print the tables.

    Ends by SystemExit 1 where a cell is not done, and 128 + N after signal N.
    """
    config = checked(arguments.config)
    out = arguments.out or Path("results") / Path(arguments.config).stem
    executor = None
    if arguments.launcher == "slurm" and not arguments.dry_run:
        # Before data are hashed: what it lacks, it lacks now.
        executor = _executor(arguments, config, out)
    if arguments.cache and not arguments.dry_run:
        require_writable(arguments.cache / "entry")
    planned = plan(config.cells, out, fetch=not arguments.dry_run)
    if arguments.dry_run:
        print_plan(planned, out, stdout())
        return
    ready = [one for one in planned if isinstance(one, Planned)]
    todo = [one for one in ready if standing(one).state != "done"]
    first = os.environ.get("RANK", "0") == "0"
    if first:
        for one in todo:
            if (found := standing(one)).state == "pending" and found.reason:
                print(f"{one}: {found.reason}", file=sys.stderr)
    if todo:
        # All that can run, not what is to do: torchrun's processes must see the same cells.
        number = _run(arguments, ready, sum(one.images for one in todo), executor)
        if number:
            raise SystemExit(128 + number)
    if _report(planned, arguments, out, stdout(quiet=not first)):
        raise SystemExit(1)


def _executor(arguments: Namespace, config: Batch, out: Path) -> "AutoExecutor":
    from pipeline.batch import slurm

    if arguments.jobs > 1 or "RANK" in os.environ:
        raise PipelineError("--launcher slurm starts the processes; leave --jobs and torchrun out")
    return slurm.new_executor(out, config.slurm)


def _run(
    arguments: Namespace, ready: Sequence[Planned], images: int, executor: "AutoExecutor | None"
) -> int:
    """The signal that ended it, or 0; `images` are those of the cells that are not done."""
    if executor:
        from pipeline.batch.slurm import run_slurm

        run_slurm(executor, arguments, ready)
        return 0
    from pipeline.batch.jobs import run_here, run_jobs

    if arguments.jobs > 1:
        return run_jobs(arguments, ready)
    return run_here(arguments, ready, images)


def checked(config: str) -> Batch:
    """What a config says; all that is wrong in it is printed, one line each.

    Raises:
        PipelineError: something is wrong.
    """
    try:
        return read_batch(config)
    except ConfigErrors as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        count = len(error.problems)
        raise PipelineError(
            f"{config}: {count} {'error' if count == 1 else 'errors'}; nothing was run"
        ) from None


def _report(
    planned: Sequence[Planned | Blocked], arguments: Namespace, out: Path, console: Console
) -> int:
    """Draw panels, print a table a score and what is not done; how many cells that is."""
    done: list[tuple[Planned, Result]] = []
    left = []
    ready = [one for one in planned if isinstance(one, Planned)]
    for one in ready:
        found = standing(one)
        if found.state == "done":
            done.append((one, Result.read(one.folder / RESULT)))
        else:
            left.append(f"{found.state}: {one}{': ' if found.reason else ''}{found.reason}")
    if not console.quiet:
        stderr = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        with stderr.status("drawing the largest gains and losses"):
            for line in draw_missing(done, arguments.device, arguments.workers):
                stderr.print(line)
        print_benches(_folders(done, out), console)
    for line in (*left, *blocked_lines(planned)):
        say(line, console)
    if any(line.startswith("failed") for line in left):
        say("failed cells run again with --retry-failed", console)
    say(f"{len(ready) - len(left)} of {len(planned)} cells done; results: {out}", console)
    return len(planned) - len(ready) + len(left)


def _folders(done: Sequence[tuple[Planned, Result]], out: Path) -> Iterator[list[Found]]:
    """Results that lie together, which one table may show."""
    folders: dict[Path, list[Found]] = {}
    for one, result in done:
        file = (one.folder / RESULT).relative_to(out).as_posix()
        folders.setdefault(one.folder.parent, []).append(Found(file, one.folder, result))
    yield from folders.values()
