"""Class maps: complete, spelt right, and the mapped argmax."""

import pytest
import torch

import configs
from pipeline.evaluators import load_evaluator
from tasks import cityscapes, mm, segmentation
from tasks.classes import read_class_map, resolve_class_map
from tasks.errors import TaskError
from tasks.models import ClassMapped, DownstreamModel, ModelInfo
from tasks.segmentors.settings import settings_from

CAMVID = ("sky", "building", "pole", "road", "pavement", "tree", "sign_symbol", "fence", "car",
          "pedestrian", "bicyclist")  # fmt: skip
MAP = configs.ROOT / "evaluators" / "cityscapes_to_camvid.yaml"


def resolve(mapping, evaluator=("cat", "dog", "sofa"), task=("animal", "thing")):
    return resolve_class_map(mapping, evaluator, task, "map.yaml")


def test_outputs_are_grouped_in_the_tasks_order():
    mapping = {"sofa": "thing", "cat": "animal", "dog": "animal"}
    assert resolve(mapping) == (("animal", "thing"), [[0, 1], [2]])
    assert resolve(mapping, task=None) == (("thing", "animal"), [[2], [0, 1]])
    assert resolve({"cat": "animal", "dog": None, "sofa": "thing"})[1] == [[0], [2]]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"cat": "animal", "sofa": "thing"}, "class 'dog' is missing; null drops it"),
        (
            {"cat": "animal", "dgo": "animal", "sofa": "thing"},
            "the evaluator has no class 'dgo'; did you mean 'dog'?",
        ),
        (
            {"cat": "animla", "dog": "animal", "sofa": "thing"},
            "the task has no class 'animla'; did you mean 'animal'?",
        ),
        ({"cat": "animal", "dog": "animal", "sofa": None}, "nothing is mapped to 'thing'"),
        ({"cat": "animal", "dog": "animal", "sofa": "x"}, "there are animal, thing"),
    ],
)
def test_maps_that_do_not_fit(mapping, message):
    with pytest.raises(TaskError, match=message):
        resolve(mapping)


def test_an_evaluator_without_names_cannot_be_mapped():
    with pytest.raises(TaskError, match="name no classes"):
        resolve({"cat": "animal"}, evaluator=None)


@pytest.mark.parametrize("text", ["", "- road", "road: 3", "1: road", "road: [a"])
def test_files_that_are_no_maps(tmp_path, text):
    (tmp_path / "map.yaml").write_text(text)
    with pytest.raises(TaskError, match="map.yaml"):
        read_class_map(tmp_path / "map.yaml")


def test_the_packaged_map_covers_both_lists():
    classes, sources = resolve_class_map(read_class_map(MAP), cityscapes.CLASSES, CAMVID, "x")
    assert classes == CAMVID
    assert sorted(index for outputs in sources for index in outputs) == list(range(19))


class Given(DownstreamModel):
    """A model whose logits are the image."""

    kind, num_outputs = "segmentation", 5

    def forward(self, image):
        return image


def test_its_argmax_is_the_mapped_argmax():
    logits = torch.randn(2, 5, 6, 7)
    mapped = ClassMapped(Given(ModelInfo()), [[3], [0, 2], [4, 1]], ("a", "b", "c"))
    table = torch.tensor([1, 2, 1, 0, 2])
    assert torch.equal(mapped(logits).argmax(1), table[logits.argmax(1)])
    assert mapped.info.classes == ("a", "b", "c") and mapped.num_outputs == 3


def test_a_dropped_class_is_never_predicted():
    logits = torch.tensor([1.0, 9.0, 2.0, 0.0, 0.0]).view(1, 5, 1, 1)
    mapped = ClassMapped(Given(ModelInfo()), [[0, 3], [2]], ("a", "b"))
    assert mapped(logits).argmax(1).item() == 1


class GivenWithVoid(Given):
    num_outputs, void_output = 4, True


def test_void_stays_the_last_output_of_a_map():
    logits = torch.randn(2, 5, 6, 7)
    mapped = ClassMapped(GivenWithVoid(ModelInfo()), [[3], [0, 2]], ("a", "b"))
    assert mapped.void_output
    expected = torch.stack([logits[:, 3], logits[:, [0, 2]].amax(1), logits[:, 4]], 1)
    assert torch.equal(mapped(logits), expected)


def test_the_result_names_its_map(tmp_path, rng, save):
    save(tmp_path / "images/a.png", rng.integers(0, 256, (24, 32, 3), dtype="uint8"))
    save(tmp_path / "labels/a.png", rng.integers(0, 11, (24, 32), dtype="uint8"))
    (tmp_path / "classes.yaml").write_text(f"classes: [{', '.join(CAMVID)}]\nignore: 11")
    task = segmentation.folder(tmp_path)
    config = "espnetv2_s05.py"
    state = mm.build_segmentor(configs.ROOT / "evaluators" / config).state_dict()
    torch.save(state, tmp_path / "w.pth")
    loaded = load_evaluator(config, tmp_path / "w.pth", task, MAP.name)
    record = loaded.weights["class_map"]
    assert record["file"] == MAP.name and len(record["sha256"]) == 64
    assert record["map"]["rider"] == "bicyclist"
    assert loaded.weights["settings"]["first_outputs"] is True
    assert loaded.model.info.classes == CAMVID


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"input_sise": (1, 2)}, "no key 'input_sise'; did you mean input_size"),
        ({"input_size": (0, 2)}, r"input_size is \(height, width\)"),
        ({"input_size": 480}, "input_size is no list of int"),
        ({"score_by": "cubic"}, "score_by is one of bilinear, nearest"),
        ({"classes": "voc"}, "classes is no list of str"),
        ({"void_output": "yes"}, "void_output is True or False"),
    ],
)
def test_settings_are_checked(values, message):
    with pytest.raises(TaskError, match=f"c.py: .*{message}|c.py: evaluator.{message}"):
        settings_from(values, "c.py")


def test_settings_may_name_cityscapes():
    assert settings_from({"classes": "cityscapes"}, "c.py").classes == cityscapes.CLASSES
