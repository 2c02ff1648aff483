"""A batch as jobs of a SLURM cluster; submitit submits them and says when they end.

A job runs its cells as this machine would. Requeued, or submitted again, it goes on where their
records end.
"""

import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.batch.jobs import run_until
from pipeline.batch.plan import Planned, groups
from pipeline.batch.progress import Shown
from pipeline.batch.state import standing
from pipeline.errors import PipelineError
from pipeline.signals import Stop

if TYPE_CHECKING:
    from submitit import AutoExecutor, Job
    from submitit.helpers import DelayedSubmission

LOGS = "slurm"
# What submitit's executors have in common; it wants the others with the cluster's name before them.
_COMMON = ("timeout_min", "gpus_per_node", "cpus_per_task", "mem_gb", "nodes", "tasks_per_node")
_POLL = 1.0  # seconds


@dataclass(frozen=True)
class Work:
    """What a job does: bring cells that share their images to their results."""

    arguments: Namespace
    cells: Sequence[Planned]

    def __call__(self) -> None:
        from submitit import JobEnvironment
        from submitit.helpers import TorchDistributedEnvironment

        if JobEnvironment().num_tasks > 1:
            TorchDistributedEnvironment().export(set_cuda_visible_devices=False)
        # The signals are submitit's here: it has the job requeued before its time is over.
        run_until(Stop(), self.arguments, self.cells)

    def checkpoint(self) -> "DelayedSubmission":
        """What a requeued job does: the same."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def new_executor(out: Path, asked: Mapping[str, Any] | None) -> "AutoExecutor":
    """What submits jobs that ask for `asked`, by `schema.SLURM`; their logs lie under `out`.

    Raises:
        PipelineError: submitit or SLURM is missing, or nothing is asked for.
    """
    try:
        from submitit import AutoExecutor
    except ImportError:
        raise PipelineError(
            "--launcher slurm needs an extra: pip install 'llie-pipeline[slurm]'"
        ) from None
    if asked is None:
        raise PipelineError(
            "--launcher slurm needs `slurm` in the config, e.g. "
            "slurm: {partition: gpu, timeout_min: 240, gpus_per_node: 1}"
        )
    for command in ("sbatch", "srun"):
        if not shutil.which(command):
            raise PipelineError(f"no {command} here; --launcher slurm wants a node of the cluster")
    found = AutoExecutor(out / LOGS, cluster="slurm")
    found.update_parameters(**_as_submitit(asked), name=f"pipeline-{out.name}")
    return found


def _as_submitit(asked: Mapping[str, Any]) -> dict[str, Any]:
    named = {key if key in _COMMON else f"slurm_{key}": value for key, value in asked.items()}
    if "cpus_per_task" in asked:
        # From SLURM 22.05 to 23.02 srun does not have it from sbatch.
        named["slurm_srun_args"] = [f"--cpus-per-task={asked['cpus_per_task']}"]
    return named


def run_slurm(executor: "AutoExecutor", arguments: Namespace, ready: Sequence[Planned]) -> None:
    """Submit a job for every cell that has to run, and wait for them.

    Cells that share their images are one job. A cell that runs already is left to its process.

    Raises:
        PipelineError: SLURM refuses the jobs.
    """
    again = ("pending", "failed") if arguments.retry_failed else ("pending",)
    parts = list(groups([one for one in ready if standing(one).state in again]))
    if not parts:
        return
    jobs = _submitted(executor, [Work(arguments, cells) for cells in parts])
    number = jobs[0].job_id.partition("_")[0]
    what = f"{len(jobs)} job{'' if len(jobs) == 1 else 's'} submitted as {number}"
    print(f"{what}; logs: {executor.folder}", file=sys.stderr)
    try:
        _watch(list(zip(jobs, parts, strict=True)), arguments.fail_fast)
    except KeyboardInterrupt:
        print(f"the jobs go on; scancel {number} ends them", file=sys.stderr)
        raise


def _submitted(executor: "AutoExecutor", works: Sequence[Work]) -> list["Job"]:
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    try:
        # Where sbatch fails, submitit prints what the error says.
        with redirect_stderr(StringIO()):
            return executor.submit_array(works)
    except (FailedJobError, FailedSubmissionError) as error:
        raise PipelineError(f"sbatch refuses the jobs ({error})") from None


def _watch(left: list[tuple["Job", Sequence[Planned]]], fail_fast: bool) -> None:
    """Wait until all jobs have ended, and say how."""
    with Shown(0, live=False) as shown:
        while left:
            for pair in list(left):
                if not pair[0].done():
                    continue
                left.remove(pair)
                if not _told(*pair, shown) and fail_fast:
                    for job, _ in left:
                        job.cancel(check=False)
                    return
            if left:
                time.sleep(_POLL)


def _told(job: "Job", cells: Sequence[Planned], shown: Shown) -> bool:
    """Say what became of the cells of a job that has ended; whether all are done."""
    states = []
    for one in cells:
        _look_again(one.folder)
        found = standing(one)
        states.append(found.state)
        if found.state == "done":
            shown.done(str(one))
        elif found.state == "failed":
            shown.say(f"failed: {one}: {found.reason}")
        else:
            shown.say(f"not done: {one}: job {job.job_id} has ended; see {job.paths.stderr}")
    return all(state == "done" for state in states)


def _look_again(folder: Path) -> None:
    """A network disk may keep what it knew of a folder for a minute, unless the folder changes."""
    if folder.is_dir():
        folder.chmod(folder.stat().st_mode)
