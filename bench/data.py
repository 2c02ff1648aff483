"""How long does a training step wait for its data?

    python bench/data.py ROOT [--device cuda] [--steps 100]

ROOT is LOL-v1. Zero-DCE++ with its own losses is trained for real, on batches decoded every time
and on batches of images that are kept. Printed: samples a second that the stream gives by itself,
milliseconds of a step, milliseconds of them spent waiting, and what fraction that is.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from enhancers.losses.zerodcepp import ZeroDCEppObjective
from enhancers.zerodcepp import ZeroDCEpp
from tasks.augmentation import Augmentation
from tasks.decoded import BUDGET
from tasks.stream import Stream, TrainingSample, batches
from tasks.training_sets import training_set

SHAPES = ((96, 4), (320, 1))
WORKERS = (0, 2)
KEPT = {"decoded": 0, "kept": BUDGET}
# Draws of every image by every worker before the clock starts: 98 % of them are then decoded.
ROUNDS = 4


class Step:
    """One optimiser step of the published recipe."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.network, self.objective = ZeroDCEpp(1).to(device), ZeroDCEppObjective().to(device)
        self.optimizer = torch.optim.Adam(self.network.parameters(), 1e-4, weight_decay=1e-4)

    def __call__(self, batch: TrainingSample) -> None:
        loss, _ = self.objective(self.network.run, batch.low.to(self.device), None)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 0.1)
        self.optimizer.step()
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def samples_a_second(data: Iterator[TrainingSample], batch: int, steps: int) -> float:
    started = time.perf_counter()
    for _ in range(steps):
        next(data)
    return batch * steps / (time.perf_counter() - started)


def waiting(data: Iterator[TrainingSample], step: Step, steps: int) -> tuple[float, float]:
    """Milliseconds of a step with its data, and of the wait for the data in it."""
    begun, waited = time.perf_counter(), 0.0
    for _ in range(steps):
        started = time.perf_counter()
        batch = next(data)
        waited += time.perf_counter() - started
        step(batch)
    return 1e3 * (time.perf_counter() - begun) / steps, 1e3 * waited / steps


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", type=int, default=100)
    arguments = parser.parse_args()
    data, step = training_set("lol", arguments.root), Step(torch.device(arguments.device))
    table = Table(title=f"{len(data.low)} pairs, {arguments.device}, {arguments.steps} steps")
    for heading in ("crop", "batch", "workers", "images", "samples/s", "ms/step", "waiting", "%"):
        table.add_column(heading, justify="right")
    for crop, batch in SHAPES:
        for workers in WORKERS:
            for images, budget in KEPT.items():
                warm = ROUNDS * len(data.low) * max(workers, 1) // batch if budget else 10
                steps = warm + 2 * arguments.steps + 10
                stream = Stream(data, Augmentation(crop), batch * steps, 0, budget)
                source = iter(batches(stream, batch=batch, workers=workers))
                samples_a_second(source, batch, warm)
                rate = samples_a_second(source, batch, arguments.steps)
                whole, waited = waiting(source, step, arguments.steps)
                row = crop, batch, workers, images, f"{rate:.0f}", f"{whole:.1f}", f"{waited:.2f}"
                table.add_row(*map(str, row), f"{100 * waited / whole:.1f}")
    Console().print(table)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s)")


if __name__ == "__main__":
    main()
