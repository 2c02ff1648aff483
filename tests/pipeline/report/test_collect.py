"""Which files are results, and what is said of the others."""

import json

import pytest

from pipeline.compare.images import image_scores, main_scores
from pipeline.errors import PipelineError
from pipeline.report import collect
from pipeline.result import Score

from ..compared import answered, restored
from .results import of, streets, write


@pytest.fixture
def folder(tmp_path, rng):
    return write(tmp_path / "results", streets(rng))


def changed(folder, change):
    """`sci`'s file with a part changed, and why it is left out."""
    file = folder / "sci/result.json"
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    collection = collect(folder)
    assert [one.file for one in collection.found] == [
        "identity/result.json",
        "sci+lfpv/result.json",
    ]
    ((name, reason),) = collection.left_out
    assert name == "sci/result.json"
    return reason


def test_results_are_found_in_the_order_of_their_paths(folder):
    collection = collect(folder)
    assert [one.result.enhancer for one in collection.found] == ["identity", "sci", "sci+lfpv"]
    assert collection.left_out == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c: c.update(schema=2), "no result of schema 1"),
        (lambda c: c.pop("scores"), "is no result file ('scores')"),
        (lambda c: c.update(more=1), "unexpected keyword argument 'more'"),
        (lambda c: c["per_image"][3].pop("mean_level"), "KeyError: 'mean_level'"),
        (lambda c: c["per_image"][3].update(confusion=[[1, 2], [3]]), "is no whole result"),
        (lambda c: c["provenance"].pop("evaluator"), "its provenance has no evaluator"),
        (lambda c: c["provenance"]["dataset"].pop("sha256"), "no hash of the dataset"),
        (lambda c: c["scores"]["night/mIoU"].update(value=float("nan")), "mIoU is no number"),
        (lambda c: c["scores"]["night/mIoU"].update(unit="furlongs"), "mIoU is no number"),
        (lambda c: c["provenance"]["cost"].update(macs="many"), "its cost is no number"),
        (lambda c: c.update(data="drawn"), "its kind of data"),
        (lambda c: c.update(scores={}), "it has no score"),
        (lambda c: c.update(per_image=[]), "has no images"),
        (lambda c: c.update(enhancer="+lfpv"), "is no enhancer name"),
    ],
)
def test_what_is_no_whole_result_is_left_out_with_the_reason(folder, change, reason):
    assert reason in changed(folder, change)


def test_other_files_of_that_name_are_left_out(folder):
    (folder / "sci/result.json").write_bytes(b"\xff\xfe not text")
    (folder / "sci+lfpv/result.json").write_text("[]")
    collection = collect(folder)
    assert [one.file for one in collection.found] == ["identity/result.json"]
    assert len(collection.left_out) == 2
    assert str(folder) not in str(collection.left_out)


def test_without_any_result_there_is_one_line(tmp_path, folder):
    with pytest.raises(PipelineError, match="nowhere: is no folder"):
        collect(tmp_path / "nowhere")
    with pytest.raises(PipelineError, match="is no folder"):
        collect(folder / "sci/result.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PipelineError, match="empty: holds no result of `pipeline run`$"):
        collect(tmp_path / "empty")
    (tmp_path / "empty/result.json").write_text("{}")
    with pytest.raises(PipelineError, match=r"holds no result .*; result.json: is no result"):
        collect(tmp_path / "empty")


def test_scores_of_images(rng):
    pair = of(restored("x", [10.0, 20.0], [0.1, 0.2]), "x")
    assert main_scores(pair) == ["night/PSNR"]
    assert image_scores(pair, "night/LPIPS") == {"000": 0.1, "001": 0.2}
    answers = answered("x", [True, False], [0, 1])
    assert image_scores(answers, "night/top1") == {"000": 100.0, "001": 0.0}
    street = streets(rng)["identity"]
    one = street.per_image[7]
    assert main_scores(street) == ["night/mIoU"]
    truth, hits = [sum(row) for row in one["confusion"]], [one["confusion"][i][i] for i in range(3)]
    predicted = [sum(column) for column in zip(*one["confusion"], strict=True)]
    unions = [a + b - c for a, b, c in zip(truth, predicted, hits, strict=True)]
    iou = [hit / union for hit, union in zip(hits, unions, strict=True) if union]
    assert image_scores(street, "night/mIoU")["007"] == pytest.approx(100 * sum(iou) / len(iou))


def test_the_first_score_of_each_split_counts():
    scores = dict.fromkeys(("night/top1", "night/x", "day/top1", "day/x"), Score(1, None, 1))
    result = of(answered("x", [True], [0]), "x", scores=scores)
    assert main_scores(result) == ["night/top1", "day/top1"]
