"""The images on which enhancers gain and lose most."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pipeline.result import Result, lower_is_better, metric_of, split_of
from tasks import metrics

PIXEL_METRICS = {"mIoU": metrics.mean_iou, "pixel_accuracy": metrics.pixel_accuracy}
SHOWN = 3
"""Gains, and losses, of a score."""


class Change(NamedTuple):
    """One image by one enhancer, against the reference.

    Attributes:
        gain: in the score's unit, positive where the enhancer is better.
        surer: of Top-1, by how much the logits' margin moves towards the truth; else 0.
    """

    gain: float
    surer: float
    enhancer: str
    image: str


@dataclass(frozen=True)
class ImageDifference:
    """One enhancer − the reference on one image, in the score's unit.

    Attributes:
        truth, before, after: of Top-1, the class and what is predicted by the reference and by the
            enhancer; else None.
    """

    image: str
    reference: float
    score: float
    delta: float
    truth: str | None = None
    before: str | None = None
    after: str | None = None


def main_scores(result: Result) -> list[str]:
    """The first score of every split."""
    return list({split_of(name): name for name in reversed(result.scores)}.values())[::-1]


def image_scores(result: Result, score: str) -> dict[str, float]:
    """The score of each image alone, in the score's unit; NaN where nothing is labelled."""
    metric = metric_of(score)
    scale = 100.0 if result.scores[score].unit == "%" else 1.0
    return {image["id"]: scale * _of_image(image, metric) for image in _images(result, score)}


def changes(results: Mapping[str, Result], reference: str, score: str) -> list[Change]:
    """Every image by every enhancer but the reference, the largest gain first."""
    sign = -1 if lower_is_better(score) else 1
    before, margins = image_scores(results[reference], score), _margins(results[reference], score)
    found = []
    for label, result in results.items():
        if label != reference:
            surer = _margins(result, score)
            found += [
                Change(sign * (value - before[image]), surer[image] - margins[image], label, image)
                for image, value in image_scores(result, score).items()
            ]
    # NaN, an image without a label, has no place in an order.
    known = [one for one in found if one.gain == one.gain]
    return sorted(known, key=lambda c: (-c.gain, -c.surer, c.enhancer, c.image))


def gains_and_losses(
    ordered: Sequence[Change], count: int = SHOWN
) -> tuple[list[Change], list[Change]]:
    """So many of each, of different enhancers and different images first."""
    gains = [change for change in ordered if change.gain > 0]
    losses = [change for change in reversed(ordered) if change.gain < 0]
    return list(_varied(gains, count)), list(_varied(losses, count))


def by_image(results: Mapping[str, Result], reference: str, score: str) -> list[ImageDifference]:
    """Two results on every image on which they differ, the largest gain first."""
    classes = list(results[reference].per_class[split_of(score)])
    (other,) = (label for label in results if label != reference)
    pair = [results[label] for label in (reference, other)]
    scores = [image_scores(result, score) for result in pair]
    entries = [{image["id"]: image for image in _images(result, score)} for result in pair]
    found = []
    for change in changes(results, reference, score):
        if change.gain:
            before, after = (of[change.image] for of in scores)
            words = _in_words([of[change.image] for of in entries], classes)
            found.append(ImageDifference(change.image, before, after, after - before, *words))
    return found


def _in_words(pair: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> Iterator[str]:
    """Truth and both predictions of a classification."""
    if "label" in pair[0]:
        yield classes[pair[0]["label"]]
        yield from (classes[image["prediction"]] for image in pair)


def extremes(results: Mapping[str, Result], reference: str, count: int) -> dict[str, set[str]]:
    """Label → its images among the gains and losses of every main score."""
    found: dict[str, set[str]] = {}
    for score in main_scores(results[reference]):
        for some in gains_and_losses(changes(results, reference, score), count):
            for change in some:
                found.setdefault(change.enhancer, set()).add(change.image)
    return found


def _varied(ordered: Sequence[Change], count: int) -> Iterator[Change]:
    """The first, then those that repeat enhancers and images least; in their order."""
    seen: Counter[tuple[str, str]] = Counter()
    chosen: list[int] = []
    while len(chosen) < min(count, len(ordered)):
        index = _least_seen(ordered, seen, chosen)
        chosen.append(index)
        seen.update(_named(ordered[index]))
    return (ordered[index] for index in sorted(chosen))


def _least_seen(
    ordered: Sequence[Change], seen: Counter[tuple[str, str]], taken: Sequence[int]
) -> int:
    for repeats in range(2 * len(taken) + 1):
        for index, one in enumerate(ordered):
            if index not in taken and sum(seen[name] for name in _named(one)) == repeats:
                return index
    raise AssertionError("each choice repeats an enhancer and an image at most")


def _named(one: Change) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("enhancer", one.enhancer), ("image", one.image)


def _images(result: Result, score: str) -> Iterable[dict[str, Any]]:
    split = split_of(score)
    return (image for image in result.per_image if image["split"] == split)


def _margins(result: Result, score: str) -> dict[str, float]:
    """By how much each image is right, negative where it is wrong; 0 where nothing is known."""
    return {
        image["id"]: (image.get("margin") or 0.0) * (1 if _is_right(image) else -1)
        for image in _images(result, score)
    }


def _is_right(image: dict[str, Any]) -> bool:
    return image.get("label") == image.get("prediction")


def _of_image(image: dict[str, Any], metric: str) -> float:
    if "confusion" in image:
        return float(PIXEL_METRICS[metric](np.array(image["confusion"], np.int64)))
    if "values" in image:
        return float(image["values"][metric])
    return float(_is_right(image))
