"""A batch in several processes of this machine, which take cells by their locks."""

import multiprocessing
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Sequence

import torch

from pipeline.allocator import keep_freed_memory
from pipeline.batch.execution import Stopped, run_cells
from pipeline.batch.plan import Planned
from pipeline.batch.progress import Shown
from pipeline.batch.session import Session
from pipeline.cache import Store
from pipeline.errors import PipelineError, one_line, user_errors
from pipeline.ranks import joined
from pipeline.runner import chosen_device
from pipeline.signals import Stop, stop_on_signals


def run_here(arguments: Namespace, ready: Sequence[Planned], images: int) -> int:
    """Run cells in this process, which may be one of torchrun's; the signal that ended it, or 0.

    `images` are those of the cells that are not done.
    """
    with stop_on_signals() as stop:
        run_until(stop, arguments, ready, images)
    return stop.number


def run_until(
    stop: Stop, arguments: Namespace, ready: Sequence[Planned], images: int | None = None
) -> bool:
    """As `run_here`, until `stop` is set; False where a failure was the end, with `--fail-fast`.

    `images` is None where other jobs share the terminal.
    """
    keep_freed_memory()
    with (
        joined(arguments.device) as (ranks, device),
        Shown(images or 0, live=images is not None and ranks.first) as shown,
    ):
        store = Store(arguments.cache, arguments.cache_size * 10**9) if arguments.cache else None
        session = Session(chosen_device(device), arguments.workers, ranks, stop, shown, store)
        try:
            return run_cells(session, ready, arguments.retry_failed, arguments.fail_fast)
        except Stopped:
            if ranks.first:
                shown.say("stopped after a chunk; the same command goes on")
            return True


def run_jobs(arguments: Namespace, ready: Sequence[Planned]) -> int:
    """Run cells in `arguments.jobs` processes, each on a GPU of its own where there are GPUs.

    Returns:
        The signal that ended them, or 0.

    Raises:
        PipelineError: torchrun started this process, one device is named for all of several, or
            there is none of that name.
    """
    if "RANK" in os.environ:
        raise PipelineError("--jobs and torchrun are two ways to do the same; take one")
    if arguments.device.startswith("cuda:"):
        raise PipelineError(f"--jobs takes all GPUs; leave --device {arguments.device} out")
    spawn = multiprocessing.get_context("spawn")
    devices = _devices(arguments.device, arguments.jobs)
    processes = [
        spawn.Process(target=_job, args=(Namespace(**vars(arguments) | {"device": device}), ready))
        for device in devices
    ]
    with stop_on_signals() as stop:
        for process in processes:
            process.start()
        told = False
        while any(process.is_alive() for process in processes):
            for process in processes:
                process.join(0.2)
            failed = arguments.fail_fast and any(process.exitcode for process in processes)
            # A terminal sends its SIGINT to all of them; a scheduler may send SIGTERM to one.
            if (failed or stop.number == signal.SIGTERM) and not told:
                told = True
                for process in processes:
                    process.terminate()
    return stop.number


def _devices(wanted: str, jobs: int) -> list[str]:
    count = torch.cuda.device_count() if wanted in ("auto", "cuda") else 0
    if not count:
        chosen_device(wanted)
    return [f"cuda:{index % count}" if count else wanted for index in range(jobs)]


def _job(arguments: Namespace, ready: Sequence[Planned]) -> None:
    if not arguments.device.startswith("cuda") and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // arguments.jobs))
    try:
        with stop_on_signals() as stop:
            good = run_until(stop, arguments, ready)
    except user_errors() as error:
        print(f"pipeline: error: {one_line(error)}", file=sys.stderr)
        raise SystemExit(2) from None
    raise SystemExit(128 + stop.number if stop.number else int(not good))
