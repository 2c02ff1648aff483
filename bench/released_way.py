"""How fast is each network on a CPU beside the way that the released scripts run it?

    python bench/released_way.py [NETWORK ...] [--sizes 600x400 1920x1080] [--repeats 3]

The released way: eager float32, NCHW, one image, whole maps, no gradients; RUAS's denoiser runs
whether its result is used or not, Zero-DCE++ joins its skips, LEDNet holds all filter kernels at
once. Ours: the enhancer called as `pipeline` calls it. Each in a process of its own, ours with the
pipeline's allocator and, as `malloc`, without it. CPU time of one thread, in turns, medians of half
a second each time and of the --repeats. The images must agree to 1e-5. The floor is the larger of
the multiply-adds at the peak of matrix products and convolutions and of the bytes of image and
result at the rate of a copy, both measured in the same run. The geometric mean is of the six
networks without a suffix.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from enhancers import lednet_blocks
from enhancers.base import EncodeDecode
from enhancers.enlightengan import EnlightenGAN
from enhancers.lednet import LEDNet
from enhancers.ruas import RUAS
from enhancers.sci import SCI
from enhancers.uretinex import URetinex
from enhancers.zerodcepp import ZeroDCEpp
from pipeline.allocator import keep_freed_memory
from pipeline.cost import macs

NETWORKS = {
    "sci": SCI,
    "zerodcepp": ZeroDCEpp,
    "ruas": RUAS,
    "uretinex": URetinex,
    "enlightengan": EnlightenGAN,
    "lednet": LEDNet,
    "zerodcepp-1": lambda: ZeroDCEpp(1),
    "ruas-denoise": lambda: RUAS(denoise=True),
}
KINDS = ("released", "malloc", "ours")
ALLOWED, ENOUGH = 1e-5, 0.5
SEPARABLE = [f"e_conv{number}" for number in range(1, 8)]


def released(network: EncodeDecode, image: Tensor) -> Tensor:
    """The enhanced image, by the released scripts' work."""
    if isinstance(network, ZeroDCEpp):
        return _zerodcepp(network, image)
    output = network.run(image)
    if isinstance(network, RUAS) and not network.denoise:
        output.image - network.denoise_net(output.image)
    return output.image


def _zerodcepp(network: ZeroDCEpp, image: Tensor) -> Tensor:
    scale, size = network.scale_factor, image.shape[-2:]
    padded = F.pad(image, (0, -size[1] % scale, 0, -size[0] % scale), mode="reflect")
    x = padded
    if scale > 1:
        small = [side // scale for side in padded.shape[-2:]]
        x = F.interpolate(padded, small, mode="bilinear")
    kept = []
    for number, name in enumerate(SEPARABLE):
        if number > 3:
            x = torch.cat([kept[6 - number], x], 1)
        depth, point = getattr(network, name).depth_conv, getattr(network, name).point_conv
        x = point(F.conv2d(x, depth.weight, depth.bias, padding=1, groups=x.shape[1]))
        x = torch.tanh(x) if number == 6 else F.relu(x)
        kept.append(x)
    if scale > 1:
        x = F.interpolate(x, padded.shape[-2:], mode="bilinear", align_corners=True)
    x, enhanced = x[..., : size[0], : size[1]], image
    for _ in range(8):
        enhanced = enhanced + x * (torch.pow(enhanced, 2) - enhanced)
    return enhanced


def prepare(kind: str) -> None:
    """Make this process one of a kind."""
    if kind == "ours":
        keep_freed_memory()
    torch.set_num_threads(1)
    if kind == "released":
        lednet_blocks.BAND_VALUES = 2**62


def image_of(name: str, kind: str, size: tuple[int, int]) -> tuple[float, np.ndarray]:
    """CPU seconds, the median of as many images as `ENOUGH` takes, and the image."""
    torch.manual_seed(0)
    network = NETWORKS[name]().eval().requires_grad_(False)
    image = torch.rand(1, 3, *reversed(size))
    # With gradients enabled none of our short cuts is taken; frozen weights keep no graph.
    if kind == "released":
        run: Callable[[], Tensor] = lambda: released(network, image)  # noqa: E731
    else:
        run = torch.inference_mode()(lambda: network(image))
    taken: list[float] = []
    while sum(taken) < ENOUGH:
        started = time.process_time()
        enhanced = run()
        taken.append(time.process_time() - started)
    return statistics.median(taken), enhanced.numpy()


def rates() -> tuple[float, float]:
    """Peak FLOP/s of products and convolutions, and bytes/s of a copy."""
    square, maps = torch.rand(2048, 2048), torch.rand(1, 64, 256, 256)
    maps = maps.contiguous(memory_format=torch.channels_last)
    conv = nn.Conv2d(64, 64, 3, padding=1).requires_grad_(False)
    source, target = torch.rand(2, 2**23)
    taken = [_fastest(lambda: square @ square), _fastest(lambda: conv(maps))]
    work = [2 * 2048**3, 2 * 9 * 64**2 * 256**2]
    flops = max(amount / seconds for amount, seconds in zip(work, taken, strict=True))
    return flops, 2 * source.nbytes / _fastest(lambda: target.copy_(source))


def _fastest(run: Callable[[], object]) -> float:
    taken = []
    for _ in range(7):
        started = time.process_time()
        run()
        taken.append(time.process_time() - started)
    return min(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=", ".join(NETWORKS))
    parser.add_argument("--sizes", nargs="*", default=["600x400", "1920x1080"])
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    names = arguments.networks or [name for name in NETWORKS if "-" not in name]
    if unknown := set(names) - set(NETWORKS):
        parser.error(f"no network {', '.join(unknown)}; there are {', '.join(NETWORKS)}")
    for size in arguments.sizes:
        width, height = map(int, size.split("x"))
        show(names, (width, height), arguments.repeats)
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")


def show(names: list[str], size: tuple[int, int], repeats: int) -> None:
    """Measure and print one size."""
    torch.set_num_threads(1)
    flops, bandwidth = rates()
    title = f"one {size[0]}x{size[1]} image, CPU seconds; {flops / 1e9:.0f} GFLOP/s, "
    table = Table(title=f"{title}{bandwidth / 1e9:.1f} GB/s")
    for heading in ("network", *KINDS, "released/ours", "difference", "floor", "ours/floor"):
        table.add_column(heading, justify="left" if heading == "network" else "right")
    ratios = {}
    for name in names:
        times, difference = compare(name, size, repeats)
        ratio, ours = times["released"] / times["ours"], times["ours"]
        work = 2 * macs(NETWORKS[name](), size[1], size[0]) / flops
        floor = max(work, 2 * 3 * 4 * size[0] * size[1] / bandwidth)
        cells = [f"{times[kind]:.3g}" for kind in KINDS]
        table.add_row(
            name, *cells, f"{ratio:.2f}", f"{difference:.1e}", f"{floor:.3g}", f"{ours / floor:.2g}"
        )
        if "-" not in name:
            ratios[name] = ratio
    Console(width=110).print(table)
    if ratios:
        mean = math.exp(statistics.fmean(map(math.log, ratios.values())))
        print(f"geometric mean of {len(ratios)}: {mean:.2f}")


def compare(name: str, size: tuple[int, int], repeats: int) -> tuple[dict[str, float], float]:
    """Median seconds of each kind and the largest difference of the images, at most `ALLOWED`."""
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    difference = 0.0
    pools = {kind: ProcessPoolExecutor(1, get_context("spawn"), prepare, (kind,)) for kind in KINDS}
    for _ in range(repeats):
        images = {}
        for kind, pool in pools.items():
            seconds, images[kind] = pool.submit(image_of, name, kind, size).result()
            taken[kind].append(seconds)
        for kind in KINDS[1:]:
            difference = max(difference, float(np.abs(images[kind] - images["released"]).max()))
    for pool in pools.values():
        pool.shutdown()
    if difference > ALLOWED:
        raise SystemExit(f"{name}: the images differ by {difference:.1e}")
    return {kind: statistics.median(values) for kind, values in taken.items()}, difference


if __name__ == "__main__":
    main()
