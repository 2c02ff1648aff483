"""A step of a phase: the model's update, and its adversary's where it has one."""

from collections.abc import Mapping

import torch

from enhancers.training import Step, StepLoss, is_adversarial
from pipeline.ranks import Ranks
from pipeline.training.engine import Engine, Updates
from pipeline.training.plan import Plan
from pipeline.training.recipe import Phase
from tasks.stream import TrainingSample


class PhaseEngine(Engine):
    """One phase of a training: a step of the model, and of its adversary where it has one."""

    def __init__(
        self, loss: StepLoss, phase: Phase, device: torch.device, ranks: Ranks, tolerated: int
    ) -> None:
        adversary = getattr(loss.objective, "discriminators", None)
        theirs = list(adversary.parameters()) if adversary else []
        others = {id(p) for p in theirs}
        ours = [p for p in loss.parameters() if p.requires_grad and id(p) not in others]
        parts = {"model": ours} | ({"discriminators": theirs} if theirs else {})
        plan = Plan(phase.steps, phase.optimiser, phase.schedule.factor, clip_norm=phase.clip_norm)
        super().__init__(
            loss,
            parts,
            plan,
            device=device,
            ranks=ranks,
            precision=loss.precision,
            tolerated=tolerated,
        )

    def train_step(self, data: TrainingSample, optim_wrapper: Mapping[str, Updates]) -> Step:
        """A batch of the feed."""
        low = data.low.to(self.device, non_blocking=True)
        normal = None if data.normal is None else data.normal.to(self.device, non_blocking=True)
        with self.tolerating("model"):
            step = self.loss(low, normal, data.index)
            optim_wrapper["model"].update_params(step.loss)
        # What a step made that is left out is nothing to learn from.
        if is_adversarial(self.loss.objective) and not self.in_a_row["model"]:
            with self.tolerating("discriminators"):
                loss, parts = self.loss.discriminator_loss(normal)
                optim_wrapper["discriminators"].update_params(loss)
                step.parts.update(parts)
        return step
