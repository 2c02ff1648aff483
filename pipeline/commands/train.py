"""`pipeline train`: an enhancer, plain or with LFPV."""

from argparse import Namespace
from typing import Any

from pipeline import zoo
from pipeline.checkpoints import require_checkpoint_path
from pipeline.errors import PipelineError
from pipeline.factory import require_trainable
from pipeline.names import parse_enhancer
from pipeline.runner import chosen_device
from pipeline.training import checkpoint
from pipeline.training.data import find_set
from pipeline.training.ranks import Ranks, joined
from pipeline.training.recipe import Recipe, find_recipe, read_recipe
from pipeline.training.session import Job
from pipeline.training.signals import leave, stop_on_signals
from pipeline.training.trainer import train


def train_enhancer(arguments: Namespace) -> None:
    """Train an enhancer and write an inference checkpoint that says how it was made.

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
    name = parse_enhancer(arguments.enhancer)
    if name.weights:
        raise PipelineError(f"'{name}': training starts anew; leave '@{name.weights}' out")
    require_trainable(name)
    recipe = _recipe(name.base, arguments)
    ranks.share(recipe.data.batch)
    suffix = "" if recipe.control == "none" else f"-{recipe.control}"
    file = f"{name.bare}@ours-{arguments.data}{suffix}.safetensors"
    out = arguments.out or zoo.weights_folder() / file
    require_checkpoint_path(out)
    data = find_set(arguments.data, arguments.root)
    if recipe.data.validation:
        data = data.with_validation(recipe.data.validation)
    return Job(
        name=name,
        recipe=recipe,
        data_name=arguments.data,
        data=data,
        seed=arguments.seed,
        device=chosen_device(device),
        out=out,
        folder=out.with_suffix(".training"),
        tensorboard=arguments.tensorboard,
        ranks=ranks,
    )


def _recipe(base: str, arguments: Namespace) -> Recipe:
    """The recipe file, with what the command line changes."""
    recipe = read_recipe(find_recipe(base, arguments.config), arguments.supervision)
    return recipe.changed(arguments.steps, arguments.amp)


def _report(job: Job, entries: list[dict[str, Any]]) -> None:
    losses = [entry["loss"] for entry in entries if "loss" in entry]
    if losses:
        print(f"loss: {losses[0]:.4f} (first in the log) to {losses[-1]:.4f} (last)")
    measured = [entry for entry in entries if "held_out.plain.psnr" in entry]
    for path in ("plain", "lfpv"):
        if measured and f"held_out.{path}.psnr" in measured[-1]:
            psnr, ssim = (measured[-1][f"held_out.{path}.{name}"] for name in ("psnr", "ssim"))
            print(f"held-out pairs, {path} path: PSNR {psnr:.3f} dB, SSIM {ssim:.4f}")
    print(f"weights: {job.out}")
