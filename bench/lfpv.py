"""What does LFPV add to a training step, and to enhancing an image?

    python bench/lfpv.py [--training sci zerodcepp ...] [--inference sci uretinex ...]

Training: Charbonnier step (forward and backward) on 4 crops of 96 pixels, plain, with two paths and
no nodes, with LFPV, and with LFPV whose Mutual Updater meets 4 partners instead of all 15.
Inference: one 600×400 image. CPU time of one thread; the kinds take turns, so that other work on
the machine slows all of them; medians, and the ratio to plain of medians and of minima.
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
BATCH, CROP, SIZE, FEW = 4, 96, (400, 600), 4
REPEATS = 9
TRAINING = ("plain", "two paths", "lfpv", f"lfpv, {FEW} partners")
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


def joined(network: EncodeDecode, kind: str) -> Enhancer:
    if kind == "plain":
        return network
    if kind == "two paths":
        return TwoPath(network.encode, network.decode)
    partners = FEW if kind.endswith("partners") else 0
    channels = network.feature_channels
    return LFPVEnhancer(network.encode, network.decode, channels, partners=partners)


def training_step(name: str, kind: str) -> Callable[[], object]:
    model = joined(NETWORKS[name](), kind).train()
    loss = StepLoss(model, Paired())
    low, normal = torch.rand(2, BATCH, 3, CROP, CROP)

    def step() -> None:
        model.zero_grad()
        loss(low, normal, torch.arange(BATCH)).loss.backward()

    return step


def image_run(name: str, kind: str) -> Callable[[], object]:
    model = joined(NETWORKS[name](), kind)
    if isinstance(model, LFPVEnhancer):
        model.train().training_paths(torch.rand(1, 3, 64, 64))
    image = torch.rand(1, 3, *SIZE)
    model.eval()
    return torch.inference_mode()(lambda: model(image))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--training", nargs="*", default=NETWORKS, choices=NETWORKS)
    parser.add_argument("--inference", nargs="*", default=NETWORKS, choices=NETWORKS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    parts = (
        (f"a step of {BATCH} crops of {CROP}", training_step, arguments.training, TRAINING),
        (f"one {SIZE[1]}x{SIZE[0]} image", image_run, arguments.inference, INFERENCE),
    )
    for title, made, names, kinds in parts:
        table = Table(title=f"{title}, CPU ms, ratio to plain (of minima)")
        for heading in ("network", *kinds):
            table.add_column(heading, justify="left" if heading == "network" else "right")
        for name in names:
            times = seconds({kind: made(name, kind) for kind in kinds})
            table.add_row(name, *(_cell(times[kind], times["plain"]) for kind in kinds))
        Console(width=120).print(table)
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")


def _cell(times: list[float], plain: list[float]) -> str:
    median, base = statistics.median(times), statistics.median(plain)
    return f"{1000 * median:.0f}, {median / base:.2f} ({min(times) / min(plain):.2f})"


if __name__ == "__main__":
    main()
