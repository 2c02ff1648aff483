"""`--evaluator onnx:FILE`, with models made here."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pipeline.errors import PipelineError
from pipeline.evaluators import load_evaluator
from pipeline.own.onnx_evaluator import OnnxModel
from tasks import classification, segmentation
from tasks.errors import TaskError
from tasks.evaluators import create_evaluator
from tasks.resize import resize

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

DECLARED = "mean: [.1, .2, .3]\nstd: [.5, .25, 2]\nchannels: rgb\ninput_size: null\n"
CLASSES = "classes: [red, green, blue]\n"
FLOAT, INT = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64


@pytest.fixture
def model(tmp_path):
    """model(nodes, shape, kind, declared): an ONNX file with its declaration."""

    def build(nodes, shape, kind=FLOAT, declared=DECLARED + CLASSES, axes=None):
        helper = onnx.helper
        given = helper.make_tensor_value_info("image", FLOAT, ["b", 3, "h", "w"])
        made = helper.make_tensor_value_info("out", kind, shape)
        constants = [onnx.numpy_helper.from_array(np.array(axes), "axes")] if axes else []
        graph = helper.make_graph(nodes, "g", [given], [made], constants)
        opset = [helper.make_opsetid("", 18)]
        path = tmp_path / "m.onnx"
        onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
        if declared is not None:
            (tmp_path / "m.yaml").write_text(declared)
        return path

    return build


@pytest.fixture
def logits(model):
    """The normalised image as logits."""
    node = onnx.helper.make_node("Identity", ["image"], ["out"])
    return lambda declared=DECLARED + CLASSES: model([node], ["b", 3, "h", "w"], FLOAT, declared)


@pytest.fixture
def labels(model):
    """The index of the greatest channel."""
    node = onnx.helper.make_node("ArgMax", ["image"], ["out"], axis=1, keepdims=0)
    return lambda declared=DECLARED + CLASSES: model([node], ["b", "h", "w"], INT, declared)


@pytest.fixture
def means(model):
    """The mean of every channel."""
    node = onnx.helper.make_node("ReduceMean", ["image", "axes"], ["out"], keepdims=0)
    return lambda: model([node], ["b", 3], axes=[2, 3])


def normalised(image):
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ([0.1, 0.2, 0.3], [0.5, 0.25, 2.0]))
    return (image - mean) / std


def test_it_gets_what_is_declared(logits):
    image = torch.rand(2, 3, 12, 17)
    found = OnnxModel.from_source(str(logits()))
    assert (found.kind, found.num_outputs) == ("segmentation", 3)
    assert found.info.classes == ("red", "green", "blue")
    torch.testing.assert_close(found(image), normalised(image))
    bgr = OnnxModel.from_source(str(logits((DECLARED + CLASSES).replace("rgb", "bgr"))))
    torch.testing.assert_close(bgr(image), normalised(image.flip(1)))
    assert bgr.settings["channels"] == "bgr"


def test_a_declared_size_is_used_and_undone(logits):
    image = torch.rand(1, 3, 12, 17)
    declared = (DECLARED + CLASSES).replace("null", "[6, 8]")
    found = OnnxModel.from_source(str(logits(declared)))(image)
    small = normalised(resize(image, (6, 8), "bilinear", eight_bit=False))
    expected = F.interpolate(small, (12, 17), mode="bilinear")
    torch.testing.assert_close(found, expected)


def test_label_maps_are_scored_as_they_are(labels):
    image = torch.rand(2, 3, 12, 17)
    found = OnnxModel.from_source(str(labels()))
    assert (found.kind, found.num_outputs) == ("segmentation", 3)
    assert torch.equal(found(image).argmax(1), normalised(image).argmax(1))
    assert torch.equal(found(image).softmax(1).amax(1), torch.ones(2, 12, 17))
    resized = OnnxModel.from_source(str(labels((DECLARED + CLASSES).replace("null", "[6, 8]"))))(
        image
    )
    assert resized.shape == (2, 3, 12, 17)
    assert set(resized.unique().tolist()) == {0.0, 100.0}


def test_more_label_ids_than_classes(labels):
    found = OnnxModel.from_source(str(labels(DECLARED + "classes: [red, green]\n")))
    with pytest.raises(PipelineError, match=r"m\.onnx: predicts class 2, of 2"):
        found(torch.full((1, 3, 2, 2), 0.9) * torch.tensor([0, 0, 1.0]).view(1, 3, 1, 1) * 9)


def test_a_classifier_scores_a_task(means, tmp_path, save, rng):
    for index, name in enumerate(("red", "green")):
        picture = np.zeros((9, 11, 3), np.uint8)
        picture[..., index] = 200
        save(tmp_path / "data" / name / "a.png", picture)
    task = classification.folder(tmp_path / "data")
    loaded = load_evaluator(f"onnx:{means()}", None, task)
    evaluator = create_evaluator(loaded.model, task)
    assert loaded.model.kind == "classification"
    records = [
        record
        for sample, channel in zip(task.samples, (1, 0), strict=True)
        for record in evaluator.measure(
            torch.eye(3)[channel].view(1, 3, 1, 1).expand(1, 3, 9, 11),
            [sample],
            [evaluator.read_target(sample)],
        )
    ]
    assert dict(evaluator.run(records)) == {"data/top1": 100.0}
    assert loaded.weights["file"] == "m.onnx" and len(loaded.weights["sha256"]) == 64
    assert loaded.weights["settings"]["mean"] == (0.1, 0.2, 0.3)


def test_its_classes_are_checked_against_the_task(logits, tmp_path, save):
    save(tmp_path / "d/images/a.png", np.zeros((4, 6, 3), np.uint8))
    save(tmp_path / "d/labels/a.png", np.zeros((4, 6), np.uint8))
    for names, message in (
        ("[blue, green, red]", "class 'blue' is number 0 in the task but 2 in the evaluator"),
        ("[red, green]", "3 classes, the task 2"),
    ):
        (tmp_path / "d/classes.yaml").write_text(f"classes: {names}\n")
        task = segmentation.folder(tmp_path / "d")
        with pytest.raises(TaskError, match=message):
            create_evaluator(load_evaluator(f"onnx:{logits()}", None, task).model, task)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (None, r"m\.yaml: is missing; it declares the model's mean"),
        (CLASSES, r"m\.yaml: mean is missing"),
        (DECLARED, r"m\.yaml: classes is a list of names"),
        (DECLARED + "classes: [a, 1]\n", r"m\.yaml: classes is a list of names"),
        (DECLARED.replace("rgb", "gbr") + CLASSES, r"m\.yaml: channels must be rgb or bgr"),
        (DECLARED.replace("[.1, .2, .3]", ".5") + CLASSES, r"m\.yaml: mean must be a list of 3"),
        (DECLARED.replace("[.1", "[.nan") + CLASSES, r"m\.yaml: +mean and std must be finite"),
        (DECLARED.replace("[.5", "[0") + CLASSES, r"m\.yaml: +std and input_size must be positive"),
        (DECLARED + CLASSES + "scale: 255\n", r"m\.yaml: scale is no known key"),
        ("- a\n", r"m\.yaml: must be a mapping"),
    ],
)
def test_wrong_declarations(logits, declared, message):
    with pytest.raises(PipelineError, match=message):
        OnnxModel.from_source(str(logits(declared)))


def test_label_maps_may_have_a_channel(model):
    node = onnx.helper.make_node("ArgMax", ["image"], ["out"], axis=1, keepdims=1)
    found = OnnxModel.from_source(str(model([node], ["b", 1, "h", "w"], INT)))
    image = torch.rand(2, 3, 5, 4)
    assert torch.equal(found(image).argmax(1), normalised(image).argmax(1))


def test_wrong_outputs(model):
    mean = onnx.helper.make_node("ReduceMean", ["image", "axes"], ["out"], keepdims=0)
    rows = onnx.helper.make_node("ArgMax", ["image"], ["out"], axis=2, keepdims=1)
    for path in (
        model([mean], ["b"], axes=[1, 2, 3]),
        model([rows], ["b", 3, 1, "w"], INT),
    ):
        with pytest.raises(PipelineError, match=r"m\.onnx: its output is tensor\("):
            OnnxModel.from_source(str(path))


def test_its_weights_are_its_own(logits, tmp_path, save):
    save(tmp_path / "d/a/a.png", np.zeros((4, 6, 3), np.uint8))
    task = classification.folder(tmp_path / "d")
    with pytest.raises(PipelineError, match="leave the evaluator's weights out"):
        load_evaluator(f"onnx:{logits()}", Path("w.pth"), task)
    with pytest.raises(PipelineError, match="onnx:none.onnx: is no file"):
        load_evaluator("onnx:none.onnx", None, task)
