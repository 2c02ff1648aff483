"""Streets and objects: repeatable, different from each other, darker by night."""

import numpy as np
import pytest

from tasks import cityscapes
from tasks.sample.classes import TrainId
from tasks.sample.layouts import Counts
from tasks.sample.night import night_object, night_street
from tasks.sample.objects import CLASSES, SIZE, object_image
from tasks.sample.street import street

SMALL = (64, 128)


def test_train_ids_have_the_names_of_cityscapes():
    names = [member.name.lower().replace("_", " ") for member in TrainId]
    assert names == [*cityscapes.CLASSES, "void"]
    assert [int(member) for member in TrainId] == [*range(19), cityscapes.VOID]


def test_same_street_twice_is_the_same_bytes():
    first, second = (street(3, "a", 5, SMALL) for _ in range(2))
    for name in ("day", "label", "depth", "glow"):
        assert np.array_equal(getattr(first, name), getattr(second, name))
    nights = [night_street(scene, 3, "a", 5) for scene in (first, second)]
    assert np.array_equal(*nights)


@pytest.mark.parametrize("other", [(3, "a", 6), (3, "b", 5), (4, "a", 5)])
def test_seed_split_and_index_each_make_another_street(other):
    assert not np.array_equal(street(3, "a", 5, SMALL).day, street(*other, SMALL).day)


def test_street_has_the_stated_shapes_and_types():
    scene = street(0, "a", 0)
    assert scene.day.shape == scene.glow.shape == (256, 512, 3)
    assert scene.label.shape == scene.depth.shape == (256, 512)
    assert scene.day.dtype == scene.label.dtype == scene.glow.dtype == np.uint8
    assert np.isfinite(scene.depth).all() and scene.depth.min() > 0


@pytest.mark.parametrize("split", ["darkzurich", "nighttime_driving"])
def test_every_class_occurs_and_no_other_label(split):
    scenes = [np.unique(street(0, split, i).label) for i in range(Counts().streets)]
    assert set(np.concatenate(scenes).tolist()) == {*range(19), cityscapes.VOID}
    assert sum(TrainId.TRAIN in present for present in scenes) >= 3


def test_street_nights_are_dark_but_not_black():
    scenes = [street(0, "darkness", i) for i in range(6)]
    means = [night_street(scene, 0, "darkness", i).mean() for i, scene in enumerate(scenes)]
    assert max(means) < 0.5 * min(scene.day.mean() for scene in scenes)
    assert 10 < np.mean(means) < 35


def test_objects_are_repeatable_and_differ():
    for name in CLASSES:
        image = object_image(name, 0, "a", 0)
        assert image.shape == (SIZE, SIZE, 3) and image.dtype == np.uint8
        assert np.array_equal(image, object_image(name, 0, "a", 0))
        assert not np.array_equal(image, object_image(name, 0, "a", 1))


def test_object_nights_are_dark():
    days = [object_image(name, 0, "a", 0) for name in CLASSES]
    nights = [night_object(day, 0, f"a/{name}", 0) for name, day in zip(CLASSES, days, strict=True)]
    assert 5 < np.mean(nights) < 0.3 * np.mean(days)
