"""What the page shows of a column: tests in words, charts, classes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from pipeline.compare import Difference
from pipeline.compare.tables import p_value
from pipeline.cost import HEIGHT, WIDTH
from pipeline.report.charts import Bar, Dot, Line, bars, heat, lines, scatter
from pipeline.report.charts.lines import COLOURS
from pipeline.report.columns import Column
from pipeline.report.rows import IDENTITY, Row
from pipeline.report.table import Number
from pipeline.result import lower_is_better, split_of

SHOWN = ("better", "worse")
MARKS = {"better": "▲", "worse": "▼"}


@dataclass(frozen=True)
class Test:
    """A difference in words, for a table."""

    label: str
    delta: Number | None
    counts: str
    test: str
    p: str
    p_holm: str
    verdict: str


@dataclass(frozen=True)
class Cell:
    """A class's score of one enhancer, its colours, and a mark where it differs after Holm."""

    text: str
    mark: str
    background: str
    ink: str


@dataclass(frozen=True)
class View:
    """A column: `bars` and `levels` are charts with their captions.

    Attributes:
        findings: (compared to, verdict → labels).
        classes: names; `heat`: row's label → a cell a class.
    """

    column: Column
    findings: list[tuple[str, dict[str, list[str]]]]
    bars: list[tuple[str, Markup]]
    tests: list[tuple[str, list[Test]]]
    levels: list[Markup]
    classes: list[str]
    heat: dict[str, list[Cell]]


def view(column: Column) -> View:
    """Everything but pictures and cost."""
    families = [(c, of) for c, of in _families(column) if of]
    split = split_of(column.score)
    return View(
        column,
        [(compared, _by_verdict(of)) for compared, of in families],
        [(f"Δ {c}", _bars(column, of, f"{column.name}: Δ {c}")) for c, of in families],
        [(c, [_test(label, one, column.unit) for label, one in of.items()]) for c, of in families],
        list(_levels(column)),
        list(column.bench.one.per_class[split]),
        {label: list(cells) for label, cells in _heat(column, split)},
    )


def cost_charts(column: Column) -> Iterator[Markup]:
    """The score against multiply-adds, parameters and seconds; none where nothing is known."""
    results, costs = column.bench.labelled, column.bench.costs
    bases = {p.lfpv.label: p.base.label for p in column.pairs if p.base.kind == "base"}
    axes = {
        f"GMAC of one {WIDTH}×{HEIGHT} image": {label: _giga(c.macs) for label, c in costs.items()},
        "learnt parameters": {label: one.parameters for label, one in costs.items()},
        "ms to enhance an image, median": {
            label: 1000 * result.seconds["enhance"] if result.timed else None
            for label, result in results.items()
        },
    }
    for axis, known in axes.items():
        dots = [
            Dot(label, cost, score.value, score.interval, row.kind, bases.get(label))
            for row in column.bench.results
            for label in [row.label]
            for cost, score in [(known[label], column.scores[label])]
            if cost is not None
        ]
        if any(dot.cost > 0 for dot in dots) and len(dots) > 1:
            yield scatter(dots, f"{column.name} against {axis}", axis)


def _giga(macs: int | None) -> float | None:
    return None if macs is None else macs / 1e9


def _families(column: Column) -> Iterator[tuple[str, dict[str, Difference]]]:
    """The two families of Holm's correction."""
    yield f"to {column.bench.identity}", column.to_identity
    yield "of +lfpv to the base of its training", column.to_base


def _by_verdict(differences: Mapping[str, Difference]) -> dict[str, list[str]]:
    by_verdict: dict[str, list[str]] = {verdict: [] for verdict in SHOWN}
    for label, one in differences.items():
        by_verdict.setdefault(one.verdict, []).append(label)
    return {verdict: labels for verdict, labels in by_verdict.items() if labels}


def _bars(column: Column, differences: Mapping[str, Difference], title: str) -> Markup:
    lower = lower_is_better(column.score)
    given = []
    for label, one in differences.items():
        if one.delta is None:
            continue
        number = Number(one.delta, one.interval, column.unit, signed=True)
        better = (one.delta > 0) != lower
        value = f"{number} {number.range}".rstrip()
        given.append(Bar(label, one.delta, one.interval, value, one.verdict in SHOWN, better))
    return bars(given, title)


def _test(label: str, one: Difference, unit: str) -> Test:
    return Test(
        label,
        None if one.delta is None else Number(one.delta, one.interval, unit, signed=True),
        f"{one.better} / {one.same} / {one.worse}",
        {"mcnemar": "McNemar", "bootstrap": "bootstrap", None: ""}[one.test],
        p_value(one.p),
        p_value(one.p_holm),
        one.verdict,
    )


def _levels(column: Column) -> Iterator[Markup]:
    """A chart a family of enhancers, each with the reference."""
    if column.report is None:
        return
    by_label = {one.enhancer: one.by_level for one in column.report.comparisons}
    bins = [one.name.replace(" to ", "–") for one in next(iter(by_label.values()))]
    others = [row for row in column.bench.results if row.kind != IDENTITY]
    for family in _by_family(others):
        first = by_label[family[0].label]
        reference = Line(
            column.report.reference, [one.reference for one in first], [True] * len(bins)
        )
        drawn = [
            Line(row.label, [d.score for d in of], [d.verdict in SHOWN for d in of])
            for row in family
            for of in [by_label[row.label]]
        ]
        names = ", ".join(row.label for row in family)
        axis = "mean level of the input, of 255"
        yield lines([reference, *drawn], bins, f"{column.name} by brightness: {names}", axis)


def _by_family(rows: Iterable[Row]) -> Iterator[Sequence[Row]]:
    """Rows of one network; those of no network together; no more than there are colours."""
    grouped = groupby(rows, lambda row: "" if row.kind == "other" else row.name.base)
    for _, group in grouped:
        family = list(group)
        yield from (family[start : start + COLOURS] for start in range(0, len(family), COLOURS))


def _heat(column: Column, split: str) -> Iterator[tuple[str, Iterator[Cell]]]:
    comparisons = column.report.comparisons if column.report else ()
    verdicts = {
        (one.enhancer, of_class.name): of_class.verdict
        for one in comparisons
        for of_class in one.by_class
    }
    for label, result in column.bench.labelled.items():
        scores = result.per_class[split]
        yield label, (_cell(s, verdicts.get((label, name))) for name, s in scores.items())


def _cell(score: float | None, verdict: str | None) -> Cell:
    if score is None:
        return Cell("–", "", "transparent", "inherit")
    return Cell(f"{score:.1f}", MARKS.get(verdict, ""), *heat(score))
