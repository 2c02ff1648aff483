"""`pipeline bench`: figures against what is known of them, and wrong input."""

import json
from pathlib import Path

import pytest

from enhancers.zerodcepp import ZeroDCEpp
from pipeline.cli import main
from pipeline.cost import macs

MINE = """
import time, torch
held = []
def hold(image):
    held[:] = [torch.ones(25_000_000)]
    time.sleep(0.05)
    return image
def hungry(image):
    return torch.empty(1 << 50)
"""


def test_figures_of_our_own_and_of_a_network(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "120")
    Path("mine.py").write_text(MINE)
    names = ["python:mine:hold", "python:mine:hungry", "zerodcepp+lfpv"]
    more = ["--size", "96x48", "--seconds", "0.2", "--device", "cpu"]
    assert main(["bench", "--enhancer", *names, *more, "--out", str(tmp_path / "b.json")]) == 2
    out, err = capsys.readouterr()
    assert err == "pipeline: error: 1 of 3 could not be measured\n"
    assert "python:mine:hungry at 96x48: more memory than there is" in out
    written = json.loads((tmp_path / "b.json").read_text())
    assert written["hardware"]["threads"] >= 1
    hold, hungry, network = written["costs"]
    assert (hold["parameters"], hold["macs"], hold["untrained"]) == (None, None, False)
    assert 95e6 < hold["peak_bytes"] < 150e6
    assert 3 <= len(hold["seconds"]) <= 5
    assert min(hold["seconds"]) >= 0.05
    mean = sum(hold["seconds"]) / len(hold["seconds"])
    assert hold["images_per_second"] == pytest.approx(1 / mean)
    assert "seconds" not in hungry
    # The packaged weights: at full size, and with a gate.
    bare = ZeroDCEpp(1)
    nodes, norms, gate = 16 * (32 + 512), 2 * 2 * (32 + 512), 1
    own = sum(p.numel() for p in bare.parameters())
    assert network["parameters"] == own + nodes + norms + gate
    assert not network["untrained"]
    assert (network["width"], network["height"]) == (96, 48)
    # 48×96 queries of 32 values, and 12×24 of 16·32, ask 16 nodes and are answered.
    assert network["macs"] == macs(bare, 48, 96) + 4 * 16 * 32 * 48 * 96


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scii"], "did you mean sci"),
        (["sci@nowhere"], "neither a weights name nor a file"),
        (["identity+lfpv"], "no deep feature"),
        (["images:."], "holds finished results"),
        (["all", "--device", "cuda:99"], "device 'cuda:99' cannot be used"),
        (["sci", "--out", "."], "is a folder"),
    ],
)
def test_wrong_input_is_said_before_any_work(capsys, arguments, message):
    assert main(["bench", "--enhancer", "identity", *arguments]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert len(err.splitlines()) == 1
    assert message in err


@pytest.mark.parametrize("size", ["1920", "8x600", "axb", "0x0"])
def test_wrong_sizes(capsys, size):
    with pytest.raises(SystemExit) as stop:
        main(["bench", "--enhancer", "sci", "--size", size])
    assert stop.value.code == 2
    assert "WxH of 16 or more" in capsys.readouterr().err
