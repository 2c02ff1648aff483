"""The loops learn a task that has an answer, and give the same weights for the same seed."""

import numpy as np
import pytest
import timm
import torch

import configs
from tasks import classification, mm, segmentation
from tasks.errors import TaskError
from tasks.training import Recipe, train_classifier, train_segmentor

CPU = torch.device("cpu")


@pytest.fixture
def colours(tmp_path, rng, save):
    for name, channel in (("blue", 2), ("red", 0)):
        for index in range(16):
            picture = rng.integers(0, 80, (24, 24, 3), dtype=np.uint8)
            picture[..., channel] += 120
            save(tmp_path / name / f"{index}.png", picture)
    (tmp_path / "classes.yaml").write_text("classes: [red, blue]")
    return classification.folder(tmp_path)


def fit_classifier(task, seed):
    torch.manual_seed(seed)
    model = timm.create_model("test_resnet", num_classes=2)
    losses = []
    recipe = Recipe(epochs=6, batch_size=8, input_size=(24, 24))
    train_classifier(
        model, task, recipe, seed=seed, device=CPU, on_step=lambda i, n, x: losses.append((i, n, x))
    )
    return model, losses


def test_a_classifier_learns(colours):
    model, losses = fit_classifier(colours, 0)
    assert [step for step, _, _ in losses] == list(range(1, 25))
    assert {total for _, total, _ in losses} == {24}
    assert np.mean([loss for *_, loss in losses[-4:]]) < 0.3
    assert not model.training


def test_the_seed_decides(colours):
    first, second = (fit_classifier(colours, 3)[1] for _ in range(2))
    assert first == second
    assert fit_classifier(colours, 4)[1] != first


def test_a_segmentor_learns_and_void_is_left_out(tmp_path, rng, save):
    for index in range(8):
        label = rng.integers(0, 2, (4, 4)).repeat(16, 0).repeat(16, 1).astype(np.uint8)
        picture = np.where(label[..., None] == 1, 200, 40).repeat(3, -1).astype(np.uint8)
        label[:8] = 9
        save(tmp_path / f"images/{index}.png", picture)
        save(tmp_path / f"labels/{index}.png", label)
    (tmp_path / "classes.yaml").write_text("classes: [dark, light]\nignore: 9")
    torch.manual_seed(0)
    model = mm.build_segmentor(configs.ROOT / "evaluators" / "cgnet_street19.py")
    losses = []
    train_segmentor(
        model,
        segmentation.folder(tmp_path),
        Recipe(epochs=6, batch_size=4, crop=(64, 48), jitter=0.0, learning_rate=5e-3),
        seed=0,
        device=CPU,
        on_step=lambda step, steps, loss: losses.append(loss),
    )
    assert losses[-1] < 0.25 * losses[0]


def test_an_image_smaller_than_the_crop_is_named(colours):
    model = timm.create_model("test_resnet", num_classes=2)
    recipe = Recipe(epochs=1, crop=(32, 32))
    with pytest.raises(TaskError, match=r"\.png: is smaller than the crop 32x32"):
        train_classifier(model, colours, recipe, seed=0, device=CPU, on_step=lambda *_: None)
