"""Enhancers with their weights, one row each, and which of them are base and +lfpv of each other.

A row is the same in every column: a name whose weights changed in between gives two rows.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.compare.trainings import differing_training, is_control
from pipeline.names import EnhancerName, parse_enhancer
from pipeline.registry import ENHANCERS
from pipeline.report.collect import Found
from pipeline.result import Result
from pipeline.table import short_name

Key = tuple[str, str]
"""Name as given, and hash of the weights or of what else stands behind it."""

IDENTITY = "identity"


@dataclass(frozen=True)
class Row:
    """An enhancer with its weights.

    Attributes:
        name: as given.
        label: what is shown; no other row has it.
        weights: provenance of the weights; empty without any.
    """

    name: EnhancerName
    label: str
    weights: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def kind(self) -> str:
        """identity, other (no network of the registry), base, control, or lfpv."""
        if self.name.base == IDENTITY:
            return IDENTITY
        if "options" not in self.weights:
            return "other"
        if self.name.lfpv:
            return "lfpv"
        return "control" if is_control(self.weights) else "base"


@dataclass(frozen=True)
class Pair:
    """A base, or the compute-matched control, and +lfpv of the same training."""

    base: Row
    lfpv: Row

    @property
    def label(self) -> str:
        return f"{self.lfpv.label} − {self.base.label}"


def key(result: Result) -> Key:
    """What tells a row from any other."""
    return result.enhancer, str(result.provenance["enhancer"].get("sha256", ""))


def rows(found: Iterable[Found]) -> dict[Key, Row]:
    """The rows of all results: identity, then as registered; base, control, +lfpv."""
    weights = {key(one.result): one.result.provenance["enhancer"] for one in found}
    labels = _labels(weights)
    made = {k: Row(parse_enhancer(k[0]), labels[k], weights[k]) for k in weights}
    known = ENHANCERS.names()
    order = ("identity", "other", "base", "control", "lfpv")

    def rank(item: tuple[Key, Row]) -> tuple[Any, ...]:
        base, kind = item[1].name.base, item[1].kind
        index = known.index(base) if base in known else len(known)
        return index, base, order.index(kind), item[1].label

    return dict(sorted(made.items(), key=rank))


def pairs(chosen: Sequence[Row]) -> tuple[list[Pair], list[str]]:
    """Every base or control with the +lfpv of its training, and why a +lfpv has no partner."""
    found: list[Pair] = []
    reasons: list[str] = []
    for lfpv in (row for row in chosen if row.kind == "lfpv"):
        plain = [r for r in chosen if r.name.base == lfpv.name.base and not r.name.lfpv]
        partners = [row for row in plain if _differing(row, lfpv) is None]
        found += [Pair(row, lfpv) for row in partners]
        if not any(row.kind == "base" for row in partners):
            reasons.append(_no_base(lfpv, [row for row in plain if row.kind == "base"]))
    return found, reasons


def _no_base(lfpv: Row, bases: Sequence[Row]) -> str:
    start = f"no difference of {lfpv.label} to its base: "
    if not bases:
        return f"{start}there is no result of {lfpv.name.base}"
    if len(bases) == 1:
        return f"{start}{bases[0].label}: {_differing(bases[0], lfpv)}"
    return f"{start}none of {', '.join(r.label for r in bases)} is of its recipe, data and seed"


def _differing(base: Row, lfpv: Row) -> str | None:
    return differing_training((base.label, base.weights), (lfpv.label, lfpv.weights))


def _labels(weights: Mapping[Key, Mapping[str, Any]]) -> dict[Key, str]:
    """The shortest of three labels that no other row has; the last has name and hash."""
    forms = {}
    for (name, digest), known in weights.items():
        short = short_name(name) + (" (compute-matched control)" if is_control(known) else "")
        hashed = f" ({digest[:8]})" if digest else ""
        forms[name, digest] = (short, short + hashed, name + hashed)
    counts = [Counter(level) for level in zip(*forms.values(), strict=True)]
    return {
        k: next((f for f, c in zip(of, counts, strict=True) if c[f] == 1), of[-1])
        for k, of in forms.items()
    }
