"""The cost of one enhancer at one image size, measured in a process of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pipeline import cost
from pipeline.allocator import keep_freed_memory
from pipeline.benchmark.memory import Memory
from pipeline.benchmark.subject import load_subject
from pipeline.clock import now
from pipeline.errors import PipelineError, is_out_of_memory
from pipeline.names import parse_enhancer
from pipeline.precision import precision

WARM_UP = 0.1
FEWEST, MOST = 3, 1000
TOO_LARGE = "more memory than there is"


@dataclass(frozen=True)
class Measurement:
    """What one image costs.

    Attributes:
        parameters: learnt values, LFPV's nodes included; None for what torch cannot look into.
        macs: multiply-adds of convolutions and matrix products, counted while they run; None for
            what torch does not run.
        seconds: of each image, the device synchronised before and after it.
        images_per_second: of as many images one after another, synchronised once. A CPU is always
            done with one before it takes the next, so there it is their mean.
        peak_bytes: see `Memory`.
        untrained: see `Subject`.
    """

    parameters: int | None
    macs: int | None
    seconds: tuple[float, ...]
    images_per_second: float
    peak_bytes: int | None
    untrained: bool


def measure(name: str, size: tuple[int, int], device: str, amp: bool, budget: float) -> Measurement:
    """Time `name` on one image of `size` (W, H) for `budget` seconds, in a fresh process.

    At least `FEWEST` images are timed, whatever they take, and at most `MOST`.

    Raises:
        PipelineError: the memory does not suffice.
        EnhancerError: the enhancer refuses the image.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        try:
            return pool.submit(_measure, name, size, device, amp, budget).result()
        except BrokenProcessPool:
            raise PipelineError(f"{TOO_LARGE}: the process was killed") from None


def _measure(
    name: str, size: tuple[int, int], device: str, amp: bool, budget: float
) -> Measurement:
    keep_freed_memory()
    try:
        return _cost(name, size, torch.device(device), amp, budget)
    except Exception as error:
        if is_out_of_memory(error):
            raise PipelineError(TOO_LARGE) from None
        raise


@torch.inference_mode()
def _cost(
    name: str, size: tuple[int, int], device: torch.device, amp: bool, budget: float
) -> Measurement:
    _count(nn.Conv2d(3, 3, 3).to(device), torch.rand(1, 3, 16, 16, device=device))
    memory = Memory(device)
    subject = load_subject(parse_enhancer(name))
    model = subject.model.to(device)
    image = torch.rand(1, 3, *reversed(size), device=device)
    with precision(device, amp):
        started = now(device)
        macs = _count(model, image)
        first = now(device) - started
        peak = memory.peak()
        if isinstance(model, cost.SPLIT):
            # In tiles some pixels are computed twice, which is not the network's work.
            macs = cost.macs(model, *image.shape[-2:])
        times(model, image, WARM_UP * budget - first, fewest=0)
        seconds = times(model, image, budget)
        rate = images_per_second(model, image, seconds)
    known = cost.parameters(model) or None, macs or None
    return Measurement(*known, seconds, rate, peak, subject.untrained)


def _count(enhance: Callable[[Tensor], Tensor], image: Tensor) -> int:
    """Multiply-adds while one image is enhanced; the first time it loads what torch loads late."""
    with FlopCounterMode(display=False) as counter:
        enhance(image)
    return counter.get_total_flops() // 2


def times(
    enhance: Callable[[Tensor], Tensor], image: Tensor, budget: float, fewest: int = FEWEST
) -> tuple[float, ...]:
    """Seconds of each image, one after another until `budget` is spent; the clock synchronises."""
    taken: list[float] = []
    started = now(image.device)
    while len(taken) < fewest or (len(taken) < MOST and now(image.device) - started < budget):
        begun = now(image.device)
        enhance(image)
        taken.append(now(image.device) - begun)
    return tuple(taken)


def images_per_second(
    enhance: Callable[[Tensor], Tensor], image: Tensor, alone: Sequence[float]
) -> float:
    """Rate of as many images as took `alone` seconds each; none waits for the one before to end."""
    if image.device.type == "cpu":
        return len(alone) / sum(alone)
    started = now(image.device)
    for _ in alone:
        enhance(image)
    return len(alone) / (now(image.device) - started)
