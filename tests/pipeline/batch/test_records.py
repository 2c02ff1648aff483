"""The records' file, and scores from it."""

import sqlite3

import numpy as np
import pytest

from pipeline.batch.records import Chunk, Records
from pipeline.cli import main
from pipeline.errors import PipelineError
from pipeline.result import Result
from pipeline.summary import Light
from tasks.measurer import Record

SECONDS = {"decode": 0.1, "enhance": 1 / 3, "evaluate": 1e-9}
RECORDS = [
    Record("a/1", "val", label=2, prediction=0, top5=(0, 2, 1), margin=0.1),
    Record("a/2", "val", values={"PSNR": 1 / 7, "SSIM": 0.5}),
    Record("a/3", "test", confusion=np.array([[2**40, 1], [0, 7]])),
    Record("a/4", "test", confusion=np.arange(6).reshape(2, 3)),
]


def chunk(number, records, start):
    lights = [Light(record, SECONDS, 12.3456789) for record in records]
    return Chunk(number, start, lights, None, 0.5)


def test_what_is_written_is_read(tmp_path):
    with Records.open(tmp_path, {"a": 1}) as records:
        records.add(chunk(1, RECORDS[2:], 2), "cpu", "later")
        records.add(chunk(0, RECORDS[:2], 0), "cpu", "now")
    with Records.open(tmp_path, {"a": 1}) as records:
        assert records.finished() == {0, 1}
        found = records.images()
        totals = records.totals()
    assert (totals.seconds, totals.shortened, totals.devices) == (1.0, 0, ["cpu"])
    for one, expected in zip(found, RECORDS, strict=True):
        assert (one.seconds, one.mean_level) == (SECONDS, 12.3456789)
        for name in ("id", "split", "label", "prediction", "top5", "margin", "values"):
            assert getattr(one.record, name) == getattr(expected, name)
        assert (one.record.confusion is None) == (expected.confusion is None)
        if expected.confusion is not None:
            assert one.record.confusion.dtype == np.int64
            np.testing.assert_array_equal(one.record.confusion, expected.confusion)


def test_a_chunk_is_there_as_a_whole_or_not(tmp_path):
    with Records.open(tmp_path, {}) as records:
        records.add(chunk(0, RECORDS[:1], 0), "cpu", "now")
        with pytest.raises(PipelineError, match="records.sqlite: cannot be used"):
            # Its second image has the place of one that is there.
            records.add(chunk(1, RECORDS[:2], -1), "cpu", "now")
        assert records.finished() == {0}
        assert len(records.images()) == 1


def test_records_of_another_identity_are_dropped(tmp_path):
    with Records.open(tmp_path, {"a": 1}) as records:
        records.add(chunk(0, RECORDS, 0), "cpu", "now")
    with Records.open(tmp_path, {"a": 2}) as records:
        assert records.finished() == set()
        assert records.images() == []


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "records.sqlite").write_bytes(b"nothing of the kind" * 100)
    with (
        pytest.raises(PipelineError, match="records.sqlite: cannot be used.*remove it"),
        Records.open(tmp_path, {}),
    ):
        pass


def test_scores_again_from_the_records(yard, exits):
    exits(0, yard.run)
    folder = str(yard.root / "out")
    assert "all scores are those" in exits(0, main, ["score", folder]).out
    (path,) = yard.root.rglob("out/**/*first*/result.json")
    before = path.read_bytes()
    name, score = Result.read(path).headline
    path.write_text(path.read_text().replace(f'"value": {score.value}', '"value": 99.0'))
    assert path.read_bytes() != before
    printed = exits(0, main, ["score", folder]).out
    assert f"{name} was 99.0000, is {score.value:.4f}" in printed
    assert path.read_bytes() == before
    # The cell is still done.
    calls = yard.calls()
    exits(0, yard.run)
    assert yard.calls() == calls


def test_scores_again_of_segmentation(tmp_path, dark_zurich, segmentor, exits):
    from ..conftest import SEGMENTOR

    config = tmp_path / "night.yaml"
    config.write_text(
        f"enhancers: [gamma@0.5]\ntasks: [{{task: darkzurich, root: {dark_zurich}, "
        f"protocol: mmseg, evaluator: {SEGMENTOR}, evaluator_weights: {segmentor}}}]\n"
    )
    out = ["--out", str(tmp_path / "out")]
    exits(0, main, ["batch", str(config), *out, "--workers", "0"])
    assert "all scores are those" in exits(0, main, ["score", str(tmp_path / "out")]).out


def test_top5_and_margin_are_recorded(yard, exits):
    exits(0, yard.run)
    (path,) = yard.root.rglob("out/**/*first*/records.sqlite")
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT prediction, top5, margin FROM image").fetchall()
    assert len(rows) == 8
    for prediction, top5, margin in rows:
        assert top5.startswith(f"[{prediction}, ")
        assert sorted(top5[1:-1].split(", ")) == ["0", "1", "2"]
        assert margin >= 0


def test_nothing_to_score(tmp_path):
    assert main(["score", str(tmp_path)]) == 2
