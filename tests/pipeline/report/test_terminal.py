"""The tables with which a batch ends."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from pipeline.compare import compare
from pipeline.console import stdout
from pipeline.report.terminal import print_benches

from .results import codan, found, of, streets, trained


def printed(*folders, width=80):
    """The lines of a terminal of that width."""
    file = io.StringIO()
    print_benches([found(results) for results in folders], Console(file=file, width=width))
    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    return lines


def rows(lines):
    """Label → what stands behind it, of the first table."""
    start = next(index for index, line in enumerate(lines) if line.strip().startswith("─"))
    end = next(index for index, line in enumerate(lines) if " images; " in line)
    parts = (line.strip().partition("  ") for line in lines[start + 1 : end])
    return {label: " ".join(more.split()) for label, _, more in parts if label}


def test_published_figures_stand_beside(rng):
    lines = printed(codan())
    expected = compare(codan(), "identity").comparisons[1].overall
    low, high = (f"{end:+.2f}" for end in expected.interval)
    shown = rows(lines)
    assert list(shown) == ["identity", "sci", "sci+lfpv", "Δ +lfpv − base"]
    assert shown["identity"] == "53.32 53.32"
    assert shown["sci"].startswith("58.68 +5.36 [")
    assert shown["sci+lfpv"] == f"59.52 +6.20 [{low}, {high}] 59.54"
    assert shown["Δ +lfpv − base"].startswith("+0.84 [")
    assert shown["Δ +lfpv − base"].endswith("] +0.86")
    assert "published: Xu et al." in " ".join(lines)


def test_why_none_stands_beside(rng):
    text = " ".join(" ".join(printed(streets(rng))).split())
    assert "do not stand beside: night mIoU, published is test mIoU; protocol mmseg" in text
    assert "26.5" not in text
    own = {n: replace(r, task="segmentation:mine") for n, r in streets(rng).items()}
    assert "no figures are published of segmentation:mine" in " ".join(printed(own))


def test_no_table_is_of_two_protocols(rng):
    given = streets(rng)
    other = {"name": "similarity-minmax", "version": 1}
    mixed = given | {f"{n} again": replace(r, protocol=other) for n, r in given.items()}
    lines = printed(mixed)
    assert sum("protocol mmseg, net" in line for line in lines) == 1
    assert sum("protocol similarity-minmax, net" in line for line in lines) == 1
    assert sum(line.strip().startswith("sci+lfpv") for line in lines) == 2


def test_two_pairs_of_one_base_keep_their_names(rng):
    given = streets(rng)
    second = [trained(name, lfpv=name == "m", seed=1) for name in ("n", "m")]
    given |= {
        "more": of(given["sci"], "sci@n.pt", second[0]),
        "most": of(given["sci+lfpv"], "sci+lfpv@m.pt", second[1]),
    }
    labels = rows(printed(given, width=120))
    assert "Δ sci+lfpv − sci" in labels
    assert "Δ sci+lfpv@m.pt − sci@n.pt" in labels


@pytest.mark.parametrize(("columns", "width"), [(None, 1000), ("70", 70)])
def test_nothing_is_folded_for_a_terminal_that_is_not_there(monkeypatch, columns, width):
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    assert stdout().width == width
