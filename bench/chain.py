"""What does each stage of the chain cost, and how much does the chain add to its stages?

Runs enhancers over the sample's night streets (24 frames, 512x256), several times each, and
prints medians: per-image milliseconds of decoding (in worker processes), enhancement and
evaluation, the wall time per image of the whole chain, and its ratio to enhance + evaluate.

    python bench/chain.py [--device cuda] [--enhancer NAME ...]
"""

import argparse
import platform
import statistics
import time

import torch

from pipeline import create_enhancer, create_task
from pipeline.chain import measure
from pipeline.runner import chain_options, prepare

RUNS = 5
STAGES = ("decode", "enhance", "evaluate")
ENHANCERS = ["identity", "clahe", "sci", "sci+lfpv", "zerodcepp", "zerodcepp+lfpv"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--enhancer", nargs="+", default=ENHANCERS)
    arguments = parser.parse_args()
    task = create_task("darkzurich", sample=True)
    evaluator = prepare(task, None, None).evaluator
    options = chain_options(task, arguments.device, amp=False, batch_size=None)
    evaluator.model.to(options.device)
    print(_machine(options.device), f"median of {RUNS} runs, {len(task.samples)} frames of 512x256")
    print(f"{'ms per image':16}" + "".join(f"{s:>10}" for s in (*STAGES, "chain", "ratio")))
    for name in arguments.enhancer:
        enhancer = create_enhancer(name, sample=True).to(options.device)
        _row(name, enhancer, evaluator, options)


def _row(name: str, enhancer: torch.nn.Module, evaluator, options) -> None:
    stages, walls = [], []
    for run in range(RUNS + 1):
        started = time.perf_counter()
        measured = [one.seconds for one in measure(enhancer, evaluator, options)]
        wall = (time.perf_counter() - started) / len(measured)
        # The first run warms up.
        if run:
            walls.append(wall)
            stages.append([statistics.mean(s[stage] for s in measured) for stage in STAGES])
    decode, enhance, evaluate = (statistics.median(values) for values in zip(*stages, strict=True))
    wall = statistics.median(walls)
    cells = "".join(f"{1000 * value:10.2f}" for value in (decode, enhance, evaluate, wall))
    print(f"{name:16}{cells}{wall / (enhance + evaluate):10.2f}")


def _machine(device: torch.device) -> str:
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return f"{device.type} ({where}), {torch.get_num_threads()} threads, torch {torch.__version__},"


if __name__ == "__main__":
    main()
