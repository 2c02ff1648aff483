"""`pipeline list`, and the cost that it states, against the figures of the authors' code."""

import pytest

from enhancers.lednet import LEDNet
from enhancers.ruas import RUAS
from enhancers.uretinex import URetinex
from enhancers.zerodcepp import ZeroDCEpp
from pipeline.cli import main
from pipeline.cost import macs


@pytest.mark.parametrize(
    ("build", "gmac"),
    [
        (lambda: ZeroDCEpp(12), 0.145),
        (lambda: ZeroDCEpp(1), 20.9),
        (lambda: RUAS(denoise=True), 6.77),
        (RUAS, 2.30),
        (URetinex, 1801),
        (LEDNet, 1088),
    ],
)
def test_multiply_adds_are_those_of_the_authors_code(build, gmac):
    assert macs(build(), 1080, 1920) / 1e9 == pytest.approx(gmac, rel=3e-3)


def test_list_names_every_enhancer_and_task(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PIPELINE_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "lol").mkdir()
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    rows = {line.split("│")[1].strip(): line for line in out.splitlines() if "│" in line}
    assert "258" in rows["sci"]
    assert "@ours-sample" in rows["sci"] and "+lfpv@ours-lol162" in rows["sci"]
    assert "(@medium)" in out
    assert "8,636,675" in rows["enlightengan"]
    assert "522" in rows["enlightengan"]
    assert "none needed" in rows["gamma@0.6"]
    assert "not at" not in rows["lol"]
    assert "not at" in rows["codan"]
    assert "your own" in rows["restoration:DIR"]
