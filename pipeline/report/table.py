"""The main table, without a format: enhancers down, scores across, published figures beside."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pipeline.report.columns import Column
from pipeline.report.rows import Pair, Row
from pipeline.result import weights_meant
from pipeline.table import DECIMALS

What = TypeVar("What", Row, Pair)

Cells = tuple["Number | None", "Number | None"]
"""Measured and published."""


@dataclass(frozen=True)
class Number:
    """A score or a difference with its interval, in `unit`; its own decimals, or the unit's."""

    value: float
    interval: tuple[float, float] | None = None
    unit: str = "%"
    signed: bool = False
    decimals: int | None = None

    def __str__(self) -> str:
        decimals = DECIMALS[self.unit] if self.decimals is None else self.decimals
        return self._text(self.value, decimals)

    @property
    def range(self) -> str:
        """`[57.2, 60.1]`; nothing without an interval."""
        if self.interval is None:
            return ""
        decimals = DECIMALS[self.unit] - (not self.signed)
        low, high = (self._text(end, decimals) for end in self.interval)
        return f"[{low}, {high}]"

    def _text(self, value: float, decimals: int) -> str:
        """With a real minus sign; a difference with its sign always."""
        sign = "+" if self.signed else ""
        text = f"{value:{sign}.{decimals}f}"
        if float(text) == 0:
            text = f"{0:.{decimals}f}"
        return text.replace("-", "−")


@dataclass(frozen=True)
class Head:
    """A column's heading: which section, the task, the score, and whether published or measured."""

    number: int
    title: str
    score: str
    setting: str

    def __str__(self) -> str:
        return f"[{self.number}] {self.title}: {self.score}, {self.setting}"


@dataclass(frozen=True)
class Line:
    """A row; `kind` is a `Row`'s, or "difference"."""

    label: str
    kind: str
    cells: list[Number | None]


@dataclass(frozen=True)
class Table:
    """All of it, with notes for below."""

    heads: list[Head]
    lines: list[Line]
    notes: list[str]


def main_table(columns: Sequence[Column], rows: Iterable[Row], pairs: Sequence[Pair]) -> Table:
    """Rows in their order; after the last of a base its differences."""
    lines: list[Line] = []
    rows = list(rows)
    for index, row in enumerate(rows):
        lines.append(Line(row.label, row.kind, [*_each(_measured, columns, row)]))
        if index + 1 == len(rows) or rows[index + 1].name.base != row.name.base:
            lines += [
                Line(f"Δ {pair.label}", "difference", [*_each(_difference, columns, pair)])
                for pair in pairs
                if pair.lfpv.name.base == row.name.base
            ]
    return Table([*_heads(columns)], lines, [*_notes(columns)])


def _heads(columns: Iterable[Column]) -> Iterator[Head]:
    for column in columns:
        bench = column.bench
        yield Head(bench.number, bench.title, column.name, bench.setting)
        if column.beside:
            yield Head(bench.number, column.beside.title, "published", column.beside.evaluator)


def _each(
    cell: Callable[[Column, What], Cells], columns: Iterable[Column], what: What
) -> Iterator[Number | None]:
    for column in columns:
        measured, figure = cell(column, what)
        yield measured
        if column.beside:
            yield figure


def _measured(column: Column, row: Row) -> Cells:
    score = column.scores.get(row.label)
    figure = column.beside and column.beside.of(row)
    return (
        Number(score.value, score.interval, score.unit) if score else None,
        None if figure is None else Number(figure, decimals=column.beside.decimals),
    )


def _difference(column: Column, pair: Pair) -> Cells:
    one = column.pairs.get(pair)
    ends = [column.beside and column.beside.of(row) for row in (pair.lfpv, pair.base)]
    measured = one is not None and one.delta is not None
    return (
        Number(one.delta, one.interval, column.unit, signed=True) if measured else None,
        None
        if None in ends
        else Number(ends[0] - ends[1], signed=True, decimals=column.beside.decimals),
    )


def _notes(columns: Sequence[Column]) -> Iterator[str]:
    if any(row.kind == "control" for column in columns for row in column.bench.results):
        yield "Compute-matched control: the base trained on two paths like +lfpv, without nodes."
    yield (
        "[95 % bootstrap over images]; of differences paired on the same images. Columns differ in "
        "task, data, protocol, precision or frozen model, and do not compare with each other."
    )
    results = [one for column in columns for one in column.bench.labelled.values()]
    yield from (f"{line[0].upper()}{line[1:]}." for line in weights_meant(results))
    sources = [column.beside.sources for column in columns if column.beside]
    if sources:
        yield (
            f"Published: {sources[0][0]}; identity: {sources[0][1]}. Of the authors' own trainings "
            "of enhancers and frozen model; the weights of the rows here are in the provenance."
        )
