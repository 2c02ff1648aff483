"""docs/walkthrough.md, run as it stands."""

import re
import runpy
import shlex
from glob import glob
from pathlib import Path

from pipeline.cli import main

PAGE = Path(__file__).resolve().parents[1] / "docs/walkthrough.md"


def run(line: str) -> None:
    """A command line of the page, in this process, which has imported torch already."""
    program, *words = shlex.split(line)
    words = [found for word in words for found in (sorted(glob(word)) or [word])]
    if program == "python":
        runpy.run_path(words[0], run_name="__main__")
    else:
        assert program == "pipeline"
        assert not main(words)


def test_the_walk_through(monkeypatch, capsys):
    monkeypatch.syspath_prepend(Path.cwd())
    monkeypatch.setenv("COLUMNS", "200")
    printed = []
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.M | re.S):
        if language == "python":
            name, code = block.removeprefix("# ").split("\n", 1)
            Path(name).write_text(code)
            continue
        for line in block.splitlines():
            run(line)
        printed.append(capsys.readouterr().out)
    mine, tiny, checkpoints = printed
    assert "python:my_enhancer:brighten" in mine
    assert "McNemar" in mine
    control, lfpv = (
        re.search(rf"^{kind} .*value=([\d.]+)", tiny, re.M)[1] for kind in ("control", "lfpv")
    )
    # Top-1 of ten classes: chance is 10.
    assert 15 < float(control) <= 100
    assert 15 < float(lfpv) <= 100
    assert "sci@a.safetensors" in checkpoints
    assert "sci@b.safetensors" in checkpoints
