"""All results of a folder, put in order: rows, benches, columns, the main table."""

from dataclasses import dataclass

from pipeline.report.benches import BenchResults, benches
from pipeline.report.collect import Collection, Found
from pipeline.report.columns import Column, columns
from pipeline.report.rows import Key, Pair, Row, pairs, rows
from pipeline.report.table import Table, main_table


@dataclass(frozen=True)
class Study:
    """What is shown.

    Attributes:
        columns: bench by bench.
        unpaired: why a +lfpv has no difference to a base.
        left_out: files with the reason.
    """

    found: list[Found]
    rows: dict[Key, Row]
    pairs: list[Pair]
    benches: list[BenchResults]
    columns: list[Column]
    table: Table
    unpaired: list[str]
    left_out: list[tuple[str, str]]


def study(collection: Collection) -> Study:
    """Order what was found.

    Raises:
        PipelineError: two results of one enhancer on one bench.
    """
    found = collection.found
    keyed = rows(found)
    ordered = list(keyed.values())
    paired, unpaired = pairs(ordered)
    grouped = benches(found, keyed)
    measured = [column for bench in grouped for column in columns(bench, paired)]
    shown = [p for p in paired if any(p in column.pairs for column in measured)]
    table = main_table(measured, ordered, shown)
    return Study(found, keyed, shown, grouped, measured, table, unpaired, collection.left_out)
