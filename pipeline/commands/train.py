"""`pipeline train`: an enhancer, plain or with LFPV."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import torch

import configs
from enhancers.base import Enhancer
from enhancers.lfpv import LFPVEnhancer
from enhancers.losses import Objective, Paired
from enhancers.training import TrainingConfig, train
from pipeline import zoo
from pipeline.checkpoints import write_checkpoint
from pipeline.commands.progress import training_progress
from pipeline.errors import PipelineError
from pipeline.factory import dataset_root, new_network
from pipeline.files import require_writable
from pipeline.names import EnhancerName, parse_enhancer
from pipeline.provenance import environment
from pipeline.recipes import fill, read_yaml
from pipeline.registry import ENHANCERS, OBJECTIVES
from pipeline.runner import chosen_device
from pipeline.sample import sample_folder
from tasks.pairs import crops, lol_pairs

SECTIONS = {"network", "lfpv", "objective", "training", "data"}


def train_enhancer(arguments: Namespace) -> None:
    """Train an enhancer and write an inference checkpoint that says how it was made."""
    name = parse_enhancer(arguments.enhancer)
    if name.weights:
        raise PipelineError(f"'{name}': training starts anew; leave '@{name.weights}' out")
    path, recipe = _recipe(name, arguments)
    training = fill(TrainingConfig, recipe["training"], path)
    out = arguments.out or zoo.weights_folder() / f"{name.bare}@ours-{arguments.data}.safetensors"
    require_writable(out.parent)
    device = chosen_device(arguments.device)
    torch.manual_seed(arguments.seed)
    model = new_network(name, recipe["network"], recipe["lfpv"]).to(device)
    objective = _objective(name, recipe["objective"]).to(device)
    pairs = lol_pairs(_data_root(arguments))
    batches = crops(pairs, steps=training.steps, seed=arguments.seed, **recipe["data"])
    losses: list[float] = []
    with training_progress(f"training {name}") as advance:

        def on_step(step: int, parts: dict[str, float]) -> None:
            losses.append(parts["loss"])
            advance(step, training.steps, parts["loss"])

        train(
            model,
            objective,
            ((low.to(device), normal.to(device)) for low, normal in batches),
            training,
            on_step,
        )
    header = {
        "enhancer": name.bare,
        "recipe": recipe,
        "data": {"name": arguments.data, "pairs": len(pairs)},
        "seed": arguments.seed,
        "environment": environment(device),
    }
    write_checkpoint(out, *_inference(model, header))
    tenth = max(1, len(losses) // 10)
    first, last = sum(losses[:tenth]) / tenth, sum(losses[-tenth:]) / tenth
    print(f"loss: {first:.4f} (first tenth of the steps) to {last:.4f} (last tenth)")
    print(f"weights: {out}")


def _recipe(name: EnhancerName, arguments: Namespace) -> tuple[Path, dict[str, Any]]:
    """The recipe's file and its content, with `--steps` in it."""
    ENHANCERS.get(name.base)
    path = arguments.config or configs.ROOT / "enhancers" / f"{name.base}.yaml"
    if not arguments.config and not path.is_file():
        raise PipelineError(f"there is no recipe for '{name.base}'; give one with --config FILE")
    recipe = read_yaml(path)
    if missing := sorted(SECTIONS - set(recipe)):
        raise PipelineError(f"{path}: has no key '{missing[0]}'")
    if unknown := sorted(set(recipe) - SECTIONS):
        raise PipelineError(f"{path}: unknown key '{unknown[0]}'")
    if arguments.steps:
        recipe["training"] = recipe["training"] | {"steps": arguments.steps}
    return path, recipe


def _objective(name: EnhancerName, kind: str) -> Objective:
    if kind == "paired":
        return Paired()
    if kind == "own":
        return OBJECTIVES.get(name.base)()
    raise PipelineError(f"objective is own or paired, not '{kind}'")


def _data_root(arguments: Namespace) -> Path:
    if arguments.data == "sample":
        return sample_folder("train") / "pairs"
    if arguments.data == "lol":
        return Path(arguments.root) if arguments.root else dataset_root("lol")
    raise PipelineError(f"unknown training data '{arguments.data}'; there are lol, sample")


def _inference(model: Enhancer, header: dict[str, Any]) -> tuple[dict, dict[str, Any]]:
    """State without SU and MU, and the header with what is needed to build the network again."""
    if isinstance(model, LFPVEnhancer):
        header = {**header, "options": model.network.options, "lfpv": model.options}
        return model.inference_state_dict(), header
    return model.state_dict(), {**header, "options": model.options}
