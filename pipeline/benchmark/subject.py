"""What is timed: an enhancer with its weights, or a network as it is constructed."""

from dataclasses import dataclass

import torch

from enhancers.base import Enhancer
from enhancers.lfpv import LFPVEnhancer
from enhancers.lfpv.store import Nodes
from pipeline import zoo
from pipeline.errors import PipelineError
from pipeline.factory import is_network, load_enhancer, new_network
from pipeline.names import EnhancerName
from pipeline.registry import ENHANCERS

ALL, ALL_LFPV = "all", "all+lfpv"


@dataclass(frozen=True)
class Subject:
    """`model` in eval mode; `untrained` where a bare name has no weights here."""

    model: Enhancer
    untrained: bool


def load_subject(name: EnhancerName) -> Subject:
    """The enhancer that `pipeline run` would use; without weights, as it is constructed.

    A network takes the same time whatever its weights are, but not whatever its options are.

    Raises:
        PipelineError, EnhancerError: as `load_enhancer`, but for a bare name without weights.
    """
    if name.base == "images":
        raise PipelineError(f"'{name}' holds finished results; name an enhancer that computes")
    bare = name.weights is None and name.source is None
    if not (bare and is_network(ENHANCERS.get(name.base)) and not zoo.has_ours(name.bare)):
        return Subject(load_enhancer(name).model, False)
    model = new_network(name, {}, {"updaters": False})
    if isinstance(model, LFPVEnhancer):
        _fill(model)
    return Subject(model.eval(), True)


def expand(names: list[str]) -> list[str]:
    """`all` is every registered enhancer that needs no source, `all+lfpv` every network with it."""
    found: list[str] = []
    for name in names:
        if name not in (ALL, ALL_LFPV):
            found.append(name)
            continue
        factories = {base: ENHANCERS.get(base) for base in ENHANCERS.names()}
        for base, factory in factories.items():
            if name == ALL_LFPV and is_network(factory):
                found.append(f"{base}+lfpv")
            elif name == ALL and not hasattr(factory, "from_source"):
                found.append(getattr(factory, "example", base))
    return list(dict.fromkeys(found))


def _fill(model: LFPVEnhancer) -> None:
    """Any nodes: an empty store refuses to be asked."""
    full = (None if empty is None else torch.randn_like(empty) for empty in model.store.nodes)
    model.store.keep(Nodes(*full))
