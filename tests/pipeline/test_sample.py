"""The built-in sample: the main job as a new user runs it."""

from itertools import combinations

import pytest
import torch

from pipeline import create_enhancer, create_task, run
from pipeline.cli import main
from pipeline.errors import PipelineError
from pipeline.result import Result
from tasks.errors import TaskError

FOLDERS = {
    "darkzurich": "darkzurich-sample/sample-cgnet_street19-street19@ours-sample",
    "nighttime_driving": "nighttime_driving-sample/sample-cgnet_street19-street19@ours-sample",
    "codan": "codan-sample/sample-test_resnet-objects10@ours-sample",
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Rendered once for all tests of this module."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def in_cache(cache, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


@pytest.mark.parametrize(
    ("task", "headline"),
    [
        ("darkzurich", "val/mIoU"),
        ("nighttime_driving", "test/mIoU"),
        ("codan", "test_night/top1"),
    ],
)
def test_the_main_job(tmp_path, capsys, task, headline):
    names = ["identity", "gamma@0.4"]
    where = ["--out", str(tmp_path), "--workers", "0"]
    assert main(["run", "--enhancer", *names, "--task", task, "--sample", *where]) == 0
    out = capsys.readouterr().out
    assert "SAMPLE SCENES" in out
    assert "not the dataset of that name" in out
    identity, gamma = (
        Result.read(tmp_path / FOLDERS[task] / name / "result.json") for name in names
    )
    assert identity.data == "sample"
    assert identity.headline[0] == headline
    # A real test of enhancement: brightening the night gives back what darkness took.
    assert gamma.headline[1].value > identity.headline[1].value + 5


def test_daylight_is_far_above_night(cache):
    """What darkness costs, with nothing else changed: the same streets, the same model."""
    create_task("darkzurich", sample=True)
    (root,) = cache.glob("llie-pipeline/sample-*-test")
    scores = {}
    for name in ("darkzurich", "darkzurich_day"):
        result = run("identity", create_task("darkzurich", root / name))
        # Rendered scenes are sample scenes wherever they are read from.
        assert result.data == "sample"
        scores[name] = result.headline[1].value
    assert scores["darkzurich_day"] > scores["darkzurich"] + 40
    codan = run("identity", create_task("codan", sample=True)).scores
    assert codan["test_day/top1"].value > codan["test_night/top1"].value + 20


def test_trained_enhancers_differ_from_each_other():
    dark = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) / 5
    names = ("sci", "sci+lfpv", "zerodcepp", "zerodcepp+lfpv")
    with torch.no_grad():
        images = [create_enhancer(name, sample=True)(dark) for name in names]
    for one, other in combinations(images, 2):
        assert (one - other).abs().mean() > 1e-4


def test_the_sample_takes_no_folder_and_knows_three_tasks(tmp_path):
    with pytest.raises(PipelineError, match="brings its own data"):
        create_task("darkzurich", tmp_path, sample=True)
    with pytest.raises(PipelineError, match="brings its own data"):
        create_task("segmentation:x", sample=True)
    assert create_task("darkzurich", sample=True).sample_data
    (tmp_path / "rgb_anon/val/night").mkdir(parents=True)
    with pytest.raises(PipelineError, match="'sample' is for the sample scenes only"):
        create_task("darkzurich", tmp_path, "sample")


def test_a_folder_in_the_way_of_the_cache(tmp_path, monkeypatch):
    (tmp_path / "llie-pipeline").write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises((PipelineError, TaskError), match="llie-pipeline"):
        create_task("darkzurich", sample=True)
