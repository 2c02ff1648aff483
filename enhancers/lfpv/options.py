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
        normalize: LayerNorm on queries and keys, as in the authors' code; else the bare product.
        rule: additive C^{o+1} = LN(C^o + mean Δ + mean ∧); additive_raw C^o + Σ Δ + Σ ∧, which
            grows without bound; sequential C' = LN(mean S), C^{o+1} = LN(M(C')), the authors' code.
        learn: updated by SU and MU; without_su, without_mu; direct, by gradient like any weight.
        branches: vectors, patches or both of them.
        temperature: what the logits are divided by: one; sqrt, the root of a query's length d;
            learnt, a number of each branch that starts there.
        centre: none; values, the nodes are answered without their mean; answer, so is f̄ + f̄' of
            an image without its mean over the positions, so that it cannot be a constant.
        gate: f'_d = f_d + g·(f̄ + f̄') with a learnt number g, which starts at 0.
        samples: Δ_j is the mean over the samples, or attended: weighted by their attention to j.
        max_width: of the layers in S and M, which have 4c channels up to that.
    """

    nodes: int = 16
    patch: int = 4
    positions: int = 1
    normalize: bool = True
    rule: Literal["additive", "additive_raw", "sequential"] = "additive"
    learn: Literal["updated", "without_su", "without_mu", "direct"] = "updated"
    branches: Literal["both", "vectors", "patches"] = "both"
    temperature: Literal["one", "sqrt", "learnt"] = "one"
    centre: Literal["none", "values", "answer"] = "none"
    gate: bool = False
    samples: Literal["mean", "attended"] = "mean"
    max_width: int = 256

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            _check(name, getattr(self, name), kind)
        for name, least in (("nodes", 2), ("patch", 1), ("positions", 1), ("max_width", 1)):
            if getattr(self, name) < least:
                raise EnhancerError(f"LFPV needs {name} >= {least}, not {getattr(self, name)}")
        of_sampling = ("positions", "samples")
        unread = {"direct": ("rule", *of_sampling), "without_su": of_sampling}
        for name in unread.get(self.learn, ()):
            if getattr(self, name) != getattr(Options, name):
                raise EnhancerError(f"LFPV with learn={self.learn} has no {name}; leave it out")

    @property
    def has_vectors(self) -> bool:
        """Whether there are vectors C_v."""
        return self.branches != "patches"

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
    elif type(value) is not kind:
        wanted = {int: "a whole number", bool: "true or false"}[kind]
        raise EnhancerError(f"LFPV: {name} must be {wanted}, not {value!r}")
