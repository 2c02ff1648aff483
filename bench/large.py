"""What do large images cost on a CPU, plain and with LFPV: peak memory and time?

    python bench/large.py [NETWORK ...] [--size 1920x1080] [--kinds plain lfpv] [--repeats 1]

Each in a fresh process, in turns, as `pipeline` calls it: how far its resident memory rises above
what it was before the image, and the CPU seconds of one thread, the median of --repeats processes.
Weights are as constructed, nodes are random; LFPV's options are the recipe's (`short`).
"""

import argparse
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context

import torch
from rich.console import Console
from rich.table import Table

from enhancers.lfpv import LFPVEnhancer
from enhancers.lfpv.store import Nodes
from pipeline.allocator import keep_freed_memory
from pipeline.benchmark.memory import Memory
from pipeline.factory import new_network
from pipeline.names import parse_enhancer
from pipeline.training.recipe import find_recipe, read_recipe

NETWORKS = ("sci", "zerodcepp", "ruas", "uretinex", "enlightengan", "lednet")
KINDS = ("plain", "lfpv")


def measure(name: str, kind: str, size: tuple[int, int]) -> tuple[float, int]:
    """CPU seconds and peak bytes of one image, in this process."""
    keep_freed_memory()
    torch.set_num_threads(1)
    network = new_network(parse_enhancer(name), {}, {}).eval()
    if kind == "lfpv":
        options = asdict(read_recipe(find_recipe(name, "short")).lfpv)
        network = LFPVEnhancer(
            network.encode, network.decode, network.feature_channels, updaters=False, **options
        ).eval()
        nodes = (
            value if value is None else torch.randn_like(value) for value in network.store.nodes
        )
        network.store.keep(Nodes(*nodes))
    run = torch.inference_mode()(network)
    run(torch.rand(1, 3, 64, 64))
    image = torch.rand(1, 3, *reversed(size))
    memory = Memory(image.device)
    started = time.process_time()
    run(image)
    return time.process_time() - started, memory.peak()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=", ".join(NETWORKS))
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    parser.add_argument("--repeats", type=int, default=1)
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    table = Table(title=f"one {width}x{height} image: CPU seconds, peak MB")
    table.add_column("network")
    for kind in arguments.kinds:
        table.add_column(kind, justify="right")
    table.add_column("seconds added", justify="right")
    for name in arguments.networks or NETWORKS:
        found = {kind: [] for kind in arguments.kinds}
        for _ in range(arguments.repeats):
            for kind, values in found.items():
                with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                    values.append(pool.submit(measure, name, kind, (width, height)).result())
        seconds, peaks = zip(
            *(map(statistics.median, zip(*v, strict=True)) for v in found.values()), strict=True
        )
        cells = [
            f"{taken:.3g}, {peak / 1e6:,.0f}" for taken, peak in zip(seconds, peaks, strict=True)
        ]
        table.add_row(name, *cells, f"{100 * (seconds[-1] / seconds[0] - 1):.0f} %")
    Console(width=100).print(table)
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")


if __name__ == "__main__":
    main()
