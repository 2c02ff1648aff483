"""Published figures, and whether a result is of what they are of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import configs
from pipeline.report.rows import IDENTITY, Row
from pipeline.result import Result
from tasks.yaml_files import read_yaml


@dataclass(frozen=True)
class Published:
    """The published figures of a task; see `configs/published.yaml`.

    Attributes:
        figures: enhancer → (base, +lfpv).
        identity: without enhancement.
        sources: of the figures and of identity's.
    """

    title: str
    metric: str
    split: str
    images: int
    protocols: tuple[str, ...]
    evaluators: tuple[str, ...]
    evaluator: str
    decimals: int
    figures: Mapping[str, tuple[float, float]]
    identity: float
    sources: tuple[str, str]
    note: str = ""

    def of(self, row: Row) -> float | None:
        """The figure of a row; weights may be others than the paper's, its method may not."""
        if row.kind == IDENTITY:
            return self.identity
        pair = self.figures.get(row.name.base)
        if pair is None or row.kind in ("other", "control"):
            return None
        direct = row.kind == "lfpv" and row.weights["options"].get("learn") == "direct"
        return None if direct else pair[row.name.lfpv]

    def differences(self, result: Result, score: str) -> Iterator[str]:
        """In what a score is not what was published; nothing where both may stand together."""
        split, metric = score.split("/")
        evaluator = result.provenance["evaluator"]
        model = Path(str(evaluator.get("model", "given in memory"))).stem
        if result.data != "user":
            yield f"images are {result.data}, not the dataset's"
        if (split, metric) != (self.split, self.metric):
            yield f"{split} {metric}, published is {self.split} {self.metric}"
        if result.protocol["name"] not in self.protocols:
            yield f"protocol {result.protocol['name']}, published is {', '.join(self.protocols)}"
        if model not in self.evaluators or evaluator.get("class_map"):
            yield f"frozen model {model}, published is {self.evaluator}"
        if result.scores[score].images != self.images:
            yield f"{result.scores[score].images} images, published is {self.images}"
        if result.provenance["config"]["amp"]:
            yield "mixed precision"


def published(result: Result) -> Published | None:
    """The figures of a result's task, whether or not they may stand beside it."""
    return _all().get(result.task)


@cache
def _all() -> dict[str, Published]:
    content = read_yaml(configs.ROOT / "published.yaml")
    return {task: _one(values, content["sources"]) for task, values in content["tasks"].items()}


def _one(values: dict[str, Any], sources: Mapping[str, str]) -> Published:
    figures, identity = dict(values.pop("figures")), values.pop("identity")
    named = (sources[figures.pop("source")], sources[identity["source"]])
    lists = {name: tuple(values.pop(name)) for name in ("protocols", "evaluators")}
    pairs = {name: tuple(pair) for name, pair in figures.items()}
    return Published(**values, **lists, figures=pairs, identity=identity["value"], sources=named)
