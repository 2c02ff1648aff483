"""What does LFPV add to a training step, and to enhancing an image?

    python bench/lfpv.py [--recipe short] [--supervision own] [--training sci …] [--inference sci …]

Training: a step with Adam on as many crops, as large, as the recipe takes, plain, with two paths
and no nodes, and with LFPV by the recipe's options. The loss is Charbonnier's (paired) or the
enhancer's own, in the phase in which nodes learn, without perceptual terms and without the step of
discriminators. Inference: one 600×400 image. CPU
time of one thread; the kinds take turns, so that other work on the machine slows all of them;
medians, and the ratio to plain of medians and of minima.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from enhancers.base import EncodeDecode, Enhancer
from enhancers.enlightengan import EnlightenGAN
from enhancers.lednet import LEDNet
from enhancers.lfpv import LFPVEnhancer, TwoPath
from enhancers.ruas import RUAS
from enhancers.sci import SCI
from enhancers.training import StepLoss
from enhancers.uretinex import URetinex
from enhancers.zerodcepp import ZeroDCEpp
from pipeline.allocator import keep_freed_memory
from pipeline.training.objectives import Objectives
from pipeline.training.recipe import Recipe, find_recipe, read_recipe

NETWORKS = {
    "sci": SCI,
    "ruas": RUAS,
    "zerodcepp": lambda: ZeroDCEpp(1),
    "uretinex": URetinex,
    "enlightengan": EnlightenGAN,
    "lednet": LEDNet,
}
SIZE = (400, 600)
REPEATS = 9
TRAINING = ("plain", "two paths", "lfpv")
INFERENCE = ("plain", "lfpv")


def seconds(runs: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """CPU times of each, in turns, after one warm-up."""
    for run in runs.values():
        run()
    taken: dict[str, list[float]] = {kind: [] for kind in runs}
    for _ in range(REPEATS):
        for kind, run in runs.items():
            started = time.process_time()
            run()
            taken[kind].append(time.process_time() - started)
    return taken


def joined(network: EncodeDecode, kind: str, **options: Any) -> Enhancer:
    if kind == "plain":
        return network
    if kind == "two paths":
        return TwoPath(network.encode, network.decode)
    return LFPVEnhancer(network.encode, network.decode, network.feature_channels, **options)


def training_step(name: str, kind: str, recipe: Recipe) -> Callable[[], object]:
    model = joined(NETWORKS[name](), kind, **asdict(recipe.lfpv)).train()
    learning = next(phase for phase in recipe.phases if phase.nodes == "learn")
    network = model if kind == "plain" else model.network
    objective = Objectives("none").make(learning.objective, network, None)
    loss, batch = StepLoss(model, objective), recipe.data.batch
    low, normal = torch.rand(2, batch, 3, *crop_of(recipe))
    weights = [*model.parameters(), *objective.parameters()]
    optimizer = torch.optim.Adam(weights, fused=True)

    def step() -> None:
        optimizer.zero_grad()
        loss(low, normal, torch.arange(batch)).loss.backward()
        optimizer.step()

    return step


def crop_of(recipe: Recipe) -> tuple[int, int]:
    """Whole images are LOL's."""
    side = recipe.data.crop or recipe.data.resize
    return (side, side) if side else SIZE


def image_run(name: str, kind: str) -> Callable[[], object]:
    model = joined(NETWORKS[name](), kind)
    if isinstance(model, LFPVEnhancer):
        model.train().training_paths(torch.rand(1, 3, 64, 64))
    image = torch.rand(1, 3, *SIZE)
    model.eval()
    return torch.inference_mode()(lambda: model(image))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="short", choices=["short", "published"])
    parser.add_argument("--supervision", default="paired", choices=["paired", "own"])
    parser.add_argument("--training", nargs="*", default=NETWORKS, choices=NETWORKS)
    parser.add_argument("--inference", nargs="*", default=NETWORKS, choices=NETWORKS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()  # as `pipeline` does
    steps = Table(
        title=f"a step of the {arguments.recipe} recipe, {arguments.supervision}, CPU ms, ratio to "
        "plain (of minima)"
    )
    add_headings(steps, "network", "crops", *TRAINING)
    for name in arguments.training:
        recipe = read_recipe(find_recipe(name, arguments.recipe), arguments.supervision)
        height, width = crop_of(recipe)
        times = seconds({kind: training_step(name, kind, recipe) for kind in TRAINING})
        steps.add_row(name, f"{recipe.data.batch} of {width}x{height}", *cells(times))
    images = Table(title=f"one {SIZE[1]}x{SIZE[0]} image, CPU ms, ratio to plain (of minima)")
    add_headings(images, "network", *INFERENCE)
    for name in arguments.inference:
        images.add_row(name, *cells(seconds({kind: image_run(name, kind) for kind in INFERENCE})))
    for table in (steps, images):
        if table.row_count:
            Console(width=120).print(table)
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")


def add_headings(table: Table, *headings: str) -> None:
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "network" else "right")


def cells(times: dict[str, list[float]]) -> list[str]:
    return [_cell(taken, times["plain"]) for taken in times.values()]


def _cell(times: list[float], plain: list[float]) -> str:
    median, base = statistics.median(times), statistics.median(plain)
    return f"{1000 * median:.0f}, {median / base:.2f} ({min(times) / min(plain):.2f})"


if __name__ == "__main__":
    main()
