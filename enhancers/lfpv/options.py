"""The options of LFPV, checked."""

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from enhancers.errors import EnhancerError


@dataclass(frozen=True)
class Options:
    """Defaults are the paper's method, kept bounded. EnhancerError for a wrong value.

    Attributes:
        nodes: l, at least 2.
        patch: k, the side of the patches.
        positions: of each image, at which the Sample Updater reads f_d in a step.
        partners: other nodes that the Mutual Updater joins to each node in a step, drawn anew every
            time; 0 is all of them. Its cost is in proportion. Sequential takes one, as published.
        normalize: LayerNorm on queries and keys, as in the authors' code; else the bare product.
        rule: additive C^{o+1} = LN(C^o + mean Δ + mean ∧); additive_raw C^o + Σ Δ + Σ ∧, which
            grows without bound; sequential C' = LN(mean S), C^{o+1} = LN(M(C')), the authors' code
            (which shares a position over the batch).
        learn: updated by SU and MU; without_su, without_mu; direct, by gradient like any weight.
        branches: vectors, patches or both of them.
        temperature: what the logits are divided by: one; sqrt, the root of a query's length d;
            learnt, a number of each branch that starts there.
        centre: none; against a store that is a constant bias: nodes, an update takes their mean
            away before its LN, so that no two can be alike; queries, an image asks with f_d less
            its mean over the positions, so that they do not all ask the same; both.
        gate: f'_d = f_d + g·(f̄ + f̄') with a learnt number g; true starts it at 0, which in a short
            training hardly opens, a number between 0 and 1 at that.
        max_width: of the layers in S and M, which have 4c channels up to that.
    """

    nodes: int = 16
    patch: int = 4
    positions: int = 1
    partners: int = 0
    normalize: bool = True
    rule: Literal["additive", "additive_raw", "sequential"] = "additive"
    learn: Literal["updated", "without_su", "without_mu", "direct"] = "updated"
    branches: Literal["both", "vectors", "patches"] = "both"
    temperature: Literal["one", "sqrt", "learnt"] = "one"
    centre: Literal["none", "nodes", "queries", "both"] = "none"
    gate: bool | float = False
    max_width: int = 256

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            _check(name, getattr(self, name), kind)
        for name, least in (("nodes", 2), ("patch", 1), ("positions", 1), ("max_width", 1)):
            if getattr(self, name) < least:
                raise EnhancerError(f"LFPV needs {name} >= {least}, not {getattr(self, name)}")
        if not 0 <= self.partners < self.nodes:
            raise EnhancerError(f"LFPV: {self.nodes} nodes have 0 to {self.nodes - 1} partners")
        if self.rule == "sequential" and self.partners:
            raise EnhancerError("LFPV with rule=sequential takes one partner; leave partners out")
        unread = {
            "direct": ("rule", "positions", "partners"),
            "without_su": ("positions",),
            "without_mu": ("partners",),
        }
        for name in unread.get(self.learn, ()):
            if getattr(self, name) != getattr(Options, name):
                raise EnhancerError(f"LFPV with learn={self.learn} has no {name}; leave it out")
        if self.learn == "direct" and self.centres_nodes:
            raise EnhancerError("LFPV with learn=direct has no update that could centre its nodes")

    @property
    def has_vectors(self) -> bool:
        """Whether there are vectors C_v."""
        return self.branches != "patches"

    @property
    def centres_nodes(self) -> bool:
        """Whether the nodes' mean is taken from them."""
        return self.centre in ("nodes", "both")

    @property
    def centres_queries(self) -> bool:
        """Whether the feature's mean is taken from the queries."""
        return self.centre in ("queries", "both")

    @property
    def has_patches(self) -> bool:
        """Whether there are patches C_p."""
        return self.branches != "vectors"


def read_options(values: dict[str, Any]) -> Options:
    """Options from keyword arguments; EnhancerError names one that does not exist."""
    known = [field.name for field in fields(Options)]
    for name in values:
        if name not in known:
            raise EnhancerError(f"LFPV has no option {name}; there are {', '.join(known)}")
    return Options(**values)


def _check(name: str, value: Any, kind: Any) -> None:
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            choices = ", ".join(get_args(kind))
            raise EnhancerError(f"LFPV: {name} is one of {choices}, not {value!r}")
    elif kind == bool | float:
        if type(value) is not bool and not (type(value) is float and 0 < value < 1):
            known = "true, false or a number between 0 and 1"
            raise EnhancerError(f"LFPV: {name} must be {known}, not {value!r}")
    elif type(value) is not kind:
        wanted = {int: "a whole number", bool: "true or false"}[kind]
        raise EnhancerError(f"LFPV: {name} must be {wanted}, not {value!r}")
