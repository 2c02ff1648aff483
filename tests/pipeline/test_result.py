import json
from dataclasses import replace

import pytest

from pipeline.errors import PipelineError
from pipeline.result import Result, Score, class_counts


@pytest.fixture
def result():
    return Result(
        enhancer="sci+lfpv",
        task="darkzurich",
        data="user",
        protocol={"name": "mmseg", "version": 1},
        scores={"val/mIoU": Score(12.5, (10.0, 15.0), 2), "val/pixel_accuracy": Score(50, None, 2)},
        per_class={"val": {"road": 60.0, "train": None}},
        per_image=[{"id": "a", "confusion": [[1, 2], [3, 4]]}, {"id": "b", "confusion": [[0]]}],
        seconds={"decode": 0.1, "enhance": 0.2, "evaluate": 0.3},
        provenance={
            "packages": {"torch": "2"},
            "enhancer": {},
            "evaluator": {},
            "dataset": {},
            "config": {},
        },
        notes=["n"],
    )


def test_a_result_comes_back(result, tmp_path):
    path = tmp_path / "deep/result.json"
    result.write(path)
    assert Result.read(path) == result
    assert result.headline == ("val/mIoU", Score(12.5, (10.0, 15.0), 2))


def test_one_without_its_origin_is_refused(result, tmp_path):
    del result.provenance["dataset"]
    result.write(tmp_path / "r.json")
    with pytest.raises(PipelineError, match=r"r\.json: .*its provenance has no dataset"):
        Result.read(tmp_path / "r.json")


def test_classes_that_count_are_told(result):
    assert class_counts([result, result]) == ["val: mIoU over 1 of 2 classes"]
    more = replace(result, enhancer="sci", per_class={"val": {"road": 60.0, "train": 0.0}})
    assert class_counts([result, result, more]) == [
        "val: mIoU over 1 of 2 classes; of sci over 2: its Δ is partly one of classes"
    ]
    assert class_counts([more, result])[0].startswith(
        "val: mIoU over 2 of 2 classes; of sci+lfpv over 1"
    )
    assert class_counts([replace(result, scores={"val/top1": Score(50, None, 2)})]) == []


def test_the_file_is_json_with_a_line_per_image(result, tmp_path):
    result.write(tmp_path / "r.json")
    text = (tmp_path / "r.json").read_text()
    assert json.loads(text)["per_image"][1] == {"id": "b", "confusion": [[0]]}
    assert sum('"id"' in line for line in text.splitlines()) == 2


@pytest.mark.parametrize(
    "content", ["", "[]", '{"schema": 99}', '{"schema": 1}', '{"schema": 1, "scores": {"a": 3}}']
)
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "r.json").write_text(content)
    with pytest.raises(PipelineError, match=r"r\.json: is no result"):
        Result.read(tmp_path / "r.json")
