"""What each row costs: values, multiply-adds of a full-HD image, measured seconds."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from enhancers.base import EncodeDecode
from pipeline.cost import macs
from pipeline.errors import user_errors
from pipeline.factory import new_network
from pipeline.registry import ENHANCERS
from pipeline.report.rows import Row

HEIGHT, WIDTH = 1080, 1920


@dataclass(frozen=True)
class Cost:
    """None where it is not known: an enhancer of the user's own, or options of another version.

    Attributes:
        parameters: learnt values, nodes and norms of LFPV's store included.
        lfpv: how many of them are the store's.
        gmac: of convolutions and matrix products, for one image of WIDTH×HEIGHT.
    """

    parameters: int | None
    lfpv: int | None
    gmac: float | None


def costs(rows: Iterable[Row]) -> dict[str, Cost]:
    """Row's label → cost."""
    return {row.label: _cost(row) for row in rows}


def _cost(row: Row) -> Cost:
    if row.kind in ("identity", "other"):
        return Cost(0, None, 0.0) if _baseline(row) else Cost(None, None, None)
    known, store = row.weights.get("parameters"), row.weights.get("lfpv_parameters")
    if known is None or store is None:
        return Cost(known, None, _gmac(row))
    # Nodes are buffers, which `parameters` does not count.
    return Cost(known + store["nodes"], sum(store.values()), _gmac(row))


def _baseline(row: Row) -> bool:
    """One of ours without weights: no convolution in it, as `pipeline list` counts."""
    if row.name.base not in ENHANCERS.names() or row.weights:
        return False
    factory = ENHANCERS.get(row.name.base)
    return not hasattr(factory, "from_source") and not (
        isinstance(factory, type) and issubclass(factory, EncodeDecode)
    )


def _gmac(row: Row) -> float | None:
    options = dict(row.weights["options"])
    lfpv = {}
    if row.name.lfpv:
        lfpv = {name: value for name, value in options.items() if name != "channels"}
        lfpv["updaters"] = False
        options = (row.weights.get("header") or {}).get("options", {})
    try:
        with torch.device("meta"):
            network = new_network(row.name, options, lfpv)
        return macs(network.eval(), HEIGHT, WIDTH) / 1e9
    except user_errors():
        return None
