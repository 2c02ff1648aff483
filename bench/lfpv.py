"""What does LFPV add to a training step, and to enhancing an image?

    python bench/lfpv.py [--training sci zerodcepp ...] [--inference sci uretinex ...]

Training: Charbonnier step (forward and backward) on 4 crops of 96 pixels, plain, with two paths and
no nodes, and with LFPV. Inference: one 600×400 image. CPU time over all threads, one thread,
medians; every row in one run on one machine, so read the ratios.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table

from enhancers.base import EncodeDecode, Enhancer
from enhancers.enlightengan import EnlightenGAN
from enhancers.lednet import LEDNet
from enhancers.lfpv import LFPVEnhancer, TwoPath
from enhancers.losses import Paired
from enhancers.ruas import RUAS
from enhancers.sci import SCI
from enhancers.training import StepLoss
from enhancers.uretinex import URetinex
from enhancers.zerodcepp import ZeroDCEpp

NETWORKS = {
    "sci": SCI,
    "ruas": RUAS,
    "zerodcepp": lambda: ZeroDCEpp(1),
    "uretinex": URetinex,
    "enlightengan": EnlightenGAN,
    "lednet": LEDNet,
}
BATCH, CROP, SIZE = 4, 96, (400, 600)
STEPS, IMAGES = 7, 3


def seconds(run: Callable[[], object], repeats: int) -> float:
    """Median CPU time after one warm-up."""
    run()
    taken = []
    for _ in range(repeats):
        started = time.process_time()
        run()
        taken.append(time.process_time() - started)
    return statistics.median(taken)


def joined(network: EncodeDecode, kind: str) -> Enhancer:
    if kind == "plain":
        return network
    if kind == "two paths":
        return TwoPath(network.encode, network.decode)
    return LFPVEnhancer(network.encode, network.decode, network.feature_channels)


def step_time(name: str, kind: str) -> float:
    model = joined(NETWORKS[name](), kind).train()
    loss = StepLoss(model, Paired())
    low, normal = torch.rand(2, BATCH, 3, CROP, CROP)

    def step() -> None:
        model.zero_grad()
        loss(low, normal, torch.arange(BATCH)).loss.backward()

    return seconds(step, STEPS)


@torch.no_grad()
def image_time(name: str, kind: str) -> float:
    model = joined(NETWORKS[name](), kind)
    if isinstance(model, LFPVEnhancer):
        model.train().training_paths(torch.rand(1, 3, 64, 64))
    image = torch.rand(1, 3, *SIZE)
    model.eval()
    with torch.inference_mode():
        return seconds(lambda: model(image), IMAGES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--training", nargs="*", default=NETWORKS, choices=NETWORKS)
    parser.add_argument("--inference", nargs="*", default=NETWORKS, choices=NETWORKS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    parts = (
        (f"a step of {BATCH} crops of {CROP}", step_time, arguments.training),
        (f"one {SIZE[1]}x{SIZE[0]} image", image_time, arguments.inference),
    )
    for title, measure, names in parts:
        kinds = ["plain", "two paths", "lfpv"] if measure is step_time else ["plain", "lfpv"]
        table = Table(title=f"{title}, CPU ms (ratio to plain)")
        for heading in ("network", *kinds):
            table.add_column(heading, justify="left" if heading == "network" else "right")
        for name in names:
            times = [measure(name, kind) for kind in kinds]
            cells = (f"{1000 * t:.0f} ({t / times[0]:.2f})" for t in times)
            table.add_row(name, *cells)
        Console().print(table)
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")


if __name__ == "__main__":
    main()
