"""One phase of a training: its objective and engine, and what happens between two steps."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from enhancers.base import EncodeDecode, Enhancer
from enhancers.lfpv import LFPVEnhancer, diagnose, node_norms
from enhancers.losses import Objective
from enhancers.states import load_strict
from enhancers.training import Step, StepLoss, is_adversarial, plain_network
from pipeline import zoo
from pipeline.checkpoints import read_checkpoint
from pipeline.errors import PipelineError
from pipeline.factory import start_network
from pipeline.training import checkpoint
from pipeline.training.engine import NotFinite
from pipeline.training.feed import Feed
from pipeline.training.objectives import own_state
from pipeline.training.phase_engine import PhaseEngine
from pipeline.training.plan import mixed_precision
from pipeline.training.session import BEST, Session
from pipeline.training.validation import main_score, mean_of, training_psnr
from pipeline.training.watch import Watch
from tasks.pairs import TrainingSet
from tasks.stream import Stream, TrainingSample


class PhaseRun:
    """Phase `index` of a session, from its first step or from where `saved` left it."""

    def __init__(
        self,
        session: Session,
        watch: Watch,
        index: int,
        previous: Objective | None,
        saved: Mapping[str, Any] | None,
    ) -> None:
        job = session.job
        self.session, self.watch, self.index = session, watch, index
        self.phase = job.recipe.phases[index]
        network = plain_network(session.model)
        with checkpoint.drawn_alike(job.seed, index):
            objective = session.objectives.make(self.phase.objective, network, previous)
        self.objective = objective.to(job.device)
        train_only(session.model, getattr(self.objective, "trains", ("",)), self.phase.nodes)
        self.engine = self._engine()
        if saved:
            self._restore(saved)
        else:
            start_from(network, job.name.base, self.phase.weights)
        self.done = saved["step"] if saved else 0
        self.start = session.total - self.done
        self.logged = self.done

    def run(self) -> None:
        """Train to the end of the phase, or until a signal.

        Raises:
            PipelineError: a loss or gradient that is not finite.
        """
        job = self.session.job
        data = data_for(self.objective, job.data)
        end = self.start + self.phase.steps
        options = job.recipe.data
        self.feed = Feed(
            Stream(data, options.augmentation(), options.batch * end, job.seed),
            batch=options.batch,
            start=self.session.total,
            ranks=job.ranks,
            workers=options.workers,
        )
        try:
            self.engine.run(self.feed, self.done, job.folder, self._after_step)
        except NotFinite as error:
            raise PipelineError(
                f"step {self.session.total + 1} ({self.phase.objective}): {error}; "
                f"{checkpoint.kept(self.session.last)}. Lower the optimiser's rate, or let such "
                "steps be skipped: training.skip_nonfinite"
            ) from None
        finally:
            self.feed.close()

    def _engine(self) -> PhaseEngine:
        job, options = self.session.job, self.session.job.recipe.training
        precision = mixed_precision(job.device) if options.amp else None
        loss = StepLoss(
            self.session.model,
            self.objective,
            lfpv_weight=options.lfpv_weight,
            nodes=self.phase.nodes,
            precision=precision,
        )
        return PhaseEngine(loss, self.phase, job.device, job.ranks, options.skip_nonfinite)

    def _after_step(self, step: int, result: Step, batch: TrainingSample) -> bool:
        session, options = self.session, self.session.job.recipe.training
        self.done, session.total = step, session.total + 1
        if session.average:
            session.average.update()
        ended = step == self.phase.steps
        device = session.job.device
        stopped = session.stop.anywhere(session.job.ranks, device)
        due = {name: ended or step % getattr(options, f"{name}_every") == 0
               for name in ("log", "validate", "save")}  # fmt: skip
        self.watch.step(session.total, result.parts)
        if due["log"]:
            self._log(result, batch)
        if due["validate"]:
            shown = {"input": batch.low, **result.images}
            self.watch.images(session.total, shown | _target(batch))
            self.watch.entry(session.total, nodes_of(session.model, batch.low.to(device)))
            self._validate()
        if due["save"] or stopped:
            self._save()
        return stopped

    def _log(self, result: Step, batch: TrainingSample) -> None:
        job, total, truth = self.session.job, self.session.total, batch.normal
        if truth is not None and not is_adversarial(self.objective):
            truth = truth.to(job.device)
            psnr = {f"{k}.psnr": training_psnr(image, truth) for k, image in result.images.items()}
            self.watch.step(total, psnr)
        pace = self.feed.pace(self.done - self.logged)
        self.logged = self.done
        self.watch.entry(
            total,
            mean_of(job.ranks.gather(self.watch.means())) | nodes_of(self.session.model),
            phase=self.phase.objective,
            rate=self.engine.updates["model"].optimizer.param_groups[0]["lr"],
            skipped=self.engine.skipped,
            **pace,
        )

    def _validate(self) -> None:
        session = self.session
        if session.validation is None:
            return
        with session.average.in_place() if session.average else nullcontext():
            scores = session.validation(session.model)
        self.watch.scores(session.total, scores)
        last_phase = self.index == len(session.job.recipe.phases) - 1
        if last_phase and main_score(scores) > session.best:
            session.best = main_score(scores)
            if session.job.ranks.first:
                session.write(session.job.folder / BEST, held_out=scores)

    def _save(self) -> None:
        session, job = self.session, self.session.job
        states = job.ranks.gather(checkpoint.random_state(job.device))
        content = {
            **session.identity,
            "phase": self.index,
            "step": self.done,
            "total": session.total,
            "best": session.best,
            "perceptual": session.objectives.used,
            "model": session.model.state_dict(),
            "objective": own_state(self.objective),
            "engine": self.engine.state(),
            "average": session.average.weights if session.average else {},
            "random": states,
        }
        if job.ranks.first:
            keep = job.recipe.training.keep
            session.last = checkpoint.write(job.folder, content, keep)
        job.ranks.wait()

    def _restore(self, saved: Mapping[str, Any]) -> None:
        session, job = self.session, self.session.job
        session.model.load_state_dict(saved["model"])
        self.objective.load_state_dict({**self.objective.state_dict(), **saved["objective"]})
        self.engine.load(saved["engine"])
        if session.average:
            session.average.load(saved["average"])
        checkpoint.restore_random_state(saved["random"][job.ranks.rank], job.device)


def _target(batch: TrainingSample) -> dict[str, Tensor]:
    return {} if batch.normal is None else {"target": batch.normal}


def nodes_of(model: Enhancer, low: Tensor | None = None) -> dict[str, float]:
    """What a log says of the nodes, if there are any: norms, and how images of `low` use them."""
    if not isinstance(model, LFPVEnhancer):
        return {}
    if low is None or not model.trained:
        found = node_norms(model.store.nodes)
    else:
        found = diagnose(model, low).scalars()
    return {f"nodes.{name}": value for name, value in found.items()}


def data_for(objective: Objective, data: TrainingSet) -> TrainingSet:
    """Normal-light images as the objective takes them: as partners, or of any scenes, or none."""
    if is_adversarial(objective) or getattr(objective, "unpaired", False):
        return data.unpaired()
    return data if data.paired else replace(data, normal=())


def train_only(model: Enhancer, prefixes: Sequence[str], nodes: str) -> None:
    """Gradients for the parts of the network that `prefixes` name, and for learning nodes."""
    network = plain_network(model)
    model.requires_grad_(nodes == "learn")
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith(tuple(prefixes)))


def start_from(network: EncodeDecode, base: str, weights: Mapping[str, str]) -> None:
    """Load parts of the network: a file, or a name of the list's `parts`, for each.

    The part "" is the whole network: its weights by name, or anybody's file of them.

    Raises:
        PipelineError, EnhancerError: no such part or file, or it does not fit.
    """
    listed = zoo.entries("parts")
    for part, source in weights.items():
        if not part:
            start_network(network, base, source)
            continue
        try:
            module = network.get_submodule(part)
        except AttributeError:
            raise PipelineError(f"weights: the network has no part '{part}'") from None
        path = zoo.locate(listed[source]) if source in listed else Path(source)
        load_strict(module, read_checkpoint(path, network.released_globals).state)
