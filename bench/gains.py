"""Does +lfpv gain, where, and more than the compute-matched control?

    python bench/gains.py RESULTS PICTURE.png

Every +lfpv of a results folder against its base (filled) and against its control (hollow), seed by
seed, a panel for every score; 95 % intervals over images, paired. Two tables are printed: the mean
and the deviation over the seeds with how many of them gain, and the numbers of the picture; * is
p < 0.05 after Holm over all differences of a score.
"""

import argparse
import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.compare import Difference
from pipeline.compare.trainings import training_of
from pipeline.report import collect, study
from pipeline.report.columns import Column
from pipeline.report.rows import Pair

STYLE = {
    "base": {"color": "#0072B2", "fmt": "o"},
    "control": {"color": "#D55E00", "fmt": "o", "markerfacecolor": "white"},
}
ALPHA = 0.05
ABREAST = 3


def place(pair: Pair) -> str:
    """`sci, seed 0`."""
    return f"{pair.lfpv.name.base}, seed {training_of(pair.lfpv.weights)['seed']}"


def heading(column: Column) -> str:
    """Task, exposure where it is darkened, and score with its unit."""
    return f"{column.bench.title}\n{column.name}"


def main() -> None:
    """Print the table and draw the picture."""
    parser = argparse.ArgumentParser(description="Differences of +lfpv to its base and control")
    parser.add_argument("results", type=Path, metavar="RESULTS")
    parser.add_argument("picture", type=Path, metavar="PICTURE.png")
    arguments = parser.parse_args()
    columns = [column for column in study(collect(arguments.results)).columns if column.pairs]
    if not columns:
        sys.exit(f"{arguments.results}: no +lfpv with its base or control")
    print_seeds(columns)
    print_table(columns)
    draw(columns, arguments.picture)


def print_seeds(columns: Sequence[Column]) -> None:
    """Markdown: mean ± deviation over the seeds of a network, and how many of them gain."""
    rows = dict.fromkeys(
        (pair.lfpv.name.base, pair.base.kind) for column in columns for pair in column.pairs
    )
    _head(columns)
    for base, kind in sorted(rows):
        cells = []
        for column in columns:
            deltas = [
                difference.delta
                for pair, difference in column.pairs.items()
                if (pair.lfpv.name.base, pair.base.kind) == (base, kind)
            ]
            cells.append(over_seeds(deltas))
        print(f"| {base} | {kind} |", " | ".join(cells), "|")
    print()


def over_seeds(deltas: Sequence[float]) -> str:
    """Mean ± deviation (of one alone its value), and gains of how many."""
    if not deltas:
        return "–"
    gains = sum(delta > 0 for delta in deltas)
    deviation = f" ± {statistics.stdev(deltas):.2f}" if len(deltas) > 1 else ""
    return f"{statistics.mean(deltas):+.2f}{deviation} ({gains} of {len(deltas)})"


def print_table(columns: Sequence[Column]) -> None:
    """Markdown: a row for each pair, a column for each score."""
    pairs = dict.fromkeys(pair for column in columns for pair in column.pairs)
    _head(columns)
    for pair in sorted(pairs, key=lambda pair: (place(pair), pair.base.kind)):
        cells = [cell(column.pairs.get(pair)) for column in columns]
        print(f"| {place(pair)} | {pair.base.kind} |", " | ".join(cells), "|")


def _head(columns: Sequence[Column]) -> None:
    print("| | minus |", " | ".join(heading(c).replace("\n", ", ") for c in columns), "|")
    print("|---" * (len(columns) + 2) + "|")


def cell(difference: Difference | None) -> str:
    """Delta with its interval."""
    if difference is None or difference.interval is None:
        return "–"
    low, high = difference.interval
    star = "*" if difference.p_holm is not None and difference.p_holm < ALPHA else ""
    return f"{difference.delta:+.2f}{star} [{low:+.2f}, {high:+.2f}]"


def draw(columns: Sequence[Column], path: Path) -> None:
    """A panel for each score, a line for each network and seed."""
    places = sorted({place(pair) for column in columns for pair in column.pairs}, reverse=True)
    lines = math.ceil(len(columns) / ABREAST)
    size = (3.6 * ABREAST, (0.9 + 0.34 * len(places)) * lines)
    figure = Figure(figsize=size, dpi=100, layout="constrained")
    panels = figure.subplots(lines, ABREAST, sharey=True, squeeze=False).ravel()
    for unused in panels[len(columns) :]:
        unused.set_axis_off()
    for column, axes in zip(columns, panels, strict=False):
        axes.axvline(0, color="black", linewidth=1)
        axes.set_title(heading(column).replace(" — ", "\n"), fontsize=8)
        axes.set_yticks(range(len(places)), places)
        axes.grid(axis="x", alpha=0.3)
        draw_pairs(axes, column.pairs, places)
    handles = [
        panels[0].errorbar([], [], label=f"+lfpv − {kind}", **style)
        for kind, style in STYLE.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    figure.savefig(path)


def draw_pairs(axes: Axes, pairs: Mapping[Pair, Difference], places: Sequence[str]) -> None:
    """The differences of one score, the control's a little below the base's."""
    for pair, difference in pairs.items():
        kind = pair.base.kind
        height = places.index(place(pair)) + (0.15 if kind == "base" else -0.15)
        low, high = difference.interval or (difference.delta, difference.delta)
        spread = [[difference.delta - low], [high - difference.delta]]
        axes.errorbar([difference.delta], [height], xerr=spread, markersize=4, **STYLE[kind])


if __name__ == "__main__":
    main()
