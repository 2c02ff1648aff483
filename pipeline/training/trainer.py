"""A training from its first step, or from its last checkpoint, to the weights file."""

from typing import Any

from enhancers.losses import Objective
from pipeline.signals import Stop
from pipeline.training.phase import PhaseRun
from pipeline.training.session import Job, Session


def train(job: Job, stop: Stop, resume: bool) -> list[dict[str, Any]]:
    """Train all phases and write the weights; gives the log's entries.

    Ends early, with a checkpoint, when `stop` holds a signal.

    Raises:
        PipelineError: nothing to resume, a loss that is not finite, perceptual weights that are
            not here.
    """
    session = Session(job, stop)
    saved = session.saved() if resume else None
    objective: Objective | None = None
    with session.watch() as watch:
        for index in range(saved["phase"] if saved else 0, len(job.recipe.phases)):
            phase = PhaseRun(session, watch, index, objective, saved)
            phase.run()
            if stop.number:
                return watch.entries
            objective, saved = phase.objective, None
        if job.ranks.first:
            session.write(job.out)
    return watch.entries
