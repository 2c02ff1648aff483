"""The main table on a terminal: one for each column, since they do not compare with each other."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.report.collect import Collection, Found
from pipeline.report.columns import Column
from pipeline.report.rows import Pair
from pipeline.report.study import Study, study
from pipeline.report.table import Number, main_table
from pipeline.result import class_counts


def print_benches(folders: Iterable[Sequence[Found]], console: Console) -> None:
    """Print the scores of each folder's results beside published figures, or why none stand there.

    Raises:
        PipelineError: two results of a folder are of one enhancer.
    """
    notes: dict[str, None] = {}
    for found in folders:
        known = study(Collection(list(found), []))
        for column in known.columns:
            # Not as the table's title, which a narrow table would fold.
            heading = f"{column.bench.title}, {column.bench.setting}"
            console.print(f"[bold]{escape(heading)}[/bold]", highlight=False)
            console.print(_table(column, known))
            for line in _beside(column):
                console.print(line, markup=False, highlight=False)
            notes |= dict.fromkeys(_notes(column, known))
    for note in notes:
        console.print(f"note: {note}", markup=False, highlight=False)


def _table(column: Column, known: Study) -> Table:
    """Scores, differences of +lfpv to its base below them, and what is published of each."""
    rows = [row for row in known.rows.values() if row in column.bench.results]
    content = main_table([column], rows, list(column.pairs))
    labels = _short(column.pairs)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("enhancer", overflow="fold")
    heads = [column.name, "Δ to identity", *["published"] * (len(content.heads) - 1)]
    for head in heads:
        table.add_column(escape(head), justify="right", no_wrap=True)
    for line in content.lines:
        measured, *published = line.cells
        one = column.to_identity.get(line.label)
        delta = one and one.delta is not None
        to_identity = Number(one.delta, one.interval, column.unit, signed=True) if delta else None
        cells = map(_cell, (measured, to_identity, *published))
        label = labels.get(line.label, line.label)
        table.add_row(escape(label), *cells, end_section=line.kind == "difference")
    return table


def _short(pairs: Iterable[Pair]) -> dict[str, str]:
    """Shorter labels of differences, which stand below their rows, where that is clear."""
    forms = {pair: (pair.lfpv.name.base, pair.base.kind) for pair in pairs}
    counts = Counter(forms.values())
    return {
        f"Δ {pair.label}": f"Δ +lfpv − {form[1]}"
        for pair, form in forms.items()
        if counts[form] == 1
    }


def _cell(number: Number | None) -> str:
    return f"{number} [dim]{escape(number.range)}[/dim]".rstrip() if number else ""


def _beside(column: Column) -> Iterator[str]:
    """Of how many images by which model, and which published figures do not stand beside them."""
    result = column.bench.one
    model = result.provenance["evaluator"]
    words = f"{result.scores[column.score].images} images"
    if model:
        words += f"; frozen model {Path(model['model']).name}, {model.get('file', 'in memory')}"
    yield words
    if column.apart:
        published, why = column.apart
        yield f"published figures ({published.title}) do not stand beside: {why}"
    elif not column.beside and column.score == result.headline[0]:
        yield f"no figures are published of {column.bench.title}"


def _notes(column: Column, known: Study) -> Iterator[str]:
    yield "[95 % bootstrap over images]; of differences paired on the same images"
    if column.beside:
        first, identity = column.beside.sources
        yield f"published: {first}; identity: {identity}; by weights of their own"
    yield from column.bench.notes()
    yield from class_counts([*column.bench.labelled.values()])
    yield from known.unpaired
