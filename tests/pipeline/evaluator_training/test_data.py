"""What a command line means: models by short names, data by name."""

import pytest

from pipeline.errors import PipelineError
from pipeline.evaluator_training.data import find_labelled, kind_of, model_name


def test_models_by_their_names(tmp_path):
    assert model_name("refinenet") == "refinenet_r101.py"
    assert model_name("refinenet_r18") == "refinenet_r18.py"
    assert model_name("resnet18") == "resnet18"
    assert model_name("refinenet_r18.py") == "refinenet_r18.py"
    own = tmp_path / "own.py"
    own.touch()
    assert model_name(str(own)) == str(own)
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
        ("segmentation:", None, "segmentation", "unknown training data 'segmentation:'"),
        ("cifar", "x", "segmentation", "unknown training data 'cifar'"),
        ("codan_day", None, "classification", "no data for codan: give --root DIR"),
    ],
)
def test_wrong_names(colours, name, root, kind, message):
    with pytest.raises(PipelineError, match=message):
        find_labelled(colours if name == "colours" else name, root, kind)
