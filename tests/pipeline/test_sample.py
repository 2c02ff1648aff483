"""The built-in sample: the main job as a new user runs it."""

import pytest

from pipeline import create_task
from pipeline.cli import main
from pipeline.errors import PipelineError
from pipeline.result import Result
from tasks.errors import TaskError


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
        Result.read(tmp_path / f"{task}-sample/{name}/result.json") for name in names
    )
    assert identity.data == "sample"
    assert identity.headline[0] == headline
    # A real test of enhancement: brightening the night gives back what darkness took.
    assert gamma.headline[1].value > identity.headline[1].value + 5


def test_trained_enhancers_differ_from_each_other(tmp_path):
    names = ["sci", "sci+lfpv", "zerodcepp", "zerodcepp+lfpv"]
    where = ["--out", str(tmp_path), "--workers", "0"]
    assert main(["run", "--enhancer", *names, "--task", "codan", "--sample", *where]) == 0
    scores = {
        name: Result.read(tmp_path / f"codan-sample/{name}/result.json").headline[1].value
        for name in names
    }
    assert len(set(scores.values())) == 4, scores


def test_the_sample_takes_no_folder_and_knows_three_tasks(tmp_path):
    with pytest.raises(PipelineError, match="brings its own data"):
        create_task("darkzurich", tmp_path, sample=True)
    with pytest.raises(PipelineError, match="brings its own data"):
        create_task("segmentation:x", sample=True)
    assert create_task("darkzurich", sample=True).sample_data


def test_a_folder_in_the_way_of_the_cache(tmp_path, monkeypatch):
    (tmp_path / "llie-pipeline").write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises((PipelineError, TaskError), match="llie-pipeline"):
        create_task("darkzurich", sample=True)
