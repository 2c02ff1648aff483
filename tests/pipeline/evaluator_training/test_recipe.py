"""Recipes: the published numbers, the schedules against torch's own, wrong values."""

import pytest
import torch
import yaml

from pipeline.errors import PipelineError
from pipeline.evaluator_training.recipe import FOLDER, PUBLISHED, find_recipe, read_recipe

MINIMAL = {"epochs": 2, "data": {"batch": 4}, "optimiser": {"rate": 0.1}}


def read(tmp_path, **changes):
    path = tmp_path / "r.yaml"
    path.write_text(yaml.safe_dump(MINIMAL | changes))
    return read_recipe(path)


def published(model, data, kind):
    return read_recipe(find_recipe(model, data, kind, None))


def test_refinenet_on_cityscapes_as_published():
    recipe = published("refinenet_r101.py", "cityscapes", "segmentation")
    images, optimiser = recipe.images, recipe.optimiser
    assert (recipe.epochs, recipe.data.batch, recipe.start) == (120, 6, "imagenet")
    assert (images.resize, images.filter) == ((512, 1024), "lanczos")
    assert (images.scale, images.crop, images.flip) == ((0.7, 1.3), (384, 768), True)
    jitter = {images.brightness, images.contrast, images.saturation, images.hue}
    assert jitter == {0.3} and images.rotation == 0
    assert (optimiser.kind, optimiser.rate) == ("sgd", 1e-3)
    assert (optimiser.momentum, optimiser.weight_decay) == (0.9, 1e-4)
    steps = recipe.steps(2975)
    assert steps == 120 * 2975 // 6
    epoch = steps / 120
    at = [recipe.rate(int(done * epoch) + 1, steps) for done in (0, 29.9, 30, 60, 90, 119.9)]
    assert at == pytest.approx([1, 1, 0.1, 0.01, 1e-3, 1e-3])


def test_resnet18_on_codan_as_published():
    recipe = published("resnet18", "codan_day", "classification")
    images, optimiser = recipe.images, recipe.optimiser
    assert (recipe.epochs, recipe.data.batch, recipe.start) == (175, 64, "none")
    assert (images.resize, images.scale, images.crop) == (None, None, (224, 224))
    jitter = {images.brightness, images.contrast, images.saturation, images.hue}
    assert jitter == {0.3} and images.rotation == 20 and images.flip
    assert (optimiser.kind, optimiser.rate) == ("sgd", 0.05)
    assert (optimiser.momentum, optimiser.weight_decay) == (0.9, 1e-5)
    rates = [recipe.rate(epoch, 175) for epoch in range(175)]
    assert [e for e in range(1, 175) if rates[e] < rates[e - 1]] == [50, 100, 150]


@pytest.mark.parametrize("steps", [2, 7, 100])
@pytest.mark.parametrize("kind", ["adamw", "sgd"])
def test_one_cycle_is_torchs(tmp_path, steps, kind):
    recipe = read(tmp_path, schedule={"kind": "onecycle"}, epochs=1, data={"batch": 1})
    plan = recipe.plan(steps)
    weights = [torch.nn.Parameter(torch.zeros(1))]
    made = {"adamw": torch.optim.AdamW, "sgd": lambda p: torch.optim.SGD(p, 1.0, momentum=0.9)}
    optimizer = made[kind](weights)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, steps)
    for step in range(steps):
        (group,) = optimizer.param_groups
        momentum = group["betas"][0] if kind == "adamw" else group["momentum"]
        assert 0.1 * plan.rate(step, steps) == pytest.approx(group["lr"], rel=1e-9)
        assert plan.momentum(step, steps) == pytest.approx(momentum, rel=1e-9)
        optimizer.step()
        schedule.step()


def test_other_schedules_keep_the_momentum(tmp_path):
    assert read(tmp_path).plan(10).momentum is None
    assert read(tmp_path).rate(3, 5) == 1


def test_epochs_of_the_command_line_stretch_the_schedule(tmp_path):
    recipe = read(tmp_path, epochs=120, schedule={"kind": "step", "every": 30})
    short = recipe.changed(4, amp=True)
    assert (short.epochs, short.schedule.every, short.training.amp) == (4, 1, True)
    assert recipe.changed(None, amp=False) == recipe
    assert [short.rate(step, 8) for step in range(8)] == pytest.approx(
        [1, 1, 0.1, 0.1, 0.01, 0.01, 1e-3, 1e-3]
    )


def test_steps_are_whole_batches(tmp_path):
    recipe = read(tmp_path)
    assert (recipe.steps(10), recipe.steps(10, 1), recipe.steps(1)) == (5, 2, 1)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_packaged_recipes_are_read(path):
    if "epochs" in yaml.safe_load(path.read_text()):
        assert read_recipe(path).epochs


def test_recipes_by_name_and_by_kind(tmp_path):
    for (model, data), name in PUBLISHED.items():
        assert find_recipe(model, data, "x", None) == FOLDER / f"{name}.yaml"
    assert find_recipe("any", "any", "segmentation", None) == FOLDER / "segmentation.yaml"
    assert find_recipe("any", "any", "x", "traffic_signs") == FOLDER / "traffic_signs.yaml"
    own = tmp_path / "own.yaml"
    own.touch()
    assert find_recipe("resnet18", "codan_day", "x", str(own)) == own
    with pytest.raises(PipelineError, match="no recipe 'none.yaml'; it is a YAML file or one of "
                                            "classification, refinenet_cityscapes"):  # fmt: skip
        find_recipe("any", "any", "segmentation", "none.yaml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"surprise": 1}, "surprise is no known key"),
        ({"images": {"crop": 5}}, "images.crop must be a list of 2 numbers"),
        ({"images": {"hue": 2}}, "images hue is from 0 to 0.5"),
        ({"schedule": {"kind": "step"}}, "`every` (epochs) belongs to kind: step"),
        ({"schedule": {"kind": "onecycle", "every": 3}}, "belongs to kind: step"),
        ({"optimiser": {"rate": 0}}, "needs rate > 0"),
        ({"data": {}}, "data.batch is missing"),
        ({"training": {"keep": 0}}, "are 1 or more"),
        ({"training": {"clip_norm": -1}}, "needs clip_norm > 0"),
    ],
)
def test_wrong_recipes(tmp_path, changes, message):
    with pytest.raises(PipelineError) as error:
        read(tmp_path, **changes)
    assert message in str(error.value)
    assert "r.yaml" in str(error.value)
