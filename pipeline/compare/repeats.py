"""Enhancers under several evaluators, or of several training seeds: mean ± sample deviation.

An interval over images says how far other images would move the score of one model; the deviation
says how far another training would. The two stand side by side and are never joined.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.compare.comparable import require_comparable
from pipeline.compare.differences import Difference, with_holm
from pipeline.compare.report import notes, overall
from pipeline.errors import PipelineError
from pipeline.names import parse_enhancer
from pipeline.result import Result, lower_is_better
from pipeline.statistics import LEVEL, RESAMPLES, Spread, spread

SCHEMA = 1
ONCE = ""
"""The name of the only result of an enhancer that no seed was trained for, e.g. identity."""

Runs = Mapping[str, Mapping[str, Result]]
"""Enhancer → name of an evaluator or seed → result."""


@dataclass(frozen=True)
class Repeated:
    """One enhancer over all evaluators or seeds.

    Attributes:
        score: mean ± deviation of its scores. scores: evaluator or seed → score.
        delta: mean ± deviation of the paired differences; None for the reference.
        each: one difference to the reference for every evaluator or seed, named so, with its
            interval over images; Holm's family is all differences of the report.
    """

    enhancer: str
    score: Spread
    scores: dict[str, float]
    delta: Spread | None
    each: list[Difference]


@dataclass(frozen=True)
class Repeats:
    """One score, "split/metric", of several enhancers over evaluators or seeds.

    Attributes:
        over: "evaluators" or "seeds".
        repeated: the reference first.
        method: "percentile" or "bca", of the intervals over images.
    """

    task: str
    data: str
    protocol: dict[str, Any]
    dataset: dict[str, Any]
    over: str
    score: str
    unit: str
    images: int
    reference: str
    repeated: list[Repeated]
    notes: list[str]
    method: str
    level: float = LEVEL
    resamples: int = RESAMPLES
    schema: int = SCHEMA

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)


def compare_over(
    over: str,
    results: Sequence[Result],
    reference: str | None = None,
    score: str | None = None,
    method: str = "percentile",
) -> Repeats:
    """Compare enhancers with a reference, evaluator by evaluator or seed by seed.

    With "evaluators" every enhancer is measured under each of them. With "seeds" weights that were
    trained under several seeds count as one enhancer, by its bare name; a reference without a seed
    is that of all of them, one with seeds is paired seed by seed.

    Args:
        over: "evaluators" or "seeds".
        results: in any order; the reference is by default the first one's enhancer.

    Raises:
        PipelineError: nothing is repeated, a result is missing or there twice, an unknown reference
            or score, or results that cannot be compared.
    """
    runs = _by_evaluator(results) if over == "evaluators" else _by_seed(results)
    reference = reference or next(iter(runs))
    if reference not in runs:
        raise PipelineError(f"no result is of '{reference}'; there are {', '.join(runs)}")
    runs = {reference: runs[reference]} | runs
    first = next(iter(runs[reference].values()))
    score = score or first.headline[0]
    labelled = {f"{e} ({u})" if u else e: r for e, of in runs.items() for u, r in of.items()}
    require_comparable(labelled, score, one_evaluator=over != "evaluators")
    repeated = [_repeated(name, runs, reference, score, method) for name in runs]
    return Repeats(
        task=first.task,
        data=first.data,
        protocol=first.protocol,
        dataset=first.provenance["dataset"],
        over=over,
        score=score,
        unit=first.scores[score].unit,
        images=first.scores[score].images,
        reference=reference,
        repeated=_with_holm(repeated, lower_is_better(score)),
        notes=notes(results, [d for one in repeated for d in one.each]),
        method=method,
    )


def _by_evaluator(results: Sequence[Result]) -> Runs:
    evaluators = [result.provenance["evaluator"] for result in results]
    if not all("sha256" in evaluator for evaluator in evaluators):
        raise PipelineError("--over evaluators needs evaluators with a weights file")
    names = _evaluator_names(evaluators)
    if len(set(names)) < 2:
        raise PipelineError("all results are of one evaluator; leave --over evaluators out")
    return _runs(zip((result.enhancer for result in results), names, results, strict=True))


def _evaluator_names(evaluators: Sequence[Mapping[str, Any]]) -> list[str]:
    """The weights' name; where others have it too, model, hash and class map beside it."""
    known = [
        (
            Path(one["file"]).stem,
            Path(one["model"]).stem,
            one["sha256"][:8],
            (one.get("class_map") or {}).get("file", ""),
        )
        for one in evaluators
    ]
    same_file = Counter(stem for stem, *_ in set(known))
    return [one[0] if same_file[one[0]] == 1 else " ".join(filter(None, one)) for one in known]


def _by_seed(results: Sequence[Result]) -> Runs:
    runs = _runs((*_enhancer_and_seed(result), result) for result in results)
    if all(len(of) == 1 for of in runs.values()):
        raise PipelineError(
            "no enhancer has weights of two seeds; a seed is known of weights that `pipeline "
            "train` wrote"
        )
    for name, of in runs.items():
        trainings = [_training(result) for result in of.values()]
        if any(training != trainings[0] for training in trainings):
            raise PipelineError(f"{name}: was trained by several recipes or data, not seeds alone")
    return runs


def _enhancer_and_seed(result: Result) -> tuple[str, str]:
    seed = _header(result).get("seed")
    if seed is None:
        return result.enhancer, ONCE
    return parse_enhancer(result.enhancer).bare, f"seed {seed}"


def _training(result: Result) -> dict[str, Any]:
    return {key: _header(result).get(key) for key in ("recipe", "data", "steps")}


def _header(result: Result) -> Mapping[str, Any]:
    return result.provenance["enhancer"].get("header", {})


def _runs(named: Iterable[tuple[str, str, Result]]) -> Runs:
    """Of (enhancer, evaluator or seed, result)."""
    runs: dict[str, dict[str, Result]] = {}
    for enhancer, name, result in named:
        if name in runs.setdefault(enhancer, {}):
            raise PipelineError(f"two of the results are of {enhancer} {name}".rstrip())
        runs[enhancer][name] = result
    return runs


def _repeated(enhancer: str, runs: Runs, reference: str, score: str, method: str) -> Repeated:
    scores = {name: result.scores[score].value for name, result in runs[enhancer].items()}
    each = [
        replace(overall(pair, score, method)[0], name=name)
        for name, pair in _pairs(enhancer, runs, reference)
    ]
    return Repeated(
        enhancer=enhancer,
        score=spread(list(scores.values())),
        scores=scores,
        delta=spread([difference.delta for difference in each]) if each else None,
        each=each,
    )


def _pairs(enhancer: str, runs: Runs, reference: str) -> Iterator[tuple[str, dict[str, Result]]]:
    """Evaluator or seed, and the two results that belong together, the reference's first."""
    first, second = runs[reference], runs[enhancer]
    names = first if ONCE in second else second
    if not {ONCE} & {*first, *second} and (differing := sorted({*first} ^ {*second})):
        raise PipelineError(f"{differing[0]}: there is a result of {reference} or {enhancer} only")
    for name in names if enhancer != reference else ():
        one, other = first.get(name) or first[ONCE], second.get(name) or second[ONCE]
        yield name, {reference: one, enhancer: other}


def _with_holm(repeated: Sequence[Repeated], lower: bool) -> list[Repeated]:
    """The same, all their differences adjusted as one family."""
    adjusted = iter(with_holm([d for one in repeated for d in one.each], lower))
    return [replace(one, each=[next(adjusted) for _ in one.each]) for one in repeated]
