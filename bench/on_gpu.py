"""How fast is each network on a GPU beside the way that the released scripts run it?

    python bench/on_gpu.py [NETWORK ...] [--size 1920x1080] [--device cuda]

The released way (see bench/released_way.py) and ours, eager and float32 without TF32; ours replayed
as a CUDA graph; ours in mixed precision, in channels last. One image, seconds between two
synchronisations, kinds in turns, medians; the images of the first three must agree to 1e-5 of the
largest value. Peak memory is torch's while one image is enhanced. Other devices have no graph.
"""

import argparse
import statistics
from collections.abc import Callable

import torch
from released_way import NETWORKS, released
from rich.console import Console
from rich.table import Table
from torch import Tensor

from enhancers.base import EncodeDecode
from pipeline.benchmark.memory import Memory
from pipeline.clock import now
from pipeline.precision import precision

ROUNDS, ALLOWED = 15, 1e-5


def kinds(network: EncodeDecode, image: Tensor) -> dict[str, Callable[[], Tensor]]:
    """Each way to enhance the image."""
    device = image.device
    found = {
        "released": full(lambda: released(network, image), device),
        "ours": full(torch.inference_mode()(lambda: network(image)), device),
    }
    if device.type == "cuda":
        found["graph"] = full(graphed(network, image), device)
    last = image.contiguous(memory_format=torch.channels_last)
    found["mixed"] = mixed(torch.inference_mode()(lambda: network(last)), device)
    return found


def full(run: Callable[[], Tensor], device: torch.device) -> Callable[[], Tensor]:
    """In float32."""
    return precision(device, amp=False)(run)


def mixed(run: Callable[[], Tensor], device: torch.device) -> Callable[[], Tensor]:
    """In mixed precision."""
    return precision(device, amp=True)(run)


def graphed(network: EncodeDecode, image: Tensor) -> Callable[[], Tensor]:
    """Ours, recorded once after a warm-up on a stream of its own, and replayed."""
    with torch.inference_mode(), precision(image.device, amp=False):
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(3):
                network(image)
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            enhanced = network(image)

    def replay() -> Tensor:
        graph.replay()
        return enhanced

    return replay


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=", ".join(NETWORKS))
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--device", type=torch.device, default="cuda")
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    table = Table(title=f"one {width}x{height} image on {arguments.device}, milliseconds")
    columns = ("released", "ours", "graph", "mixed", "released/best", "difference", "peak MB")
    for heading in ("network", *columns):
        table.add_column(heading, justify="left" if heading == "network" else "right")
    for name in arguments.networks or NETWORKS:
        table.add_row(name, *measured(name, (height, width), arguments.device))
    Console(width=110).print(table)
    print(f"torch {torch.__version__}, {torch.version.cuda or 'no CUDA'}")


def measured(name: str, size: tuple[int, int], device: torch.device) -> list[str]:
    """The cells of a network."""
    torch.manual_seed(0)
    network = NETWORKS[name]().eval().requires_grad_(False).to(device)
    image = torch.rand(1, 3, *size).to(device)
    runs = kinds(network, image)
    images = {kind: run().clone() for kind, run in runs.items()}
    expected = images.pop("released")
    difference = max(
        float((found - expected).abs().max()) for kind, found in images.items() if kind != "mixed"
    )
    if difference > ALLOWED * max(1.0, float(expected.abs().max())):
        raise SystemExit(f"{name}: the images differ by {difference:.1e}")
    memory = Memory(device)
    runs["ours"]()
    peak = memory.peak()
    taken: dict[str, list[float]] = {kind: [] for kind in runs}
    for _ in range(ROUNDS):
        for kind, run in runs.items():
            started = now(device)
            run()
            taken[kind].append(now(device) - started)
    medians = {kind: statistics.median(seconds) for kind, seconds in taken.items()}
    best = min(seconds for kind, seconds in medians.items() if kind not in ("released", "mixed"))
    times = [
        f"{1000 * medians[kind]:.2f}" if kind in medians else "–"
        for kind in ("released", "ours", "graph", "mixed")
    ]
    ratio = f"{medians['released'] / best:.2f}"
    return [*times, ratio, f"{difference:.1e}", "–" if peak is None else f"{peak / 1e6:.0f}"]


if __name__ == "__main__":
    main()
