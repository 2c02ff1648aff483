"""When does a cache of enhanced images pay? Per enhancer: to enhance, against to write and read.

    python bench/cache.py [--folder DIR] [--threads 1]

CPU milliseconds of one image, kinds in turns, median of seven rounds after one that warms up;
for the cache also the wall time, in which the disk is waited for. Weights do not matter for it,
so the networks are as they start.
"""

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from enhancers.enlightengan import EnlightenGAN
from enhancers.lednet import LEDNet
from enhancers.ruas import RUAS
from enhancers.sci import SCI
from enhancers.uretinex import URetinex
from enhancers.zerodcepp import ZeroDCEpp
from pipeline import create_enhancer
from pipeline.cache import Cached, Store

ROUNDS, SIZES = 7, ((400, 600), (256, 512))
NETWORKS = {
    "identity": lambda: create_enhancer("identity"),
    "gamma@0.5": lambda: create_enhancer("gamma@0.5"),
    "clahe": lambda: create_enhancer("clahe"),
    "sci": SCI,
    "zerodcepp, scale_factor 12": ZeroDCEpp,
    "zerodcepp, scale_factor 1": lambda: ZeroDCEpp(1),
    "ruas": RUAS,
    "uretinex": URetinex,
    "enlightengan": EnlightenGAN,
    "lednet": LEDNet,
}
NETWORKS = {name: build().eval() for name, build in NETWORKS.items()}


def taken(act: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall milliseconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    act()
    return 1e3 * (time.process_time() - cpu), 1e3 * (time.perf_counter() - wall)


def kinds(image: torch.Tensor, cached: Cached) -> dict[str, Callable[[], object]]:
    """Enhance an image, keep it, get it back."""
    found = {name: partial(network, image) for name, network in NETWORKS.items()}
    keep = partial(cached.put, image, image, seconds=math.inf)
    return {**found, "write": keep, "read": partial(cached.get, image)}


@torch.inference_mode()
def measured(size: tuple[int, int], folder: Path) -> dict[str, tuple[float, ...]]:
    """Medians by kind, CPU and wall milliseconds."""
    cached = Cached(torch.nn.Identity(), Store(folder, 10**10), "", print)
    found: dict[str, list[tuple[float, float]]] = {}
    for number in range(ROUNDS + 1):
        image = torch.randint(256, (1, 3, *size)).float().div_(255)
        for name, act in kinds(image, cached).items():
            one = taken(act)
            if number:
                found.setdefault(name, []).append(one)
    return {
        name: tuple(map(statistics.median, zip(*values, strict=True)))
        for name, values in found.items()
    }


def main() -> None:
    """Print a table a size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for height, width in SIZES:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            found = measured((height, width), Path(folder))
        (write, write_wall), (read, read_wall) = found.pop("write"), found.pop("read")
        table = Table(
            title=f"{width}x{height}: write {write:.1f} ms CPU, {write_wall:.1f} wall; "
            f"read {read:.1f} ms CPU, {read_wall:.1f} wall"
        )
        for heading in ("enhancer", "CPU ms", "wall ms", "CPU over write + read", "pays"):
            table.add_column(heading, justify="left" if heading == "enhancer" else "right")
        for name, (cpu, wall) in found.items():
            pays = "yes" if wall > write_wall + read_wall else "no"
            ratio = f"{cpu / (write + read):.1f}"
            table.add_row(name, f"{cpu:.1f}", f"{wall:.1f}", ratio, pays)
        Console().print(table)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s)")


if __name__ == "__main__":
    main()
