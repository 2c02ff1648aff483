"""From results to a report of their differences."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from pipeline.compare import differences
from pipeline.compare.comparable import ordered_images, require_comparable
from pipeline.compare.differences import Difference, Paired, Records
from pipeline.compare.images import PIXEL_METRICS, ImageDifference, by_image
from pipeline.compare.trainings import training_notes
from pipeline.errors import PipelineError
from pipeline.result import Result, class_counts, lower_is_better, weights_meant
from pipeline.statistics import LEVEL, RESAMPLES, Confusions, Values

SCHEMA = 1
# With fewer images 95 % intervals hold less than 95 %; see bench/interval_coverage.py.
FEW = 100


@dataclass(frozen=True)
class Comparison:
    """One enhancer against the reference.

    Attributes:
        overall: on all images; all enhancers are one family of Holm's correction.
        by_level: by the source's mean level, of 255, dark to bright; a family of its own.
        by_class: of each class; a family of its own, none for a restoration.
        by_image: of each image that differs, the largest gain first; untested.
    """

    enhancer: str
    overall: Difference
    by_level: list[Difference]
    by_class: list[Difference]
    by_image: list[ImageDifference]


@dataclass(frozen=True)
class Report:
    """Comparisons of one score, "split/metric", with one reference.

    Attributes:
        class_score: what `by_class` holds: "Top-1", "IoU", or "" where there is none.
        method: "percentile" or "bca", as asked for; each interval names its own.
        level: of the intervals.
    """

    task: str
    data: str
    protocol: dict[str, Any]
    evaluator: dict[str, Any]
    dataset: dict[str, Any]
    score: str
    unit: str
    class_score: str
    images: int
    reference: str
    comparisons: list[Comparison]
    notes: list[str]
    method: str
    level: float = LEVEL
    resamples: int = RESAMPLES
    schema: int = SCHEMA

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)


def compare(
    results: Mapping[str, Result],
    reference: str | None = None,
    score: str | None = None,
    edges: Sequence[float] | None = None,
    method: str = "percentile",
) -> Report:
    """Compare results with a reference on the same images.

    Args:
        results: label → result, two or more.
        reference: a label; None is the first.
        score: "split/metric"; None is the headline.
        edges: between the bins of the source's mean level, of 255; None is the images' quartiles.
        method: "percentile" or "bca", of the intervals.

    Raises:
        PipelineError: fewer than two results, an unknown reference or score, edges that do not
            rise, or results that cannot be compared.
    """
    if len(results) < 2:
        raise PipelineError("a comparison needs two results or more")
    if edges is not None and any(high <= low for low, high in pairwise(edges)):
        raise PipelineError("the edges of the bins of brightness must rise")
    reference = reference or next(iter(results))
    if reference not in results:
        raise PipelineError(f"no result is of '{reference}'; there are {', '.join(results)}")
    ordered = {reference: results[reference]} | dict(results)
    score = score or ordered[reference].headline[0]
    require_comparable(ordered, score)
    return _report(ordered, score, _paired(ordered, score, method), edges)


def overall(
    results: Mapping[str, Result], score: str, method: str = "percentile"
) -> list[Difference]:
    """Every result − the first, on all images: one family of Holm's correction.

    Raises:
        PipelineError: the results cannot be compared.
    """
    require_comparable(results, score)
    return differences.overall(_paired(results, score, method))


def between(
    results: Mapping[str, Result], pairs: Sequence[tuple[str, str]], score: str
) -> list[Difference]:
    """Second − first of pairs of labels, on all images, before Holm's correction.

    Raises:
        PipelineError: the results cannot be compared.
    """
    require_comparable(results, score)
    return differences.between(_paired(results, score, "percentile"), pairs)


def _report(
    results: Mapping[str, Result], score: str, paired: Paired, edges: Sequence[float] | None
) -> Report:
    reference, *others = results
    first = results[reference]
    evaluator = first.provenance["evaluator"]
    parts = zip(
        others,
        differences.overall(paired),
        differences.by_level(paired, edges),
        differences.by_class(paired),
        (by_image({reference: first, o: results[o]}, reference, score) for o in others),
        strict=True,
    )
    comparisons = [Comparison(*part) for part in parts]
    return Report(
        task=first.task,
        data=first.data,
        protocol=first.protocol,
        evaluator={k: evaluator[k] for k in ("model", "file", "sha256") if k in evaluator},
        dataset=first.provenance["dataset"],
        score=score,
        unit=first.scores[score].unit,
        class_score=_class_score(paired),
        images=len(paired.levels),
        reference=reference,
        comparisons=comparisons,
        notes=[
            *training_notes(first, [results[other] for other in others]),
            *notes(
                [*results.values()],
                [d for c in comparisons for d in (c.overall, *c.by_level, *c.by_class)],
            ),
        ],
        method=paired.method,
    )


def _class_score(paired: Paired) -> str:
    if paired.labels is not None:
        return "Top-1"
    return "IoU" if paired.classes else ""


def notes(results: Sequence[Result], shown: Iterable[Difference]) -> list[str]:
    """What a reader of differences must know."""
    provenance = [result.provenance for result in results]
    notes = []
    if any(difference.interval and difference.images < FEW for difference in shown):
        notes.append(
            f"95 % intervals of fewer than {FEW} images are often too narrow: in a simulation 88 "
            "to 96 % of those of 15 images held the truth, 90 to 96 % of those of 50"
        )
    if any(p["evaluator"] and "sha256" not in p["evaluator"] for p in provenance):
        notes.append("the evaluator was given in memory; whether it is one and the same is unknown")
    if len({p["config"]["amp"] for p in provenance}) > 1:
        notes.append("some of the results were measured in mixed precision, some were not")
    return notes + class_counts(results) + weights_meant(results)


def _paired(results: Mapping[str, Result], score: str, method: str) -> Paired:
    split, metric = score.split("/")
    images = {label: ordered_images(result, split) for label, result in results.items()}
    reference, first = next(iter(images.items()))
    return Paired(
        records={label: _records(entries, metric) for label, entries in images.items()},
        levels=np.array([image["mean_level"] for image in first]),
        labels=np.array([image["label"] for image in first]) if "label" in first[0] else None,
        classes=list(results[reference].per_class[split]),
        scale=100.0 if results[reference].scores[score].unit == "%" else 1.0,
        lower=lower_is_better(score),
        method=method,
    )


def _records(images: Sequence[dict[str, Any]], metric: str) -> Records:
    if "confusion" in images[0]:
        counts = np.array([image["confusion"] for image in images], np.int64)
        return Confusions(counts, PIXEL_METRICS[metric])
    if "values" in images[0]:
        return Values(np.array([image["values"][metric] for image in images]))
    return Values(np.array([float(image["label"] == image["prediction"]) for image in images]))
