"""What do the published schedules cost, in multiply-adds?

    python bench/schedules.py [--models MODEL …]

A step of one image, forward and backward, times the images of all steps; of an enhancer in every
phase of its own objective, with perceptual networks and discriminators. Counted by torch in
convolutions and matrix products (MAC = FLOP / 2); pointwise work is left out.
"""

import argparse
from collections.abc import Callable
from typing import Any

import torch
from lfpv import NETWORKS, crop_of
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count
from torchvision.models import vgg16, vgg19

from enhancers.losses.perceptual import VGGFeatures
from enhancers.training import StepLoss, is_adversarial, plain_network
from pipeline.cost import three_digits
from pipeline.evaluator_training import recipe as evaluators
from pipeline.evaluators import evaluator_config
from pipeline.names import parse_enhancer
from pipeline.training.objectives import FEATURES, Objectives
from pipeline.training.phase import train_only
from pipeline.training.recipe import Recipe, find_recipe, read_recipe
from pipeline.training.session import new_model
from tasks import cityscapes
from tasks.models import DownstreamModel, ModelInfo
from tasks.protocol import load_card
from tasks.trainable import TrainingLoss, untrained_classifier, untrained_segmentor

# Model → its data, and how many images that has.
EVALUATORS = {"resnet18": ("codan_day", 10_000), "refinenet_r101.py": ("cityscapes", 2_975)}


class Untrained(Objectives):
    """Objectives whose perceptual networks hold random weights: their cost is the same."""

    def _features(self, name: str) -> VGGFeatures:
        depth, layers = FEATURES[name]
        state = {16: vgg16, 19: vgg19}[depth](weights=None, init_weights=False).state_dict()
        return VGGFeatures(depth, layers, state)


def backward_flop(gradient: Any, image: Any, weight: Any, *settings: Any, **_: Any) -> int:
    """Each gradient of a convolution takes what it takes forward.

    torch's own formula takes the weights' of a grouped one for those of a full one.
    """
    _bias, _stride, _padding, _dilation, transposed, _more, _groups, mask = settings
    return sum(mask[:2]) * conv_flop_count(image, weight, gradient, transposed)


def counted(step: Callable[[], object]) -> int:
    """Multiply-adds of what `step` does."""
    formulas = {torch.ops.aten.convolution_backward: backward_flop}
    with FlopCounterMode(display=False, custom_mapping=formulas) as counter:
        step()
    return counter.get_total_flops() // 2


def enhancer_macs(name: str, recipe: Recipe) -> int:
    """Of all phases of a recipe."""
    model = new_model(parse_enhancer(name), recipe).train()
    low, normal = torch.rand(2, 1, 3, *crop_of(recipe))
    objectives, objective, total = Untrained("vgg"), None, 0
    for phase in recipe.phases:
        objective = objectives.make(phase.objective, plain_network(model), objective)
        train_only(model, getattr(objective, "trains", ("",)), phase.nodes)
        loss = StepLoss(model, objective, nodes=phase.nodes)
        total += phase.steps * recipe.data.batch * step_macs(loss, low, normal)
    return total


def step_macs(loss: StepLoss, low: Tensor, normal: Tensor) -> int:
    """Of the model's update and its adversary's."""

    def step() -> None:
        loss(low, normal, torch.arange(1)).loss.backward()
        if is_adversarial(loss.objective):
            loss.discriminator_loss(normal)[0].backward()

    return counted(step)


def evaluator_macs(model: DownstreamModel, size: tuple[int, int]) -> int:
    """Of a step of one image."""
    image = torch.zeros(1, 3, *size, dtype=torch.uint8)
    target = torch.zeros(1, *size) if model.kind == "segmentation" else torch.zeros(1)
    loss = TrainingLoss(model.train(), None)
    return counted(lambda: loss(image, target).backward())


def enhancer_row(name: str) -> list[str]:
    recipe = read_recipe(find_recipe(name, "published"), "own")
    height, width = crop_of(recipe)
    macs = [enhancer_macs(one, recipe) for one in (name, f"{name}+lfpv")]
    return _row(name, recipe.steps, recipe.data.batch, (height, width), *macs)


def evaluator_row(name: str) -> list[str]:
    data, images = EVALUATORS[name]
    recipe = evaluators.read_recipe(evaluators.find_recipe(name, data, "", None))
    if name.endswith(".py"):
        model = untrained_segmentor(evaluator_config(name), ModelInfo(cityscapes.CLASSES))
    else:
        model = untrained_classifier(name, ModelInfo(load_card("codan").classes))
    steps, batch, size = recipe.steps(images), recipe.data.batch, recipe.images.crop
    return _row(name, steps, batch, size, steps * batch * evaluator_macs(model, size))


def _row(name: str, steps: int, batch: int, size: tuple[int, int], *macs: int) -> list[str]:
    images = f"{batch} of {size[1]}x{size[0]}"
    return [name, f"{steps:,}", images, *(three_digits(one / 1e15) for one in macs)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = [*EVALUATORS, *NETWORKS]
    parser.add_argument("--models", nargs="+", default=known, choices=known)
    table = Table(title="published schedules, PMAC")
    for heading in ("model", "steps", "images a step", "alone", "+lfpv"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for name in parser.parse_args().models:
        table.add_row(*(evaluator_row if name in EVALUATORS else enhancer_row)(name))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
