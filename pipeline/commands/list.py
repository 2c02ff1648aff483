"""`pipeline list`: enhancers with their cost and weights, and tasks with their data."""

from argparse import Namespace
from collections.abc import Iterator

import torch
from rich.table import Table

from enhancers.base import EncodeDecode
from enhancers.lfpv import LFPVEnhancer
from pipeline import zoo
from pipeline.console import stdout
from pipeline.cost import FREE, HEIGHT, WIDTH, in_giga, macs, parameters
from pipeline.factory import data_folder, is_network
from pipeline.registry import ENHANCERS, TASKS
from tasks.protocol import task_cards


def list_all(_arguments: Namespace) -> None:
    """Print both tables."""
    console = stdout()
    console.print(_enhancers())
    console.print(
        f"GMAC of one {WIDTH}x{HEIGHT} image, convolutions and matrix products, as constructed "
        "(zerodcepp: scale_factor 12, 20.9 with 1; ruas: its denoiser, which ruas@lol uses, adds "
        "4.5). `pipeline weights` tells where absent weights are published.",
        highlight=False,
    )
    console.print(_tasks())


def _enhancers() -> Table:
    table = Table(title="enhancers")
    table.add_column("name", no_wrap=True)
    table.add_column("parameters", justify="right")
    table.add_column("GMAC", justify="right")
    table.add_column("+lfpv adds", justify="right")
    table.add_column("weights (absent)", overflow="fold")
    for name in ENHANCERS.names():
        table.add_row(*_enhancer(name))
    return table


def _enhancer(name: str) -> Iterator[str]:
    factory = ENHANCERS.get(name)
    if hasattr(factory, "from_source"):
        return iter((f"{name}:…", "–", "–", "", "your own"))
    if factory in FREE:
        return iter((getattr(factory, "example", name), "0", "0", "", "none needed"))
    if not is_network(factory):
        return iter((getattr(factory, "example", name), "–", "–", "", "none needed"))
    return _network(name, factory)


def _network(name: str, factory: type[EncodeDecode]) -> Iterator[str]:
    with torch.device("meta"):
        network = factory()
        nodes = LFPVEnhancer(
            network.encode, network.decode, network.feature_channels, updaters=False
        ).extra_parameters()
    yield name
    yield f"{parameters(network):,}"
    yield in_giga(macs(network, HEIGHT, WIDTH))
    yield f"{sum(nodes.values()):,}"
    yield ", ".join(_weights(name))


def _weights(base: str) -> Iterator[str]:
    """What may follow the base: `@name`, `+lfpv@name`."""
    for name, entry in zoo.entries("enhancers").items():
        if name.partition("@")[0].removesuffix("+lfpv") == base:
            short = name.removeprefix(base)
            yield short if zoo.is_here(entry) else f"({short})"


def _tasks() -> Table:
    table = Table(title="tasks")
    for heading in ("name", "score", "data"):
        table.add_column(heading)
    cards = {card.name: card for card in task_cards()}
    for name in TASKS.names():
        card = cards.get(name)
        if card and card.published == "your own":
            table.add_row(f"{name}:DIR", card.metric, "your own")
            continue
        folder = data_folder(name)
        where = str(folder) if folder.is_dir() else f"not at {folder}"
        table.add_row(name, card.metric if card else "", where)
    return table
