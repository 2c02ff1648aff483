"""What base and +lfpv must share for their difference to be LFPV's."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.names import parse_enhancer
from pipeline.recipes import differing_key
from pipeline.result import Result

Weights = Mapping[str, Any]
"""Provenance of an enhancer's weights."""


def is_control(weights: Weights) -> bool:
    """Whether a base was trained with LFPV's two paths, but without nodes."""
    recipe = (weights.get("header") or {}).get("recipe")
    return isinstance(recipe, dict) and recipe.get("control") == "two_path"


def training_of(weights: Weights) -> dict[str, Any] | None:
    """Recipe but for what concerns LFPV alone, data, seed and steps; None where it is not said."""
    header = weights.get("header") or {}
    if not isinstance(header.get("recipe"), dict) or "data" not in header:
        return None
    shared = {"recipe": _without_lfpv(header["recipe"]), "data": header["data"]}
    shared["seed"] = header.get("seed")
    # The best weights of two trainings on held-out pairs need not be of one step.
    shared["steps"] = "best" if "held_out" in header else header.get("steps")
    return shared


def differing_training(base: tuple[str, Weights], lfpv: tuple[str, Weights]) -> str | None:
    """The first thing in which two trainings differ, or what is not known; None where alike.

    Both are labels with weights.
    """
    for label, weights in (base, lfpv):
        if training_of(weights) is None:
            return f"the weights of {label} do not say how they were trained"
    if differing := differing_key(training_of(base[1]), training_of(lfpv[1])):
        return f"{differing.partition(' is ')[0]} of their trainings differs"
    return None


def training_notes(reference: Result, others: Sequence[Result]) -> Iterator[str]:
    """Where a difference between a base and its +lfpv is of other things too."""
    for other in others:
        pair = sorted((reference, other), key=lambda result: parse_enhancer(result.enhancer).lfpv)
        base, lfpv = (parse_enhancer(result.enhancer) for result in pair)
        if base.base != lfpv.base or base.lfpv == lfpv.lfpv:
            continue
        named = [(result.enhancer, result.provenance["enhancer"]) for result in pair]
        if reason := differing_training(*named):
            yield f"{lfpv} and {base} differ in more than LFPV: {reason}"


def _without_lfpv(recipe: Mapping[str, Any]) -> dict[str, Any]:
    plain = {k: v for k, v in recipe.items() if k not in ("lfpv", "control")}
    if isinstance(training := plain.get("training"), dict):
        plain["training"] = {k: v for k, v in training.items() if k != "lfpv_weight"}
    if isinstance(phases := plain.get("phases"), list):
        plain["phases"] = [{k: v for k, v in phase.items() if k != "nodes"} for phase in phases]
    return plain
