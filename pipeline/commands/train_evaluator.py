"""`pipeline train-evaluator`: a daytime classifier or segmentor."""

from argparse import Namespace

from pipeline.checkpoints import require_checkpoint_path
from pipeline.evaluator_training.data import find_labelled, kind_of
from pipeline.evaluator_training.recipe import find_recipe, read_recipe
from pipeline.evaluator_training.session import Job
from pipeline.evaluator_training.trainer import train
from pipeline.evaluator_training.validation import MAIN
from pipeline.evaluators import model_name
from pipeline.ranks import Ranks
from pipeline.runner import chosen_device
from pipeline.training.command import Entries, carry_out
from pipeline.training.session import BEST


def train_evaluator(arguments: Namespace) -> None:
    """Train an evaluator and write a checkpoint that --evaluator-weights takes.

    Signals: see `carry_out`.
    """
    carry_out(arguments, _job, train, _report)


def _job(arguments: Namespace, ranks: Ranks, device: str) -> Job:
    require_checkpoint_path(arguments.out)
    model = model_name(arguments.model)
    kind = kind_of(model)
    recipe = read_recipe(find_recipe(model, arguments.data, kind, arguments.config))
    ranks.require_divisible(recipe.data.batch)
    return Job(
        model=model,
        recipe=recipe.changed(arguments.epochs, arguments.amp),
        data_name=arguments.data,
        data=find_labelled(arguments.data, arguments.root, kind),
        seed=arguments.seed,
        device=chosen_device(device),
        out=arguments.out,
        folder=arguments.out.with_suffix(".training"),
        ranks=ranks,
        tensorboard=arguments.tensorboard,
    )


def _report(job: Job, entries: Entries) -> None:
    main = MAIN[job.data.train.kind]
    scores = [e[f"held_out.{main}"] for e in entries if f"held_out.{main}" in e]
    if scores:
        print(f"val {main}: {100 * scores[-1]:.2f} %, best {100 * max(scores):.2f} %")
        print(f"best weights: {job.folder / BEST}")
    chosen = ", the best on val" if job.recipe.training.weights == "best" else ""
    print(f"weights: {job.out}{chosen}")
    print(f"use: --evaluator {job.model} --evaluator-weights {job.out}")
