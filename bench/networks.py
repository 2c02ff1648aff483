"""How much CPU time does each network take for one 600×400 image, beside its multiply-adds?

    python bench/networks.py [--threads 1]

Weights do not matter for it, so the networks are as they start. CPU time, median of five after
one warm-up.
"""

import argparse
import statistics
import time

import torch
from rich.console import Console
from rich.table import Table

from enhancers.enlightengan import EnlightenGAN
from enhancers.lednet import LEDNet
from enhancers.ruas import RUAS
from enhancers.sci import SCI
from enhancers.uretinex import URetinex
from enhancers.zerodcepp import ZeroDCEpp
from pipeline.cost import macs, parameters

HEIGHT, WIDTH, REPEATS = 400, 600, 5
NETWORKS = {
    "sci": SCI,
    "zerodcepp, scale_factor 12": ZeroDCEpp,
    "zerodcepp, scale_factor 1": lambda: ZeroDCEpp(1),
    "ruas": RUAS,
    "ruas, with denoiser": lambda: RUAS(denoise=True),
    "uretinex": URetinex,
    "enlightengan": EnlightenGAN,
    "lednet": LEDNet,
}


@torch.inference_mode()
def seconds(network: torch.nn.Module) -> float:
    """CPU time, over all threads."""
    image = torch.rand(1, 3, HEIGHT, WIDTH)
    network.eval()(image)
    taken = []
    for _ in range(REPEATS):
        started = time.process_time()
        network(image)
        taken.append(time.process_time() - started)
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    torch.set_num_threads(parser.parse_args().threads)
    table = Table(title=f"one {WIDTH}x{HEIGHT} image, {torch.get_num_threads()} thread(s)")
    for heading in ("network", "parameters", "GMAC 1080p", "GMAC", "CPU seconds", "GMAC/s"):
        table.add_column(heading, justify="left" if heading == "network" else "right")
    for name, build in NETWORKS.items():
        taken = seconds(build())
        full, here = (macs(build(), *size) / 1e9 for size in ((1080, 1920), (HEIGHT, WIDTH)))
        row = f"{parameters(build()):,}", f"{full:.4g}", f"{here:.3g}", f"{taken:.3g}"
        table.add_row(name, *row, f"{here / taken:.3g}")
    Console().print(table)
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")


if __name__ == "__main__":
    main()
