"""`pipeline compare` as a user meets it."""

import json
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from pipeline.commands.compare import compare as command
from pipeline.compare import compare
from pipeline.compare.tables import print_report
from pipeline.errors import PipelineError

from .compared import night_streets, restored


@pytest.fixture(autouse=True)
def working_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def streets(rng):
    return night_streets(rng)


def run_command(written, **options):
    files = [Path(folder) / "result.json" for folder in written]
    for file, result in zip(files, written.values(), strict=True):
        result.write(file)
    defaults = {"reference": None, "score": None, "levels": None, "json": None, "over": None}
    defaults |= {"results": files, "interval": "percentile"}
    command(Namespace(**(defaults | options)))


def test_a_folder_is_all_that_lies_below_it(streets, capsys):
    run_command(
        {f"all/x/{name}": result for name, result in streets.items()}, results=[Path("all")]
    )
    out = capsys.readouterr().out
    assert "reference" in next(line for line in out.splitlines() if "identity" in line)
    assert all(name in out for name in streets)
    places = [out.index(name) for name in ("identity", *sorted(streets.keys() - {"identity"}))]
    assert places == sorted(places)
    Path("none").mkdir()
    with pytest.raises(PipelineError, match="^none: holds no result"):
        run_command({}, results=[Path("none")])


def test_all_of_it_is_printed_and_written(streets, capsys):
    run_command(streets, json=Path("out/report.json"), reference="identity")
    out = capsys.readouterr().out
    rows = [line for line in out.splitlines() if "broken" in line]
    assert "0/0/40" in rows[0]
    assert "worse" in rows[0]
    assert "< 9.75" in rows[1]
    for text in ("40 images", "reference", "IoU of classes", "too few images", "covers 0"):
        assert text in out
    content = json.loads(Path("out/report.json").read_text())
    assert content["reference"] == "identity"
    assert content == json.loads(json.dumps(compare(streets).as_dict()))
    assert len(content["comparisons"][1]["by_class"]) == 3
    images = content["comparisons"][1]["by_image"]
    assert [image["delta"] for image in images] == sorted(
        (i["delta"] for i in images), reverse=True
    )
    named = [line for line in out.splitlines() if f" {images[-1]['image']} " in line]
    assert f"{images[-1]['delta']:+.2f}" in named[-1]


def test_the_legend_names_the_method(capsys):
    values = np.arange(20.0)
    results = {"a": restored("a", values, values), "b": restored("b", values + 2, values)}
    run_command(results, interval="bca")
    out = capsys.readouterr().out
    assert "+2.00 [+2.00, +2.00]" in out
    assert "2000 resamples, BCa" in out
    assert "paired bootstrap, 0.0010 or more" in out


def test_an_interval_of_another_method_is_marked(streets, capsys):
    report = compare(streets, method="bca")
    first, *others = report.comparisons
    first = replace(first, overall=replace(first.overall, method="percentile"))
    print_report(replace(report, comparisons=[first, *others]), Console(width=140))
    rows = [line for line in capsys.readouterr().out.splitlines() if "]ᵖ" in line]
    assert len(rows) == 1
    assert "sharp" in rows[0]


def test_folders_of_results_are_results_too(streets, capsys):
    run_command(streets, results=[Path("identity"), Path("sharp/result.json")])
    assert "sharp" in capsys.readouterr().out


def test_two_results_of_one_name_are_told_apart(streets, capsys):
    again = replace(streets["sharp"], enhancer="identity")
    results = {"old": streets["identity"], "new": again}
    run_command(results, reference="identity (new/result.json)")
    assert "Δ to identity (new/result.json)" in capsys.readouterr().out


def test_a_pattern_may_name_the_reference_again(streets, capsys):
    run_command(streets)
    once = capsys.readouterr().out
    run_command(streets, results=[Path(f"{name}/result.json") for name in ("identity", *streets)])
    assert capsys.readouterr().out == once


def test_wrong_arguments(streets, tmp_path):
    with pytest.raises(PipelineError, match="two results or more"):
        run_command({"a": streets["sharp"]})
    with pytest.raises(PipelineError, match="no result is of 'scii'; there are identity, sharp"):
        run_command(streets, reference="scii")
    with pytest.raises(PipelineError, match="has no score 'x'; it has night/mIoU, night/pixel"):
        run_command(streets, score="x")
    with pytest.raises(PipelineError, match="two results or more"):
        run_command(streets, results=[Path("sharp/result.json")] * 2)
    with pytest.raises(PipelineError, match="none.json: is no result"):
        run_command(streets, results=[Path("sharp/none.json")] * 2)
    with pytest.raises(PipelineError, match="is a folder"):
        run_command(streets, json=tmp_path)
