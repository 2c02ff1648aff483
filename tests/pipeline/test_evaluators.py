"""Evaluators of the user's own: checkpoints in the forms in which they are published."""

import numpy as np
import pytest
import torch
import torchvision

import configs
from pipeline import zoo
from pipeline.errors import PipelineError
from pipeline.evaluators import load_evaluator, model_name, resolve_evaluator
from tasks import cityscapes, classification, mm, segmentation
from tasks.errors import TaskError
from tasks.evaluators import create_evaluator

CGNET = "cgnet_street19.py"


@pytest.fixture
def codan(tmp_path, save):
    for split in ("test_night", "test_day"):
        save(tmp_path / f"codan/data/{split}/Cat/a.png", np.zeros((8, 8, 3), np.uint8))
    return classification.codan(tmp_path / "codan")


@pytest.fixture
def night(dark_zurich):
    return segmentation.dark_zurich(dark_zurich)


@pytest.fixture(scope="module")
def resnet18():
    """torchvision's own ResNet-18 for CODaN, with running statistics that are not trivial."""
    torch.manual_seed(3)
    model = torchvision.models.resnet18(num_classes=10).train()
    with torch.no_grad():
        model(torch.rand(4, 3, 64, 64))
    return model.eval()


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_torchvisions_layout_loads_into_timms_resnet18(codan, resnet18, tmp_path, key, prefix):
    """The published CODaN checkpoint: a training's whole state around a torchvision-style dict."""
    path = tmp_path / "resnet18_baseline.pth.tar"
    state = {f"{prefix}{name}": value for name, value in resnet18.state_dict().items()}
    torch.save({"epoch": 175, key: state, "best_acc1": 80.1, "optimizer": {"state": {}}}, path)
    loaded = load_evaluator("resnet18", path, codan)
    image = torch.rand(2, 3, 96, 80)
    mean, std = (
        torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    with torch.inference_mode():
        torch.testing.assert_close(loaded.model(image), resnet18((image - mean) / std))
    evaluator = create_evaluator(loaded.model, codan)
    assert evaluator.classes == codan.classes
    assert "weights name no classes" in evaluator.notes[0]


def test_a_classifier_of_another_number_of_classes(codan, tmp_path):
    torch.save(torchvision.models.resnet18(num_classes=7).state_dict(), tmp_path / "w.pth")
    loaded = load_evaluator("resnet18", tmp_path / "w.pth", codan)
    with pytest.raises(TaskError, match="the evaluator has 7 classes, the task 10"):
        create_evaluator(loaded.model, codan)


@pytest.fixture
def checkpoint(tmp_path):
    """checkpoint(meta): an untrained CGNet of 19 classes as mmsegmentation saves it."""

    def save(meta):
        torch.manual_seed(1)
        state = mm.build_segmentor(configs.ROOT / "evaluators" / CGNET).state_dict()
        torch.save({"meta": meta, "state_dict": state}, tmp_path / "seg.pth")
        return tmp_path / "seg.pth"

    return save


PALETTE = [[0, 0, 0]] * 19


@pytest.mark.parametrize(
    "meta",
    [
        {"dataset_meta": {"classes": cityscapes.CLASSES, "palette": PALETTE}},
        {"dataset_meta": {"CLASSES": cityscapes.CLASSES, "PALETTE": PALETTE}},
        {"CLASSES": list(cityscapes.CLASSES), "PALETTE": PALETTE, "mmseg_version": "0.6.0"},
    ],
)
def test_mmsegmentations_class_names_of_either_age(night, checkpoint, meta):
    model = load_evaluator(CGNET, checkpoint(meta), night).model
    assert model.info.classes == cityscapes.CLASSES
    assert not create_evaluator(model, night).notes


@pytest.mark.parametrize("beside", ["classes", "class_to_idx"])
def test_a_users_names_beside_the_state(codan, tmp_path, resnet18, beside):
    names = list(reversed(codan.classes))
    given = names if beside == "classes" else {name: i for i, name in enumerate(names)}
    torch.save({"state_dict": resnet18.state_dict(), beside: given}, tmp_path / "mine.pt")
    model = load_evaluator("resnet18", tmp_path / "mine.pt", codan).model
    assert model.info.classes == tuple(names)


@pytest.mark.parametrize(
    ("beside", "message"),
    [
        ({"class_to_idx": {"Cat": 0, "Dog": 5}}, "class_to_idx does not number its classes from 0"),
        ({"class_to_idx": {"Cat": 0, "Dog": "b"}}, "does not number its classes from 0 on"),
        ({"meta": {"input_size": [0, 3]}}, "`input_size` is no \\[height, width\\]"),
        ({"meta": {"input_size": [3, 224, 224]}}, "`input_size` is no \\[height, width\\]"),
    ],
)
def test_what_a_checkpoint_says_must_make_sense(codan, tmp_path, resnet18, beside, message):
    torch.save({"state_dict": resnet18.state_dict(), **beside}, tmp_path / "mine.pt")
    with pytest.raises(PipelineError, match=rf"mine\.pt: its .*{message}"):
        load_evaluator("resnet18", tmp_path / "mine.pt", codan)


def test_a_frozen_model_that_fails_is_told(codan, tmp_path, resnet18):
    torch.save(resnet18.state_dict(), tmp_path / "mine.pt")
    model = load_evaluator("resnet18", tmp_path / "mine.pt", codan).model
    model.network.maxpool = torch.nn.AvgPool2d(99)
    message = r"mine\.pt: the frozen model fails on an image of 48x32 \(.*Output size is too small"
    with pytest.raises(TaskError, match=message) as told:
        model(torch.rand(1, 3, 32, 48))
    assert isinstance(told.value.__cause__, RuntimeError)


@pytest.mark.parametrize("meta", [{}, {"PALETTE": PALETTE}, {"dataset_meta": {"palette": PALETTE}}])
def test_a_checkpoint_without_names_is_noted(night, checkpoint, meta):
    model = load_evaluator(CGNET, checkpoint(meta), night).model
    assert model.info.classes is None
    assert "in the task's order" in create_evaluator(model, night).notes[0]


def test_the_configs_dataset_names_the_classes_where_the_checkpoint_does_not(
    night, checkpoint, tmp_path
):
    config = tmp_path / "mine.py"
    base = configs.ROOT / "evaluators" / CGNET
    config.write_text(
        f"_base_ = [{str(base)!r}]\n"
        "test_dataloader = {'dataset': {'type': 'CityscapesDataset', 'data_root': 'x'}}\n"
    )
    model = load_evaluator(str(config), checkpoint({}), night).model
    assert model.info.classes == cityscapes.CLASSES


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (cityscapes.CLASSES[::-1], "class 'road' is number 0 in the task but 18"),
        (("pavement", *cityscapes.CLASSES[1:]), "class 0 is 'road' in the task but 'pavement'"),
        (cityscapes.CLASSES[:18], "the evaluator has 19 outputs but 18 class names"),
    ],
)
def test_classes_that_do_not_fit_the_task(night, checkpoint, classes, message):
    model = load_evaluator(CGNET, checkpoint({"dataset_meta": {"classes": classes}}), night).model
    with pytest.raises(TaskError, match=message):
        create_evaluator(model, night)


def test_classes_that_are_no_list(night, checkpoint):
    with pytest.raises(PipelineError, match=r"seg\.pth: its header's `classes` is no list"):
        load_evaluator(CGNET, checkpoint({"CLASSES": "cityscapes"}), night)


def test_without_the_default_weights_the_small_evaluator_is_offered(night, monkeypatch):
    def absent(entry, fetch=True):
        raise PipelineError("cannot be downloaded")

    monkeypatch.setattr(zoo, "locate", absent)
    with pytest.raises(PipelineError, match="take the small one: --evaluator espnetv2-s2"):
        load_evaluator(None, None, night)
    with pytest.raises(PipelineError, match="^cannot be downloaded$"):
        load_evaluator("pspnet-r50", None, night)


def test_the_small_evaluators_are_listed():
    from tasks.protocol import task_cards

    named = {card.quick_evaluator for card in task_cards()} - {""}
    assert named == {"espnetv2-s2"}
    assert named <= zoo.entries("evaluators").keys()


def test_configs_of_ours_go_by_their_stems(tmp_path, night):
    assert resolve_evaluator("refinenet", "w.pth", night) == ("refinenet_r101.py", "w.pth")
    assert model_name("refinenet_r18") == model_name("refinenet_r18.py") == "refinenet_r18.py"
    assert model_name("resnet18") == "resnet18"
    own = tmp_path / "own.py"
    own.touch()
    assert model_name(str(own)) == str(own)
