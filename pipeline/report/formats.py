r"""The main table as Markdown, LaTeX and CSV."""

import csv
import io
import re
from collections.abc import Iterable

from pipeline.report.table import Number, Table

_LATEX = {
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    # Behind the end of a line, [ would begin an argument.
    "[": "{[}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "Δ": r"$\Delta$",
    "−": "$-$",
    "—": "---",
    "\n": " ",
}


def markdown(table: Table) -> str:
    """A table of GitHub's Markdown, the notes below it."""
    heads = ["enhancer", *map(str, table.heads)]
    lines = [_row(map(_markdown, heads)), _row(["---", *["---:"] * len(table.heads)])]
    lines += [
        _row([_markdown(line.label), *(_markdown(_joined(cell)) for cell in line.cells)])
        for line in table.lines
    ]
    notes = "".join(f"\n{_markdown(note)}\n" for note in table.notes)
    return "\n".join(lines) + f"\n{notes}"


def latex(table: Table) -> str:
    """A `tabular` of the package booktabs, a column an enhancer's name and one each score."""
    lines = [
        "% needs \\usepackage{booktabs}",
        f"\\begin{{tabular}}{{l{'r' * len(table.heads)}}}",
        "\\toprule",
        _latex_row(["enhancer", *map(str, table.heads)]),
        "\\midrule",
        *(_latex_row([line.label, *map(_joined, line.cells)]) for line in table.lines),
        "\\bottomrule",
        "\\end{tabular}",
        *(f"% {_one_line(note)}" for note in table.notes),
    ]
    return "\n".join(lines) + "\n"


def comma_separated(table: Table) -> str:
    """Full precision; value, low and high are columns of their own."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heads = [f"{head}{end}" for head in table.heads for end in ("", " low", " high")]
    writer.writerow(["enhancer", "kind", *heads])
    for line in table.lines:
        writer.writerow([line.label, line.kind, *(n for c in line.cells for n in _numbers(c))])
    return out.getvalue()


def _numbers(cell: Number | None) -> tuple[float | str, ...]:
    if cell is None:
        return "", "", ""
    return cell.value, *(cell.interval or ("", ""))


def _joined(cell: Number | None) -> str:
    return "–" if cell is None else f"{cell} {cell.range}".rstrip()


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>&|#~!])", r"\\\1", _one_line(text))


def _latex_row(cells: Iterable[str]) -> str:
    escaped = ("".join(_LATEX.get(mark, mark) for mark in _one_line(cell)) for cell in cells)
    return " & ".join(escaped) + r" \\"


def _one_line(text: str) -> str:
    return " ".join(text.split())
