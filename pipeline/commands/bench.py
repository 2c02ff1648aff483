"""`pipeline bench`: what enhancers cost on this machine."""

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from pipeline.benchmark.measure import FEWEST, Measurement, measure
from pipeline.benchmark.subject import expand, load_subject
from pipeline.console import progress, stdout
from pipeline.cost import three_digits
from pipeline.errors import PipelineError, one_line, user_errors
from pipeline.files import atomic, require_writable
from pipeline.names import parse_enhancer
from pipeline.provenance import environment
from pipeline.runner import chosen_device
from pipeline.table import short_name

HEADINGS = ("parameters", "GMAC", "p50 ms", "p90 ms", "images", "img/s", "MB")
Costs = Mapping[tuple[tuple[int, int], str], Measurement | str]


def bench(arguments: Namespace) -> None:
    """Measure every enhancer at every size; what is measured is printed whatever comes after."""
    names = expand(arguments.enhancer)
    device = chosen_device(arguments.device)
    if arguments.out:
        require_writable(arguments.out)
    for name in names:
        load_subject(parse_enhancer(name))
    cells = [(size, name) for size in dict.fromkeys(arguments.size) for name in names]
    costs: dict[tuple[tuple[int, int], str], Measurement | str] = {}
    try:
        for size, name in _shown(cells):
            try:
                costs[size, name] = measure(
                    name, size, str(device), arguments.amp, arguments.seconds
                )
            except user_errors() as error:
                costs[size, name] = one_line(error)
    finally:
        if costs:
            _print(costs, device, arguments.amp)
        if costs and arguments.out:
            _write(arguments, costs, device)
    if failed := sum(isinstance(cost, str) for cost in costs.values()):
        raise PipelineError(f"{failed} of {len(costs)} could not be measured")


def _shown(cells: list[tuple[tuple[int, int], str]]) -> Iterator[tuple[tuple[int, int], str]]:
    with progress() as shown:
        bar = shown.add_task("", total=len(cells))
        for (width, height), name in cells:
            shown.update(bar, description=f"{escape(short_name(name))} at {width}x{height}")
            yield (width, height), name
            shown.advance(bar)


def _print(costs: Costs, device: torch.device, amp: bool) -> None:
    console = stdout()
    hardware = environment(device)["hardware"]
    where = hardware["device"] if device.type == "cuda" else hardware["cpu"]
    precision = "mixed precision" if amp else "float32"
    for width, height in dict.fromkeys(size for size, _ in costs):
        table = Table(
            title=f"one {width}x{height} image, {precision}, {escape(where)}", box=SIMPLE_HEAD
        )
        table.add_column("enhancer", overflow="fold")
        for heading in HEADINGS:
            table.add_column(heading, justify="right", no_wrap=True)
        for (size, name), cost in costs.items():
            if size == (width, height):
                table.add_row(escape(short_name(name)), *_cells(cost))
        console.print(table)
    for line in _legend(costs, device, hardware["threads"]):
        print(line)


def _cells(cost: Measurement | str) -> Iterator[str]:
    if isinstance(cost, str):
        return
    mark = "*" if cost.untrained else ""
    yield "" if cost.parameters is None else f"{cost.parameters:,}{mark}"
    yield "" if cost.macs is None else three_digits(cost.macs / 1e9)
    yield from (three_digits(1000 * value) for value in np.percentile(cost.seconds, (50, 90)))
    yield str(len(cost.seconds))
    yield three_digits(cost.images_per_second)
    yield "" if cost.peak_bytes is None else f"{cost.peak_bytes / 1e6:.0f}"


def _legend(costs: Costs, device: torch.device, threads: int) -> Iterator[str]:
    yield (
        f"p50, p90: percentiles over as many images as stated, at least {FEWEST}, one at a time, "
        f"on {device} with {threads} CPU thread(s), torch {torch.__version__}"
    )
    if device.type == "cuda":
        yield "MB: peak of torch's allocator on the GPU, weights and image included, no onnxruntime"
    else:
        yield "MB: peak rise of a fresh process's resident memory, weights and image included"
    if any(isinstance(cost, Measurement) and cost.untrained for cost in costs.values()):
        yield "*: no weights here, so the network is untrained, with its default options"
    for ((width, height), name), cost in costs.items():
        if isinstance(cost, str):
            yield f"not measured: {name} at {width}x{height}: {cost}"


def _write(arguments: Namespace, costs: Costs, device: torch.device) -> None:
    content = {
        "config": {"device": str(device), "amp": arguments.amp, "seconds": arguments.seconds},
        **environment(device),
        "costs": [_entry(name, size, cost) for (size, name), cost in costs.items()],
    }
    with atomic(arguments.out) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n")
    print(f"written: {arguments.out}")


def _entry(name: str, size: tuple[int, int], cost: Measurement | str) -> dict[str, Any]:
    measured = {"error": cost} if isinstance(cost, str) else asdict(cost)
    return {"enhancer": name, "width": size[0], "height": size[1], **measured}
