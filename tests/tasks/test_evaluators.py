"""Evaluators against a slow recount, with models whose answers are known."""

import numpy as np
import pytest
import torch

from tasks import classification, segmentation
from tasks.errors import TaskError
from tasks.evaluators import create_evaluator
from tasks.images import read_rgb
from tasks.models import DownstreamModel, ModelInfo


class Brightest(DownstreamModel):
    """Class = index of the brightest channel, of each pixel or of the whole image."""

    num_outputs = 3

    def __init__(self, kind, classes=None):
        super().__init__(ModelInfo(classes))
        self.kind = kind

    def forward(self, image):
        return image if self.kind == "segmentation" else image.mean((2, 3))


@pytest.fixture
def segmentation_task(tmp_path, rng, save):
    for name in "ab":
        save(tmp_path / f"images/{name}.png", rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
        label = rng.choice([0, 1, 2, 9], (6, 8)).astype(np.uint8)
        save(tmp_path / f"labels/{name}.png", label)
    (tmp_path / "classes.yaml").write_text("classes: [red, green, blue]\nignore: 9")
    return segmentation.folder(tmp_path)


def measure_all(evaluator):
    records = []
    for sample in evaluator.task.samples:
        image = torch.from_numpy(read_rgb(sample.image).copy()).permute(2, 0, 1)[None] / 255
        records += evaluator.measure(image, [sample], [evaluator.read_target(sample)])
    return records


def test_segmentation_scores_equal_a_recount(segmentation_task):
    evaluator = create_evaluator(Brightest("segmentation"), segmentation_task)
    records = measure_all(evaluator)
    pairs = []
    for sample in segmentation_task.samples:
        guess = read_rgb(sample.image).argmax(-1)
        truth = segmentation_task.read_target(sample)
        pairs += [(t, g) for t, g in zip(truth.ravel(), guess.ravel(), strict=True) if t != 9]
    iou = []
    for index in range(3):
        both = sum(t == index and g == index for t, g in pairs)
        either = sum(t == index or g == index for t, g in pairs)
        iou.append(both / either)
    scores = dict(evaluator.run(records))
    split = segmentation_task.splits[0]
    assert scores[f"{split}/mIoU"] == pytest.approx(100 * np.mean(iou))
    right = np.mean([t == g for t, g in pairs])
    assert scores[f"{split}/pixel_accuracy"] == pytest.approx(100 * right)
    assert list(evaluator.per_class(records).values()) == pytest.approx(iou)


def test_bootstrap_weights_are_repeats(segmentation_task):
    evaluator = create_evaluator(Brightest("segmentation"), segmentation_task)
    records = measure_all(evaluator)
    resampled = evaluator.scores(records, np.array([[2, 0], [1, 1]]))["mIoU"]
    twice = evaluator.scores([records[0], records[0]])["mIoU"]
    assert resampled[0] == pytest.approx(twice)
    assert resampled[1] == pytest.approx(evaluator.scores(records)["mIoU"])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_outputs_that_are_not_finite_are_no_prediction(segmentation_task, value, monkeypatch):
    model = Brightest("segmentation")
    monkeypatch.setattr(model, "forward", lambda image: torch.full_like(image, value))
    with pytest.raises(TaskError, match=r"a\.png: the frozen model's outputs are not finite"):
        measure_all(create_evaluator(model, segmentation_task))


def test_label_of_another_size_is_named(segmentation_task, save):
    save(segmentation_task.samples[0].target, np.zeros((5, 8), np.uint8))
    evaluator = create_evaluator(Brightest("segmentation"), segmentation_task)
    with pytest.raises(TaskError, match=r"a\.png: is 8x5, its image is 8x6"):
        measure_all(evaluator)


def test_classification_indices_come_from_the_evaluators_names(tmp_path, save):
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[..., 2] = 200
    save(tmp_path / "sky/1.png", picture)
    save(tmp_path / "fire/1.png", picture)
    task = classification.folder(tmp_path)
    # "grass" has no folder: a class without samples.
    evaluator = create_evaluator(Brightest("classification", ("fire", "grass", "sky")), task)
    records = measure_all(evaluator)
    assert [(r.label, r.prediction) for r in records] == [(0, 2), (2, 2)]
    assert dict(evaluator.run(records)) == {f"{tmp_path.name}/top1": 50.0}
    assert evaluator.per_class(records) == {"fire": 0.0, "grass": None, "sky": 1.0}


def test_a_class_of_nan_is_no_prediction(tmp_path, save):
    save(tmp_path / "sky/1.png", np.zeros((4, 4, 3), np.uint8))
    evaluator = create_evaluator(
        Brightest("classification", ("fire", "grass", "sky")), classification.folder(tmp_path)
    )
    (sample,) = evaluator.task.samples
    image = torch.rand(1, 3, 4, 4)
    image[0, 1] = torch.nan
    with pytest.raises(TaskError, match=r"1\.png: the frozen model's outputs are not finite"):
        evaluator.measure(image, [sample], [evaluator.read_target(sample)])


def test_a_folder_that_the_evaluator_does_not_know(tmp_path, save):
    save(tmp_path / "sea/1.png", np.zeros((4, 4, 3), np.uint8))
    task = classification.folder(tmp_path)
    with pytest.raises(TaskError, match="'sea' is none of the classes"):
        create_evaluator(Brightest("classification", ("fire", "grass", "sky")), task)


def test_kinds_must_agree(segmentation_task):
    with pytest.raises(TaskError, match="needs a segmentation evaluator"):
        create_evaluator(Brightest("classification"), segmentation_task)


def test_eight_bit_chain_rounds_and_float_chain_does_not(segmentation_task, tmp_path):
    image = torch.full((1, 3, 6, 8), 0.5)
    rounded = create_evaluator(Brightest("segmentation"), segmentation_task).chain(image)
    assert torch.equal(rounded, torch.full_like(image, 128 / 255))
    float_task = segmentation.folder(tmp_path, "whole-float")
    kept = create_evaluator(Brightest("segmentation"), float_task).chain(image)
    assert torch.equal(kept, image)


class DarkIsVoid(Brightest):
    """The brightest channel; void, a fourth output, where none reaches one half."""

    void_output = True

    def forward(self, image):
        return torch.cat([image, torch.full_like(image[:, :1], 0.5)], 1)


def test_predicted_void_is_a_miss_in_every_score(segmentation_task):
    evaluator = create_evaluator(DarkIsVoid("segmentation"), segmentation_task)
    records = measure_all(evaluator)
    by_hand = np.zeros((3, 4), int)
    for sample in segmentation_task.samples:
        image = read_rgb(sample.image)
        guess = np.where(image.max(-1) > 127.5, image.argmax(-1), 3)
        truth = segmentation_task.read_target(sample)
        np.add.at(by_hand, (truth[truth < 9], guess[truth < 9]), 1)
    assert by_hand[:, 3].sum() > 0
    np.testing.assert_array_equal(sum(record.confusion for record in records), by_hand)
    hits = by_hand.diagonal()
    iou = hits / (by_hand.sum(1) + by_hand.sum(0)[:3] - hits)
    assert list(evaluator.per_class(records).values()) == pytest.approx(iou)
    assert evaluator.scores(records)["mIoU"] == pytest.approx(iou.mean())
    assert evaluator.scores(records)["pixel_accuracy"] == pytest.approx(hits.sum() / by_hand.sum())
    twice = evaluator.scores(records, np.array([[2, 2]]))["mIoU"]
    assert twice[0] == pytest.approx(iou.mean())


def test_an_evaluator_without_class_names_says_so(segmentation_task):
    unnamed = create_evaluator(Brightest("segmentation"), segmentation_task)
    named = create_evaluator(Brightest("segmentation", ("red", "green", "blue")), segmentation_task)
    assert "its outputs are taken in the task's order" in unnamed.notes[0]
    assert not named.notes
