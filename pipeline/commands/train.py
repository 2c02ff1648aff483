"""`pipeline train`: an enhancer, plain or with LFPV."""

from argparse import Namespace

from pipeline import zoo
from pipeline.checkpoints import require_checkpoint_path
from pipeline.errors import PipelineError
from pipeline.factory import require_trainable
from pipeline.names import parse_enhancer
from pipeline.ranks import Ranks
from pipeline.runner import chosen_device
from pipeline.training.command import Entries, carry_out
from pipeline.training.data import find_set
from pipeline.training.recipe import Recipe, find_recipe, read_recipe
from pipeline.training.session import Job
from pipeline.training.trainer import train


def train_enhancer(arguments: Namespace) -> None:
    """Train an enhancer and write an inference checkpoint that says how it was made.

    Signals: see `carry_out`.
    """
    carry_out(arguments, _job, train, _report)


def _job(arguments: Namespace, ranks: Ranks, device: str) -> Job:
    name = parse_enhancer(arguments.enhancer)
    if name.weights:
        raise PipelineError(f"'{name}': training starts anew; leave '@{name.weights}' out")
    require_trainable(name)
    recipe = _recipe(name.base, arguments)
    ranks.require_divisible(recipe.data.batch)
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


def _report(job: Job, entries: Entries) -> None:
    measured = [entry for entry in entries if "held_out.plain.psnr" in entry]
    for path in ("plain", "lfpv"):
        if measured and f"held_out.{path}.psnr" in measured[-1]:
            psnr, ssim = (measured[-1][f"held_out.{path}.{name}"] for name in ("psnr", "ssim"))
            print(f"held-out pairs, {path} path: PSNR {psnr:.3f} dB, SSIM {ssim:.4f}")
    print(f"weights: {job.out}")
