"""The main table and its formats, each read back."""

import csv
import io
import re
from dataclasses import replace

import numpy as np
import pytest

from pipeline.report.formats import comma_separated, latex, markdown
from pipeline.report.table import Number
from pipeline.statistics import Confusions, paired_bootstrap
from tasks.metrics import mean_iou

from .results import HOSTILE, of, streets, studied, trained, two_tasks


@pytest.fixture
def given(rng):
    return streets(rng)


def test_the_difference_is_the_paired_bootstraps(given):
    table = studied(given).table
    scores = {
        name: Confusions(np.array([i["confusion"] for i in result.per_image]), mean_iou).scores
        for name, result in given.items()
    }
    expected = paired_bootstrap(scores["sci"], scores["sci+lfpv"], 40)
    line = table.lines[-1]
    assert (line.label, line.kind) == ("Δ sci+lfpv − sci", "difference")
    (cell,) = line.cells
    assert cell.value == pytest.approx(100 * expected.value)
    assert cell.interval == pytest.approx([100 * end for end in expected.interval])
    assert table.lines[0].cells[0].value == given["identity"].headline[1].value


def test_numbers():
    assert str(Number(12.346)) == "12.35"
    assert str(Number(-1.5, signed=True)) == "−1.50"
    assert str(Number(-0.001, signed=True)) == "0.00"
    assert Number(1.0, (-0.01, 2.0), signed=True).range == "[−0.01, +2.00]"
    assert Number(50.0, (48.21, 51.69)).range == "[48.2, 51.7]"
    assert str(Number(0.56781, unit="")) == "0.5678"
    assert str(Number(26.0, decimals=1)) == "26.0"
    assert Number(1.0).range == ""


def test_csv_reads_back_with_full_precision():
    found = two_tasks()
    rows = list(csv.reader(io.StringIO(comma_separated(found.table))))
    assert {len(row) for row in rows} == {2 + 3 * len(found.table.heads)}
    by_label = {row[0]: row for row in rows[1:]}
    score = found.benches[1].labelled["sci"].headline[1]
    place = rows[0].index("[2] darkzurich: night mIoU %, protocol mmseg, net")
    assert float(by_label["sci"][place]) == score.value
    assert by_label["identity"][1] == "identity"
    assert HOSTILE in by_label
    low, high = map(float, by_label["Δ sci+lfpv − sci"][place + 1 : place + 3])
    assert low < float(by_label["Δ sci+lfpv − sci"][place]) < high


def test_latex_has_as_many_cells_as_columns():
    found = two_tasks()
    text = latex(found.table)
    columns = re.search(r"\\begin\{tabular\}\{(\w+)\}", text)[1]
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(body) == 1 + len(found.table.lines)
    assert {len(re.findall(r"(?<!\\)&", line)) + 1 for line in body} == {len(columns)}
    for line in text.splitlines():
        assert not re.search(r"(?<!\\)[%#_^~]", line) or line.startswith("%"), line
        # Else the brackets would be an argument of the line before.
        assert not line.startswith("[")
    assert r"sci@a\_b\&c\%d\#e|f*g\textless{}b\textgreater{}h\textasciitilde{}i" in text
    assert "$-$" in text


def test_markdown_has_as_many_cells_as_columns():
    found = two_tasks()
    text = markdown(found.table)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(found.table.lines)
    counts = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
    assert counts == {2 + len(found.table.heads)}
    assert r"sci@a\_b\&c%d\#e\|f\*g\<b\>h\~i^j{k}" in text
    assert "| 58.68 |" in text


def test_a_name_of_several_lines_stays_in_its_cell(given):
    given["sci"] = of(given["sci"], "sci@a\n\n| b", trained("b"))
    table = studied(given).table
    assert (
        len(markdown(table).splitlines())
        == len(markdown(replace(table, lines=[])).splitlines()) + 4
    )
    assert r"sci@a \| b" in markdown(table)
    assert r"sci@a | b & " in latex(table)
