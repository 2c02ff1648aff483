"""Top-1 or mIoU of an evaluator in training, measured as `pipeline run` measures it."""

from collections.abc import Sequence
from dataclasses import replace

from enhancers.baselines import Identity
from pipeline.chain import ChainOptions, measure
from pipeline.evaluator_training.recipe import Recipe
from pipeline.ranks import Ranks
from pipeline.signals import held_back
from tasks.evaluators import create_evaluator
from tasks.models import DownstreamModel
from tasks.protocol import Protocol
from tasks.task import Task

MAIN = {"classification": "top1", "segmentation": "mIoU"}


class Validation:
    """Scores of `model` on a task, without enhancement; each rank takes every R-th image.

    A segmentor sees what it is trained on, the image in the size of the recipe, and is scored
    there, as the protocols of its benchmarks are.
    """

    def __init__(
        self, model: DownstreamModel, task: Task, recipe: Recipe, chain: ChainOptions, ranks: Ranks
    ) -> None:
        size = recipe.images.resize if task.kind == "segmentation" else None
        score_at = "input" if size else "source"
        protocol = Protocol("validation", 1, "round", size, recipe.images.filter, score_at)
        own = task.samples[ranks.rank :: ranks.size]
        self.evaluator = create_evaluator(model, replace(task, samples=own, protocol=protocol))
        self.chain, self.ranks = chain, ranks
        self.main, self.images = MAIN[task.kind], len(task.samples)

    def __call__(self) -> dict[str, float]:
        """Fractions by metric; the model is left in training mode."""
        self.evaluator.model.eval()
        # Reading processes start here, which a signal must not end.
        with held_back():
            records = [one.record for one in measure(Identity(), self.evaluator, self.chain)]
        self.evaluator.model.train()
        scores = self.evaluator.scores(_all(self.ranks.gather(records)))
        return {name: float(value) for name, value in scores.items()}


def _all(parts: Sequence[list]) -> list:
    return [record for part in parts for record in part]
