"""The chunks of cells through the chain."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

import torch

from pipeline.chain import ChainOptions, Enhance, Item, decoded, equal_sizes, measure_group
from pipeline.errors import is_out_of_memory
from pipeline.signals import held_back
from pipeline.summary import Light, without_pixels
from tasks.evaluators import Evaluator


class Measured(NamedTuple):
    """A chunk as measured: per cell its images, or None where it was not wanted."""

    number: int
    images: list[list[Light] | None]
    forward_batch: int | None
    seconds: float


def measured_chunks(
    enhance: Enhance,
    evaluators: Sequence[Evaluator],
    options: ChainOptions,
    chunks: Sequence[tuple[int, range]],
    wanted: Sequence[set[int]],
) -> Iterator[Measured]:
    """Measure chunks, each enhanced once. Closed, or at its end, it has no reading process left.

    Args:
        evaluators: of the same images, one a cell.
        chunks: numbers and the indices of their images.
        wanted: per cell the numbers that it lacks.

    Raises:
        As `pipeline.chain.measure`; also whatever the device raises.
    """
    started = time.perf_counter()
    with closing(decoded(enhance, evaluators, options, [one for _, one in chunks])) as stream:
        for number, _ in chunks:
            # Reading processes start in here, and must outlive the signal that ends a chunk.
            with held_back():
                items = next(stream)
            who = [index for index, numbers in enumerate(wanted) if number in numbers]
            rows, smallest = _through(
                [_of(item, who) for item in items], enhance, evaluators, options, who
            )
            columns = zip(who, zip(*rows, strict=True), strict=True)
            images: list[list[Light] | None] = [None] * len(evaluators)
            for index, column in columns:
                images[index] = list(column)
            ended = time.perf_counter()
            yield Measured(number, images, smallest, ended - started)
            started = ended


def _of(item: Item, who: Sequence[int]) -> Item:
    """The item for some of the cells."""
    samples = tuple(item.samples[index] for index in who)
    targets = tuple(item.targets[index] for index in who)
    return Item(samples, item.image, targets, item.seconds, item.enhanced)


def _through(
    items: Sequence[Item],
    enhance: Enhance,
    evaluators: Sequence[Evaluator],
    options: ChainOptions,
    who: Sequence[int],
) -> tuple[list[tuple[Light, ...]], int | None]:
    """Per image a Light of each cell, and the smallest batch for want of memory."""
    chosen = [evaluators[index] for index in who]
    rows: list[tuple[Light, ...]] = []
    batches: list[int] = []
    for group in equal_sizes(items):
        waiting = [group]
        while waiting:
            part = waiting.pop()
            lights = _lights(part, enhance, chosen, options)
            if lights is None:
                # Out of the handler, so that what the failed attempt held is free.
                _release(options.device)
                half = len(part) // 2
                waiting += [part[half:], part[:half]]
                continue
            rows += lights
            if len(part) < len(group):
                batches.append(len(part))
    return rows, min(batches, default=None)


def _lights(
    part: Sequence[Item],
    enhance: Enhance,
    evaluators: Sequence[Evaluator],
    options: ChainOptions,
) -> list[tuple[Light, ...]] | None:
    """None where the memory is too short for more than one image."""
    try:
        measured = measure_group(part, enhance, evaluators, options)
        return [tuple(without_pixels(one) for one in row) for row in measured]
    except Exception as error:
        if len(part) == 1 or not is_out_of_memory(error):
            raise
    return None


def _release(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.empty_cache()
