"""`pipeline report` as a user meets it."""

import csv

import pytest

from pipeline.cli import main

from .results import streets, write


@pytest.fixture
def folder(tmp_path, rng):
    return write(tmp_path / "results", streets(rng))


def refused(capsys, *arguments):
    assert main(["report", *map(str, arguments)]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line.removeprefix("pipeline: error: ")


def test_the_page_and_the_tables_are_written(folder, capsys):
    assert main(["report", str(folder)]) == 0
    out = capsys.readouterr().out
    written = sorted(path.name for path in (folder / "report").iterdir())
    assert written == ["index.html", "table.csv", "table.md", "table.tex"]
    assert all(name in out for name in written)
    rows = list(csv.reader((folder / "report/table.csv").open()))
    assert [row[0] for row in rows[1:]] == ["identity", "sci", "sci+lfpv", "Δ sci+lfpv − sci"]


def test_it_can_be_written_elsewhere_and_again(folder, tmp_path, capsys):
    for _ in range(2):
        assert main(["report", str(folder), "--out", str(tmp_path / "deep/out")]) == 0
    assert not (folder / "report").exists()
    assert len(list((tmp_path / "deep/out").iterdir())) == 4


def test_files_left_out_are_said_on_stderr(folder, capsys):
    (folder / "sci/result.json").write_text("{}")
    assert main(["report", str(folder)]) == 0
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line == "pipeline: left out: sci/result.json: is no result of schema 1"


def test_bad_input_is_one_line(folder, tmp_path, capsys):
    assert "nowhere: is no folder" in refused(capsys, tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "empty").mkdir()
    assert "holds no result" in refused(capsys, tmp_path / "empty")
    taken = folder / "sci/result.json"
    assert "cannot be written" in refused(capsys, folder, "--out", taken)
    write(folder / "copy", streets_of(folder))
    assert "are both of sci on one bench" in refused(capsys, folder)


def streets_of(folder):
    from pipeline.result import Result

    return {"sci": Result.read(folder / "sci/result.json")}
