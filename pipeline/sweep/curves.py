"""From results at several exposures to curves."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from pipeline.compare import Difference, overall, with_holm
from pipeline.result import Result
from pipeline.statistics import LEVEL, RESAMPLES

SCHEMA = 1


@dataclass(frozen=True)
class Point:
    """One enhancer at one exposure.

    Attributes:
        mean_level: of the darkened images before enhancement, of 255.
        score: in the sweep's unit. interval: over images; None with fewer than two.
        difference: to the reference on the same darkened images; None for the reference. Holm's
            family is all differences of the sweep.
        file: the result, relative to the sweep's folder.
    """

    exposure: float
    enhancer: str
    mean_level: float
    score: float
    interval: tuple[float, float] | None
    difference: Difference | None
    file: str


@dataclass(frozen=True)
class Sweep:
    """Curves of one score, "split/metric", of several enhancers.

    Attributes:
        reference: the enhancer that differences are to.
        darkening: what is the same at all exposures, see `tasks.darken`; the seed is of the noise.
        points: exposure by exposure, the reference first.
        provenance: as in a result, but `enhancers` by name, and without the exposure.
        level: of the intervals.
    """

    task: str
    data: str
    protocol: dict[str, Any]
    score: str
    unit: str
    images: int
    reference: str
    darkening: dict[str, Any]
    points: list[Point]
    notes: list[str]
    provenance: dict[str, Any]
    level: float = LEVEL
    resamples: int = RESAMPLES
    schema: int = SCHEMA

    @property
    def enhancers(self) -> list[str]:
        """Names, the reference first."""
        return list(dict.fromkeys(point.enhancer for point in self.points))

    @property
    def rows(self) -> dict[float, list[Point]]:
        """Exposure → the points of all enhancers."""
        exposures = dict.fromkeys(point.exposure for point in self.points)
        return {e: [point for point in self.points if point.exposure == e] for e in exposures}

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)


def row(exposure: float, results: Mapping[Path, Result]) -> list[Point]:
    """The points of one exposure; the differences are a family of their own still.

    Args:
        results: file, relative to the sweep's folder → result; the first is the reference.
    """
    first = next(iter(results.values()))
    name, _ = first.headline
    by_enhancer = {result.enhancer: result for result in results.values()}
    differences = [None, *overall(by_enhancer, name)]
    return [
        Point(
            exposure=exposure,
            enhancer=result.enhancer,
            mean_level=fmean(image["mean_level"] for image in result.per_image),
            score=result.scores[name].value,
            interval=result.scores[name].interval,
            difference=difference,
            file=file.as_posix(),
        )
        for (file, result), difference in zip(results.items(), differences, strict=True)
    ]


def curves(points: Sequence[Point], results: Sequence[Result]) -> Sweep:
    """Join the points of all exposures; `results` are those of any one, for what they share."""
    first = results[0]
    name, score = first.headline
    dataset = first.provenance["dataset"]
    provenance = _without(first.provenance, "enhancer") | {
        "enhancers": {result.enhancer: result.provenance["enhancer"] for result in results},
        "dataset": _without(dataset, "darkening"),
        "config": _without(first.provenance["config"], "enhancer"),
    }
    return Sweep(
        task=first.task,
        data=first.data,
        protocol=first.protocol,
        score=name,
        unit=score.unit,
        images=score.images,
        reference=first.enhancer,
        darkening=_without(dataset["darkening"], "exposure"),
        points=_with_holm(points),
        notes=first.notes,
        provenance=provenance,
    )


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}


def _with_holm(points: Sequence[Point]) -> list[Point]:
    """The same points, their differences adjusted as one family."""
    family = [point.difference for point in points if point.difference]
    adjusted = iter(with_holm(family, lower=False))
    return [replace(p, difference=next(adjusted)) if p.difference else p for p in points]
