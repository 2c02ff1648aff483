"""`pipeline train-evaluator`: a small daytime classifier or segmentor."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import torch

import configs
from pipeline.checkpoints import require_checkpoint_path, write_checkpoint
from pipeline.commands.progress import training_progress
from pipeline.errors import PipelineError
from pipeline.evaluators import evaluator_config
from pipeline.factory import create_task
from pipeline.provenance import environment, manifest
from pipeline.recipes import fill, read_yaml
from pipeline.runner import chosen_device
from pipeline.sample import sample_folder
from tasks import mm
from tasks.models import create_timm
from tasks.task import Task
from tasks.training import Recipe, train_classifier, train_segmentor


def train_evaluator(arguments: Namespace) -> None:
    """Train a daytime evaluator; its checkpoint holds the class names and the input size."""
    require_checkpoint_path(arguments.out)
    task = _training_task(arguments)
    recipe = _recipe(arguments, task)
    device = chosen_device(arguments.device)
    torch.manual_seed(arguments.seed)
    if task.kind == "classification":
        model, loop = create_timm(arguments.model), train_classifier
        model.reset_classifier(len(task.classes))
    else:
        model, loop = mm.build_segmentor(evaluator_config(arguments.model)), train_segmentor
        if model.out_channels != len(task.classes):
            raise PipelineError(
                f"{arguments.model} has {model.out_channels} classes, the data "
                f"{len(task.classes)}; change `num_classes` in the config"
            )
    with training_progress(f"training {arguments.model}") as advance:
        loop(model, task, recipe, seed=arguments.seed, device=device, on_step=advance)
    header = {
        "evaluator": arguments.model,
        "classes": list(task.classes),
        "input_size": recipe.input_size,
        "recipe": asdict(recipe),
        "data": {"name": arguments.data, **manifest(task.samples)},
        "seed": arguments.seed,
        "environment": environment(device),
    }
    write_checkpoint(arguments.out, model.state_dict(), header)
    print(f"weights: {arguments.out}")


def _training_task(arguments: Namespace) -> Task:
    """The training images; without a classes.yaml, the folders are the list of classes."""
    name = arguments.data
    if name == "sample":
        root = sample_folder("train")
        segmentation = arguments.model.endswith(".py")
        part = (
            "segmentation:{}/street_day/train"
            if segmentation
            else "classification:{}/codan/data/train"
        )
        name = part.format(root)
    if not name.startswith(("classification:", "segmentation:")):
        raise PipelineError(
            f"unknown training data '{name}'; "
            "there are classification:DIR, segmentation:DIR, sample"
        )
    task = create_task(name)
    if task.classes is None:
        folders = sorted({str(sample.target) for sample in task.samples})
        task = replace(task, classes=tuple(folders))
    return task


def _recipe(arguments: Namespace, task: Task) -> Recipe:
    path = arguments.config or configs.ROOT / "evaluators" / f"{task.kind}.yaml"
    values: Mapping[str, Any] = read_yaml(path)
    if arguments.epochs:
        values = {**values, "epochs": arguments.epochs}
    return fill(Recipe, values, path)
