"""`pipeline train-evaluator`: a daytime classifier or segmentor."""

from argparse import Namespace
from typing import Any

from pipeline.checkpoints import require_checkpoint_path
from pipeline.evaluator_training.data import find_labelled, kind_of
from pipeline.evaluator_training.recipe import find_recipe, read_recipe
from pipeline.evaluator_training.session import Job
from pipeline.evaluator_training.trainer import train
from pipeline.evaluator_training.validation import MAIN
from pipeline.evaluators import model_name
from pipeline.runner import chosen_device
from pipeline.training import checkpoint
from pipeline.training.ranks import Ranks, joined
from pipeline.training.session import BEST
from pipeline.training.signals import leave, stop_on_signals


def train_evaluator(arguments: Namespace) -> None:
    """Train an evaluator and write a checkpoint that --evaluator-weights takes.

    SIGINT and SIGTERM end it after the step, with a checkpoint, by SystemExit 130 or 143.
    """
    with joined(arguments.device) as (ranks, device), stop_on_signals() as stop:
        job = _job(arguments, ranks, device)
        if ranks.first and not arguments.resume:
            checkpoint.begin(job.folder)
        ranks.wait()
        entries = train(job, stop, arguments.resume)
    leave(stop, says=ranks.first)
    if ranks.first:
        _report(job, entries)


def _job(arguments: Namespace, ranks: Ranks, device: str) -> Job:
    require_checkpoint_path(arguments.out)
    model = model_name(arguments.model)
    kind = kind_of(model)
    recipe = read_recipe(find_recipe(model, arguments.data, kind, arguments.config))
    ranks.share(recipe.data.batch)
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


def _report(job: Job, entries: list[dict[str, Any]]) -> None:
    losses = [entry["loss"] for entry in entries if "loss" in entry]
    if losses:
        print(f"loss: {losses[0]:.4f} (first in the log) to {losses[-1]:.4f} (last)")
    main = MAIN[job.data.train.kind]
    scores = [e[f"held_out.{main}"] for e in entries if f"held_out.{main}" in e]
    if scores:
        print(f"val {main}: {100 * scores[-1]:.2f} %, best {100 * max(scores):.2f} %")
        print(f"best weights: {job.folder / BEST}")
    print(f"weights: {job.out}")
    print(f"use: --evaluator {job.model} --evaluator-weights {job.out}")
