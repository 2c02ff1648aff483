"""What `pipeline train` and `pipeline train-evaluator` do alike."""

from argparse import Namespace
from collections.abc import Callable
from typing import Any

from pipeline.ranks import Ranks, joined
from pipeline.signals import Stop, leave, stop_on_signals
from pipeline.training import checkpoint

Entries = list[dict[str, Any]]


def carry_out(
    arguments: Namespace,
    job_of: Callable[[Namespace, Ranks, str], Any],
    train: Callable[[Any, Stop, bool], Entries],
    report: Callable[[Any, Entries], None],
) -> None:
    """Make the job on every rank, train to its end, and report what was logged.

    SIGINT and SIGTERM end it after the step, with a checkpoint, by SystemExit 130 or 143.
    """
    with joined(arguments.device) as (ranks, device), stop_on_signals() as stop:
        job = job_of(arguments, ranks, device)
        if ranks.first and not arguments.resume:
            checkpoint.begin(job.folder, job.out)
        ranks.wait()
        entries = train(job, stop, arguments.resume)
    leave(stop, says=ranks.first)
    if not ranks.first:
        return
    losses = [entry["loss"] for entry in entries if "loss" in entry]
    if losses:
        print(f"loss: {losses[0]:.4f} (first in the log) to {losses[-1]:.4f} (last)")
    report(job, entries)
