"""Results that may stand in one column: one task, data, protocol, precision and frozen model."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.compare.comparable import require_comparable
from pipeline.compare.images import main_scores
from pipeline.cost import Cost
from pipeline.errors import PipelineError
from pipeline.names import parse_task
from pipeline.registry import TASKS
from pipeline.report.collect import Found
from pipeline.report.rows import IDENTITY, Key, Row, key
from pipeline.result import Result
from pipeline.table import MARKS, short_name

METRICS = {"top1": "Top-1"}


@dataclass(frozen=True)
class BenchResults:
    """Results of one bench.

    Attributes:
        number: of the section that is about it, from 1.
        results: row → result, in the rows' order.
    """

    number: int
    results: Mapping[Row, Found]

    @property
    def one(self) -> Result:
        """Any of the results: what they share can be read off it."""
        return next(iter(self.results.values())).result

    @property
    def labelled(self) -> dict[str, Result]:
        """Row's label → result."""
        return {row.label: found.result for row, found in self.results.items()}

    @property
    def costs(self) -> dict[str, Cost]:
        """Row's label → what it costs; nothing is known of a result that does not say."""
        every = {label: one.provenance.get("cost") or {} for label, one in self.labelled.items()}
        return {label: Cost(**known) for label, known in every.items()}

    @property
    def identity(self) -> str | None:
        """The label of the row without enhancement."""
        return next((row.label for row in self.results if row.kind == IDENTITY), None)

    @property
    def title(self) -> str:
        """The task, marked where its images are not those of the dataset of that name."""
        one = self.one
        exposure = one.provenance["dataset"].get("darkening", {}).get("exposure")
        darkened = "" if exposure is None else f", exposure {exposure:g}"
        return short_name(one.task) + MARKS.get(one.data, "") + darkened

    @property
    def setting(self) -> str:
        """Protocol and frozen model in a few words."""
        parts = [f"protocol {self.one.protocol['name']}"]
        if model := self.one.provenance["evaluator"].get("model"):
            parts.append(Path(str(model)).stem)
        if self.one.provenance["config"]["amp"]:
            parts.append("mixed precision")
        return ", ".join(parts)

    def score_name(self, score: str) -> str:
        """`val/mIoU` as `val mIoU %`."""
        split, metric = score.split("/")
        metric = METRICS.get(metric, metric.replace("_", " "))
        return f"{split} {metric} {self.one.scores[score].unit}".rstrip()

    def facts(self) -> Iterator[tuple[str, str]]:
        """What the numbers are of, for people."""
        one, evaluator = self.one, self.one.provenance["evaluator"]
        yield "task", self.title
        images = ", ".join(f"{split} {count}" for split, count in one.images.items())
        yield "images", f"{images}; sha256 {str(one.provenance['dataset']['sha256'])[:12]}"
        if darkening := one.provenance["dataset"].get("darkening"):
            yield "darkening", ", ".join(f"{name} {value}" for name, value in darkening.items())
        about = one.protocol.get("about") or ""
        version = one.protocol.get("version")
        yield "protocol", f"{one.protocol['name']}, version {version}: {about}".rstrip(": ")
        if evaluator:
            parts = [str(evaluator[name]) for name in ("model", "file") if name in evaluator]
            parts.append(str(evaluator.get("sha256", ""))[:12] or "given in memory")
            if mapped := evaluator.get("class_map"):
                parts.append(f"classes by {mapped['file']}")
            yield "frozen model", ", ".join(parts)
        yield "precision", "mixed" if one.provenance["config"]["amp"] else "float32"

    def notes(self) -> list[str]:
        """What the results themselves say that a reader must know."""
        every = [note for found in self.results.values() for note in found.result.notes]
        return list(dict.fromkeys(every))


def benches(found: Iterable[Found], rows: Mapping[Key, Row]) -> list[BenchResults]:
    """Group results; the dataset's own images first, tasks in their usual order.

    Raises:
        PipelineError: two results are of one row and one bench.
    """
    groups: list[list[Found]] = []
    for one in found:
        group = next((g for g in groups if _same_bench(g[0], one)), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    groups.sort(key=lambda group: _rank(group[0].result))
    return [BenchResults(number, _by_row(group, rows)) for number, group in enumerate(groups, 1)]


def _same_bench(one: Found, other: Found) -> bool:
    first, second = one.result, other.result
    if first.provenance["config"]["amp"] != second.provenance["config"]["amp"]:
        return False
    if list(first.scores) != list(second.scores):
        return False
    try:
        for score in main_scores(first):
            require_comparable({one.file: first, other.file: second}, score)
    except PipelineError:
        return False
    return True


def _by_row(group: Iterable[Found], rows: Mapping[Key, Row]) -> dict[Row, Found]:
    by_row: dict[Row, Found] = {}
    for one in group:
        row = rows[key(one.result)]
        if row in by_row:
            raise PipelineError(
                f"{by_row[row].file} and {one.file} are both of {row.label} on one bench; "
                "keep one of them in the folder"
            )
        by_row[row] = one
    return {row: by_row[row] for row in rows.values() if row in by_row}


def _rank(result: Result) -> tuple[Any, ...]:
    known = TASKS.names()
    base = parse_task(result.task).base
    data = ("user", *MARKS).index(result.data)
    index = known.index(base) if base in known else len(known)
    exposure = result.provenance["dataset"].get("darkening", {}).get("exposure", 0)
    return data, index, result.task, -exposure
