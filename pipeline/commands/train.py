"""`pipeline train`: an enhancer, plain or with LFPV."""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch

import configs
from enhancers.base import Enhancer
from enhancers.lfpv import LFPVEnhancer
from enhancers.losses import Objective, Paired
from enhancers.training import TrainingConfig, train
from pipeline import zoo
from pipeline.checkpoints import require_checkpoint_path, write_checkpoint
from pipeline.commands.progress import training_progress
from pipeline.errors import PipelineError
from pipeline.factory import dataset_root, new_network, require_trainable
from pipeline.names import EnhancerName, parse_enhancer
from pipeline.provenance import environment
from pipeline.recipes import fill, read_yaml
from pipeline.registry import OBJECTIVES
from pipeline.runner import chosen_device
from pipeline.sample import sample_folder
from tasks.pairs import crops, lol_pairs


@dataclass(frozen=True)
class LFPVSection:
    """Recipe section `lfpv`: options of `LFPVEnhancer`."""

    nodes: int = 16
    patch: int = 4
    positions: int = 1
    normalize: bool = True


@dataclass(frozen=True)
class DataSection:
    """Recipe section `data`: crops a step, their side in pixels, reading processes."""

    batch: int
    crop: int
    workers: int = 2

    def __post_init__(self) -> None:
        if self.batch < 1 or self.crop < 16 or self.workers < 0:
            raise PipelineError("needs batch >= 1, crop >= 16 and workers >= 0")


@dataclass(frozen=True)
class Recipe:
    """A recipe file: network options, and the sections that `--steps` and the loop need."""

    network: dict[str, Any]
    lfpv: LFPVSection
    objective: str
    data: DataSection
    training: TrainingConfig


def train_enhancer(arguments: Namespace) -> None:
    """Train an enhancer and write an inference checkpoint that says how it was made."""
    name = parse_enhancer(arguments.enhancer)
    if name.weights:
        raise PipelineError(f"'{name}': training starts anew; leave '@{name.weights}' out")
    recipe = _recipe(name, arguments)
    out = arguments.out or zoo.weights_folder() / f"{name.bare}@ours-{arguments.data}.safetensors"
    require_checkpoint_path(out)
    device = chosen_device(arguments.device)
    torch.manual_seed(arguments.seed)
    model = new_network(name, recipe.network, asdict(recipe.lfpv)).to(device)
    objective = _objective(name, recipe.objective).to(device)
    training, pairs = recipe.training, lol_pairs(_data_root(arguments))
    batches = crops(pairs, steps=training.steps, seed=arguments.seed, **asdict(recipe.data))
    write_scalars = _scalar_writer(arguments.tensorboard)
    losses: list[float] = []
    with training_progress(f"training {name}") as advance:

        def on_step(step: int, parts: dict[str, float]) -> None:
            losses.append(parts["loss"])
            advance(step, training.steps, parts["loss"])
            write_scalars(step, parts)

        train(
            model,
            objective,
            ((low.to(device), normal.to(device)) for low, normal in batches),
            training,
            on_step,
        )
    header = {
        "enhancer": name.bare,
        "recipe": asdict(recipe),
        "data": {"name": arguments.data, "pairs": len(pairs)},
        "seed": arguments.seed,
        "environment": environment(device),
    }
    write_checkpoint(out, *_inference(model, header))
    tenth = max(1, len(losses) // 10)
    first, last = sum(losses[:tenth]) / tenth, sum(losses[-tenth:]) / tenth
    print(f"loss: {first:.4f} (first tenth of the steps) to {last:.4f} (last tenth)")
    print(f"weights: {out}")


def _recipe(name: EnhancerName, arguments: Namespace) -> Recipe:
    """The recipe file, with `--steps` in it."""
    require_trainable(name)
    path = arguments.config or configs.ROOT / "enhancers" / f"{name.base}.yaml"
    if not arguments.config and not path.is_file():
        raise PipelineError(f"there is no recipe for '{name.base}'; give one with --config FILE")
    content = read_yaml(path)
    known = [field.name for field in fields(Recipe)]
    for key in (*known, *content):
        if key not in content:
            raise PipelineError(f"{path}: {key} is missing")
        if key not in known:
            raise PipelineError(f"{path}: {key} is no known key; known: {', '.join(known)}")
    if not isinstance(content["network"], dict):
        raise PipelineError(f"{path}: network must be a mapping; write {{}} for no options")
    training = fill(TrainingConfig, content["training"], path, "training")
    return Recipe(
        network=content["network"],
        lfpv=fill(LFPVSection, content["lfpv"], path, "lfpv"),
        objective=content["objective"],
        data=fill(DataSection, content["data"], path, "data"),
        training=replace(training, steps=arguments.steps or training.steps),
    )


def _scalar_writer(folder: Path | None) -> Callable[[int, dict[str, float]], None]:
    """Writes a step's losses for TensorBoard; nothing without a folder."""
    if folder is None:
        return lambda step, parts: None
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise PipelineError(
            "--tensorboard needs an extra: pip install 'llie-pipeline[tensorboard]'"
        ) from None
    writer = SummaryWriter(str(folder))

    def write(step: int, parts: dict[str, float]) -> None:
        for name, value in parts.items():
            writer.add_scalar(name, value, step)
        writer.flush()

    return write


def _objective(name: EnhancerName, kind: str) -> Objective:
    if kind == "paired":
        return Paired()
    if kind == "own":
        return OBJECTIVES.get(name.base)()
    raise PipelineError(f"objective is own or paired, not '{kind}'")


def _data_root(arguments: Namespace) -> Path:
    if arguments.data == "sample":
        if arguments.root:
            raise PipelineError("--data sample brings its own data; leave --root out")
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
