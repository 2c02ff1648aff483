"""Every enhancer − the reference: on all images, in bins of brightness, and of each class."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from pipeline.statistics import (
    Confusions,
    Distribution,
    Values,
    bootstrap,
    holm,
    infer,
    mcnemar,
    resample_weights,
)
from tasks import metrics

ALPHA = 0.05
# An exact paired test of n images gives no p below 2·2⁻ⁿ, which is above 0.05 for fewer.
FEWEST = 6
NOTHING_SHOWN = "no difference shown"
NOT_AFTER_HOLM = "no difference shown (Holm)"
TOO_FEW = "too few images"
NOT_BOTH = "does not count for both"

Records = Values | Confusions


@dataclass(frozen=True)
class Difference:
    """One enhancer − the reference on some of the images or one class, in the score's unit.

    Attributes:
        name: "all", a range of brightness, or a class.
        images: how many bear on it: of the bin, or with that class in their truth.
        reference, score, delta: None where the score is not defined.
        interval: 95 % over images, of delta; None with fewer than `FEWEST` images.
        method: of the interval, "percentile" or "bca".
        test: "mcnemar" (Top-1) or "bootstrap".
        p, p_bootstrap: two-sided, of `test` and of the paired bootstrap.
        p_holm: p adjusted for its family.
        better, same, worse: number of images on which the enhancer is so.
        verdict: in words.
    """

    name: str
    images: int
    reference: float | None
    score: float | None
    delta: float | None
    interval: tuple[float, float] | None = None
    method: str | None = None
    test: str | None = None
    p: float | None = None
    p_bootstrap: float | None = None
    p_holm: float | None = None
    better: int = 0
    same: int = 0
    worse: int = 0
    verdict: str = TOO_FEW


@dataclass(frozen=True)
class Paired:
    """One score of several enhancers on the same N images.

    Attributes:
        records: label → its images, in one order; the reference comes first.
        levels: (N,) mean level of each source image, of 255.
        labels: (N,) true class (classification), else None.
        classes: class names; none for a restoration.
        scale: from the score to its unit. lower: whether less is better.
        method: of the intervals.
    """

    records: Mapping[str, Records]
    levels: np.ndarray
    labels: np.ndarray | None
    classes: Sequence[str]
    scale: float
    lower: bool
    method: str

    def take(self, chosen: np.ndarray) -> "Paired":
        """The same of the images that a mask (N,) chooses."""
        return replace(
            self,
            records={label: records.take(chosen) for label, records in self.records.items()},
            levels=self.levels[chosen],
            labels=None if self.labels is None else self.labels[chosen],
        )


@dataclass(frozen=True)
class Scored:
    """One enhancer: score, the same of each image alone, and resampled where it can be tested."""

    value: float
    each: np.ndarray
    distribution: Distribution | None


def overall(paired: Paired) -> list[Difference]:
    """One difference for every enhancer but the reference; they are one family."""
    return with_holm(_of_images("all", paired), paired.lower)


def between(paired: Paired, pairs: Iterable[tuple[str, str]]) -> list[Difference]:
    """Second − first of pairs of labels on all images, before Holm's correction; every enhancer is
    scored once."""
    count = len(paired.levels)
    weight = _weights(count)
    scored = {label: _scored(records, weight) for label, records in paired.records.items()}
    return [_difference("all", count, scored[a], scored[b], paired) for a, b in pairs]


def by_level(paired: Paired, edges: Sequence[float] | None) -> list[list[Difference]]:
    """For every enhancer, one difference a bin of the source's mean level; bins are a family.

    `edges` are of 255; None is the quartiles of the images, so that bins are of one size.
    """
    if edges is None:
        edges = np.unique(np.quantile(paired.levels, [0.25, 0.5, 0.75])).tolist()
    bins = np.searchsorted(edges, paired.levels, side="right")
    names = list(_bin_names(edges))
    rows = [_of_images(names[index], paired.take(bins == index)) for index in np.unique(bins)]
    return _per_enhancer(rows, paired)


def by_class(paired: Paired) -> list[list[Difference]]:
    """For every enhancer, one difference a class; the classes are a family."""
    if paired.labels is not None:
        present = np.unique(paired.labels)
        rows = [_of_images(paired.classes[c], paired.take(paired.labels == c)) for c in present]
    elif paired.classes:
        rows = list(_of_pixel_classes(paired))
    else:
        rows = []
    return _per_enhancer(rows, paired)


def with_holm(family: Iterable[Difference], lower: bool) -> list[Difference]:
    """A family of differences with adjusted p-values and verdicts."""
    family = list(family)
    adjusted = iter(holm(np.array([d.p for d in family if d.p is not None])).tolist())
    family = [d if d.p is None else replace(d, p_holm=next(adjusted)) for d in family]
    return [replace(d, verdict=_verdict(d, lower)) for d in family]


def _verdict(difference: Difference, lower: bool) -> str:
    if difference.delta is None:
        return NOT_BOTH
    if difference.interval is None:
        return TOO_FEW
    low, high = difference.interval
    if low <= 0 <= high:
        return NOTHING_SHOWN
    if difference.p_holm >= ALPHA:
        return NOT_AFTER_HOLM
    return "better" if (difference.delta > 0) != lower else "worse"


def _per_enhancer(rows: list[list[Difference]], paired: Paired) -> list[list[Difference]]:
    count = len(paired.records) - 1
    return [with_holm((row[index] for row in rows), paired.lower) for index in range(count)]


def _bin_names(edges: Sequence[float]) -> Iterator[str]:
    yield f"< {edges[0]:.4g}"
    for low, high in pairwise(edges):
        yield f"{low:.4g} to {high:.4g}"
    yield f"≥ {edges[-1]:.4g}"


def _of_images(name: str, paired: Paired) -> list[Difference]:
    """Every enhancer against the reference on these images."""
    count = len(paired.levels)
    weight = _weights(count)
    first, *others = (_scored(records, weight) for records in paired.records.values())
    return [_difference(name, count, first, other, paired) for other in others]


def _weights(count: int) -> np.ndarray | None:
    """As numbers with a fast product; None of too few images."""
    return resample_weights(count).astype(np.float64) if count >= FEWEST else None


def _scored(records: Records, weight: np.ndarray | None) -> Scored:
    each = records.per_image()
    value = float(records.scores(np.ones((1, len(each))))[0])
    return Scored(value, each, None if weight is None else bootstrap(records.scores, weight))


def _of_pixel_classes(paired: Paired) -> Iterator[list[Difference]]:
    """IoU of each class; every class is resampled with the same images."""
    count = len(paired.levels)
    weight = _weights(count)
    counts = [records.counts for records in paired.records.values()]
    images = (counts[0].sum(-1) > 0).sum(0)
    first, *others = (_scored_classes(Confusions(c, metrics.class_iou), weight) for c in counts)
    for index, name in enumerate(paired.classes):
        pairs = ((first[index], other[index]) for other in others)
        yield [_difference(name, int(images[index]), *pair, paired) for pair in pairs]


def _scored_classes(records: Confusions, weight: np.ndarray | None) -> list[Scored]:
    each = records.per_image()
    values = records.scores(np.ones((1, len(each))))[0]
    distribution = None if weight is None else bootstrap(records.scores, weight)
    return [
        Scored(float(value), each[:, index], distribution and distribution.column(index))
        for index, value in enumerate(values)
    ]


def _difference(
    name: str, images: int, first: Scored, second: Scored, paired: Paired
) -> Difference:
    gain = (first.each - second.each) if paired.lower else (second.each - first.each)
    better, worse = int((gain > 0).sum()), int((gain < 0).sum())
    values = [paired.scale * value for value in (first.value, second.value)]
    values.append(values[1] - values[0])
    plain = Difference(
        name,
        images,
        *(None if np.isnan(value) else value for value in values),
        better=better,
        same=len(gain) - better - worse,
        worse=worse,
    )
    if plain.delta is None or images < FEWEST:
        return plain
    return _tested(plain, first, second, paired)


def _tested(plain: Difference, first: Scored, second: Scored, paired: Paired) -> Difference:
    estimate = infer(second.distribution - first.distribution, paired.method)
    low, high = (paired.scale * end for end in estimate.interval)
    tested = replace(
        plain,
        interval=(low, high),
        method=estimate.method,
        test="bootstrap",
        p=estimate.p,
        p_bootstrap=estimate.p,
    )
    if paired.labels is None:
        return tested
    exact = mcnemar(first.each.astype(bool), second.each.astype(bool))
    return replace(tested, test="mcnemar", p=exact.p)
