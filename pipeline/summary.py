"""From measured images to a result: scores, intervals, per class, per image."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from pipeline.chain import Measured
from pipeline.result import Result, Score
from pipeline.statistics import percentile_interval
from tasks.check import left_out
from tasks.evaluators import Evaluator, Record
from tasks.task import Task


@dataclass(frozen=True)
class Light:
    """A measured image without its pixels; `mean_level` is the source's, of 255."""

    record: Record
    seconds: dict[str, float]
    mean_level: float


def without_pixels(one: Measured) -> Light:
    """Drop the pictures of a measured image, so that a whole dataset fits into memory."""
    record = replace(one.record, predicted_map=None)
    return Light(record, one.seconds, float(one.source.float().mean()))


def image_entry(one: Light) -> dict[str, Any]:
    """What a result's `per_image` says of it."""
    record = one.record
    entry: dict[str, Any] = {
        "id": record.id,
        "split": record.split,
        "mean_level": round(one.mean_level, 3),
        "seconds": {stage: round(value, 6) for stage, value in one.seconds.items()},
    }
    if record.values is not None:
        return entry | {"values": record.values}
    if record.confusion is None:
        known = record.margin is not None and math.isfinite(record.margin)
        margin = round(record.margin, 4) if known else None
        return entry | {"label": record.label, "prediction": record.prediction, "margin": margin}
    return entry | {"confusion": record.confusion.tolist()}


def summarise(
    name: str, evaluator: Evaluator, measured: Sequence[Light], provenance: dict[str, Any]
) -> Result:
    """The result of an enhancer from all its measured images.

    Raises:
        TaskError: nothing but void in a split.
    """
    task = evaluator.task
    records = [one.record for one in measured]
    by_split = {split: [r for r in records if r.split == split] for split in task.splits}
    return Result(
        enhancer=name,
        task=task.name,
        data=task.data,
        protocol=asdict(task.protocol),
        scores=_scores(evaluator, by_split),
        per_class={split: _percent(evaluator.per_class(rs)) for split, rs in by_split.items()},
        per_image=[image_entry(one) for one in measured],
        seconds=_seconds(measured, 0.5),
        provenance=provenance,
        notes=_notes(task, by_split, evaluator),
        seconds_p90=_seconds(measured, 0.9),
    )


def _scores(evaluator: Evaluator, by_split: dict[str, list[Record]]) -> dict[str, Score]:
    scores = {}
    records = [record for of_split in by_split.values() for record in of_split]
    for key, value in evaluator.run(records):
        split, metric = key.split("/")
        chosen = by_split[split]
        interval = percentile_interval(
            lambda weight, chosen=chosen, metric=metric: evaluator.scores(chosen, weight)[metric],
            len(chosen),
        )
        scale = evaluator.scale(metric)
        scaled = (scale * interval[0], scale * interval[1]) if interval else None
        scores[key] = Score(value, scaled, len(chosen), evaluator.units[metric])
    return scores


def _percent(values: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else 100 * value for name, value in values.items()}


def _seconds(measured: Sequence[Light], share: float) -> dict[str, float]:
    """Stage → the time that this share of the images did not exceed."""
    stages = measured[0].seconds
    return {
        stage: float(np.quantile([one.seconds[stage] for one in measured], share))
        for stage in stages
    }


def _notes(task: Task, by_split: dict[str, list[Record]], evaluator: Evaluator) -> list[str]:
    notes = list(evaluator.notes)
    if task.darkening:
        notes.append("images darkened by a model of a camera; no night images")
    if task.sample_data:
        notes.append("procedural sample scenes, not the dataset of that name")
    elif task.card:
        notes += _count_notes(task.card.splits, by_split)
        notes += [task.card.note] if task.card.note else []
        notes += left_out(task)
    if task.kind == "segmentation":
        pairs = zip(task.classes, evaluator.classes, strict=True)
        notes += [
            f"class {index} is '{mine}' in the data, '{theirs}' in the evaluator"
            for index, (mine, theirs) in enumerate(pairs)
            if mine != theirs
        ]
    return notes


def _count_notes(official: Mapping[str, int], by_split: dict[str, list[Record]]) -> list[str]:
    return [
        f"{split}: {len(records)} images, the official split has {official[split]}"
        for split, records in by_split.items()
        if len(records) != official.get(split, len(records))
    ]
