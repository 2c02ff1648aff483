"""The loop of an evaluator's training, and what happens between two steps."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from pipeline.errors import PipelineError
from pipeline.evaluator_training.session import Job, Session
from pipeline.signals import Stop
from pipeline.training import checkpoint
from pipeline.training.engine import Engine, NotFinite, Updates
from pipeline.training.feed import Feed
from pipeline.training.plan import mixed_precision
from pipeline.training.session import BEST
from pipeline.training.validation import mean_of
from pipeline.training.watch import Watch
from tasks.labelled_stream import Labelled, LabelledStream
from tasks.trainable import TrainingLoss


def train(job: Job, stop: Stop, resume: bool) -> list[dict[str, Any]]:
    """Train and write the weights; gives the log's entries.

    Ends early, with a checkpoint, when `stop` holds a signal.

    Raises:
        PipelineError: nothing to resume, a loss that is not finite.
        TaskError: an image or a label that cannot be used.
    """
    session = Session(job, stop)
    saved = session.saved() if resume else None
    with session.watch() as watch:
        EvaluatorRun(session, watch, saved).run()
        if not stop.number and job.ranks.first:
            session.finish()
    return watch.entries


class EvaluatorEngine(Engine):
    """A step: the loss of a batch of labelled images, one update."""

    def train_step(self, data: Labelled, optim_wrapper: Mapping[str, Updates]) -> float:
        """A batch of the feed; gives its loss."""
        image, target = (
            one.to(self.device, non_blocking=True) for one in (data.image, data.target)
        )
        with self.tolerating("model"):
            loss = self.loss(image, target)
            optim_wrapper["model"].update_params(loss)
        return loss.item()


class EvaluatorRun:
    """The training of a session, from its first step or from where `saved` left it."""

    def __init__(self, session: Session, watch: Watch, saved: Mapping[str, Any] | None) -> None:
        job, recipe = session.job, session.job.recipe
        self.session, self.watch = session, watch
        precision = mixed_precision(job.device) if recipe.training.amp else None
        self.engine = EvaluatorEngine(
            TrainingLoss(session.model, precision),
            {"model": [p for p in session.model.parameters() if p.requires_grad]},
            recipe.plan(len(job.data.train.samples)),
            device=job.device,
            ranks=job.ranks,
            precision=precision,
        )
        if saved:
            session.model.network.load_state_dict(saved["model"])
            self.engine.load(saved["engine"])
            checkpoint.restore_random_state(saved["random"][job.ranks.rank], job.device)
        self.every = self._cadence()
        self.logged = session.total

    def run(self) -> None:
        """Train to the end, or until a signal.

        Raises:
            PipelineError: a loss or gradient that is not finite.
        """
        session, job = self.session, self.session.job
        options = job.recipe.data
        images = options.batch * session.steps
        self.feed = Feed(
            LabelledStream(job.data.train, job.recipe.images, images, job.seed),
            batch=options.batch,
            start=session.total,
            ranks=job.ranks,
            workers=options.processes(),
        )
        try:
            self.engine.run(self.feed, session.total, job.folder, self._after_step)
        except NotFinite as error:
            raise PipelineError(
                f"step {session.total + 1}: {error}; {checkpoint.kept(session.last)}. Lower the "
                "optimiser's rate"
            ) from None
        finally:
            self.feed.close()

    def _cadence(self) -> dict[str, int]:
        """Steps between two logs, validations and checkpoints."""
        recipe = self.session.job.recipe
        images, options = len(self.session.job.data.train.samples), recipe.training
        return {
            "log": options.log_every,
            "validate": recipe.steps(images, options.validate_every),
            "save": recipe.steps(images, options.save_every),
        }

    def _after_step(self, step: int, loss: float, batch: Labelled) -> bool:
        session, job = self.session, self.session.job
        session.total = step
        self.watch.step(step, {"loss": loss})
        due = {name: step == session.steps or step % n == 0 for name, n in self.every.items()}
        if due["log"]:
            self._log()
        if due["validate"] and session.validation:
            self._validate(batch.image)
        stopped = session.stop.anywhere(job.ranks, job.device)
        if due["save"] or stopped:
            self._save()
        return stopped

    def _log(self) -> None:
        session, job = self.session, self.session.job
        pace = self.feed.pace(session.total - self.logged)
        self.logged = session.total
        self.watch.entry(
            session.total,
            mean_of(job.ranks.gather(self.watch.means())),
            rate=self.engine.updates["model"].optimizer.param_groups[0]["lr"],
            skipped=self.engine.skipped,
            **pace,
        )

    def _validate(self, image: Tensor) -> None:
        session, job = self.session, self.session.job
        scores = session.validation()
        self.watch.scores(session.total, scores)
        self.watch.images(session.total, {"input": image.float() / 255})
        score = scores[session.validation.main]
        if score > session.best:
            session.best = score
            if job.ranks.first:
                session.write(job.folder / BEST, selected_on=session.selected_on(scores))

    def _save(self) -> None:
        session, job = self.session, self.session.job
        states = job.ranks.gather(checkpoint.random_state(job.device))
        content = {
            **session.identity,
            "total": session.total,
            "best": session.best,
            "model": session.model.network.state_dict(),
            "engine": self.engine.state(),
            "random": states,
        }
        if job.ranks.first:
            session.last = checkpoint.write(job.folder, content, job.recipe.training.keep)
        job.ranks.wait()
