"""How does time grow with the number of images, their size and the reading processes?

    python bench/scaling.py [--part images size workers batch] [--rounds 3]

`sci` and the sample's segmentor on random pictures and labels. images, size, workers: one run from
Python, models and data loaded, result with its intervals included; 160×120 unless said. batch: one
`pipeline batch` of 12 cells against 12 times `pipeline run`, all as processes of their own. CPU
seconds of all processes, and wall seconds; medians of rounds in which all kinds take turns.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from times import taken

from pipeline import create_task
from pipeline.factory import load_enhancer
from pipeline.names import parse_enhancer
from pipeline.runner import chain_options, prepare, run_loaded
from tasks.cityscapes import CLASSES

SMALL = (160, 120)
COUNTS = (1, 10, 100, 1000)
SIZES = ((160, 120), (320, 240), (640, 480), (1280, 960))
WORKERS = (0, 1, 2, 4)
ENHANCERS = ("identity", "gamma@0.5", "clahe", "sci@ours-sample")
TASKS = ("darkzurich", "nighttime_driving", "codan")
PIPELINE = [sys.executable, "-m", "pipeline"]
Kinds = dict[str, tuple[Callable[[], object], int]]


def folder(root: Path, count: int, size: tuple[int, int]) -> Path:
    """A user's folder of random pictures, which hardly compress, with labels."""
    place, rng = root / f"{count}-{size[0]}", np.random.default_rng(0)
    for name, channels, above in (("images", (3,), 256), ("labels", (), len(CLASSES))):
        (place / name).mkdir(parents=True)
        for index in range(count):
            pixels = rng.integers(0, above, (size[1], size[0], *channels), dtype=np.uint8)
            Image.fromarray(pixels).save(place / name / f"{index:04d}.png")
    (place / "classes.yaml").write_text(f"classes: [{', '.join(CLASSES)}]\n")
    return place


def prepared(
    root: Path, count: int, size: tuple[int, int], workers: int = 2
) -> tuple[Callable[[], object], int]:
    """A run with all loaded, and its number of images."""
    task = create_task(f"segmentation:{folder(root / str(workers), count, size)}")
    enhancer = load_enhancer(parse_enhancer("sci@ours-sample"))
    bench = prepare(task, "street19-sample", None)
    options = chain_options(task, "cpu", False, None, workers)
    return lambda: run_loaded("sci", enhancer, bench, options, {}), count


def by_images(root: Path) -> Kinds:
    return {f"{count} images": prepared(root, count, SMALL) for count in COUNTS}


def by_size(root: Path) -> Kinds:
    return {f"{w}x{h}": prepared(root, 10, (w, h)) for w, h in SIZES}


def by_workers(root: Path) -> Kinds:
    return {f"{n} reading processes": prepared(root, 50, (640, 480), n) for n in WORKERS}


def by_cells(root: Path) -> Kinds:
    """Every run, and the batch, into a folder of its own: nothing is found done."""
    config = root / "cells.yaml"
    tasks = ", ".join(f"{{task: {task}, sample: true}}" for task in TASKS)
    config.write_text(f"enhancers: [{', '.join(ENHANCERS)}]\ntasks: [{tasks}]\n")

    def call(*arguments: str) -> None:
        with tempfile.TemporaryDirectory(dir=root) as out:
            command = [*PIPELINE, *arguments, "--out", out]
            subprocess.run(command, check=True, capture_output=True)

    def runs() -> None:
        for task in TASKS:
            for enhancer in ENHANCERS:
                call("run", "--enhancer", enhancer, "--task", task, "--sample")

    def runs_of_many() -> None:
        for task in TASKS:
            call("run", "--enhancer", *ENHANCERS, "--task", task, "--sample")

    cells = len(ENHANCERS) * len(TASKS)
    return {
        f"{cells} × pipeline run": (runs, cells),
        f"{len(TASKS)} × pipeline run of {len(ENHANCERS)} enhancers": (runs_of_many, cells),
        "pipeline batch": (lambda: call("batch", str(config)), cells),
    }


PARTS = {"images": by_images, "size": by_size, "workers": by_workers, "batch": by_cells}


def measured(kinds: Kinds, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """(wall, CPU) seconds of each kind and round."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, (run, _) in kinds.items():
            found[name].append(taken(run))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        # Loads what is loaded late.
        prepared(Path(root), 1, SMALL)[0]()
    for part in arguments.part:
        with tempfile.TemporaryDirectory() as root:
            kinds = PARTS[part](Path(root))
            times = measured(kinds, arguments.rounds)
        what = "cell" if part == "batch" else "image"
        table = Table(title=f"{part}, median of {arguments.rounds}")
        for heading in ("", "wall s", "CPU s", f"CPU ms / {what}"):
            table.add_column(heading, justify="right" if heading else "left")
        for name, (_, number) in kinds.items():
            wall, cpu = (statistics.median(values) for values in zip(*times[name], strict=True))
            table.add_row(name, f"{wall:.2f}", f"{cpu:.2f}", f"{1000 * cpu / number:.1f}")
        Console().print(table)
    cores = len(os.sched_getaffinity(0))
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s), {cores} cores")


if __name__ == "__main__":
    main()
