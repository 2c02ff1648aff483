"""What a command line means: data by name."""

import pytest

from pipeline.errors import PipelineError
from pipeline.evaluator_training.data import find_labelled, kind_of


def test_what_a_model_is_for():
    assert [kind_of(name) for name in ("resnet18", "x.py")] == ["classification", "segmentation"]


def test_the_dataset_folder_is_the_tasks(tmp_path, monkeypatch, save, rng):
    monkeypatch.setenv("PIPELINE_DATA", str(tmp_path))
    picture = rng.integers(0, 9, (4, 4, 3), dtype="uint8")
    save(tmp_path / "codan/data/train/Cat/1.png", picture)
    assert len(find_labelled("codan_day", None, "classification").train.samples) == 1


@pytest.mark.parametrize(
    ("name", "root", "kind", "message"),
    [
        ("cifar", None, "classification", "there are cityscapes, codan_day, camvid_day, segm"),
        ("colours", None, "segmentation", "is for classification: a timm model"),
        ("colours", "x", "classification", "brings its own data; leave --root out"),
        ("sample", "x", "segmentation", "leave --root out"),
        ("segmentation:", None, "segmentation", "'segmentation:': has no name or no folder"),
        ("cifar", "x", "segmentation", "unknown training data 'cifar'"),
        ("codan_day", None, "classification", "no data for codan: give --root DIR"),
    ],
)
def test_wrong_names(colours, name, root, kind, message):
    with pytest.raises(PipelineError, match=message):
        find_labelled(colours if name == "colours" else name, root, kind)
