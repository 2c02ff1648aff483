"""Item i depends on (seed, i) alone."""

import numpy as np
import pytest
import torch

from tasks.errors import TaskError
from tasks.labelled_augmentation import LabelledAugmentation
from tasks.labelled_sets import own_classification, own_segmentation
from tasks.labelled_stream import LabelledStream
from tasks.stream import batches

ALL = LabelledAugmentation(scale=(0.8, 1.2), crop=(12, 16), brightness=0.3, rotation=9.0)


@pytest.fixture
def streets(tmp_path, rng, save):
    """Five images of 20×24; void is 9."""
    for index in range(5):
        picture = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)
        label = rng.choice([0, 1, 9], (20, 24)).astype(np.uint8)
        save(tmp_path / f"images/{index}.png", picture)
        save(tmp_path / f"labels/{index}.png", label)
    (tmp_path / "classes.yaml").write_text("classes: [dark, light]\nignore: 9")
    return own_segmentation(tmp_path).train


def same(ours, theirs):
    pairs = zip(ours, theirs, strict=True)
    return all(torch.equal(a.image, b.image) and torch.equal(a.target, b.target) for a, b in pairs)


def test_neither_start_nor_workers_nor_ranks_change_a_sample(streets):
    stream = LabelledStream(streets, ALL, 12, seed=3)
    whole = list(batches(stream, batch=4, workers=0))
    assert [batch.index.tolist() for batch in whole] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert same(list(batches(stream, batch=4, workers=2)), whole)
    assert same(list(batches(stream, batch=4, workers=0, start=1)), whole[1:])
    halves = [list(batches(stream, batch=4, workers=0, rank=r, ranks=2)) for r in range(2)]
    for batch, *parts in zip(whole, *halves, strict=True):
        assert torch.equal(batch.image, torch.cat([part.image for part in parts]))
    other = LabelledStream(streets, ALL, 12, seed=4)
    assert not same(list(batches(other, batch=4, workers=0)), whole)


def test_every_epoch_has_every_image_once_in_another_order(streets):
    plain = LabelledAugmentation(flip=False)
    stream = LabelledStream(streets, plain, 20, seed=0)
    means = [stream[index].image.float().mean().item() for index in range(20)]
    epochs = [means[start : start + 5] for start in range(0, 20, 5)]
    assert len(set(means)) == 5
    assert all(sorted(epoch) == sorted(means[:5]) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_an_image_is_drawn_anew_in_every_epoch(streets):
    # Of one size whatever the epoch's order: the second draw of an image is another one.
    stream = LabelledStream(streets, LabelledAugmentation(crop=(12, 16)), 50, seed=0)
    seen = {}
    for index in range(50):
        epoch, place = divmod(index, 5)
        number = int(np.random.default_rng((0, epoch)).permutation(5)[place])
        seen.setdefault(number, []).append(stream[index].image)
    assert all(len({image.numpy().tobytes() for image in found}) > 5 for found in seen.values())


def test_void_is_255_and_the_callers_draws_are_left_alone(streets):
    stream = LabelledStream(streets, LabelledAugmentation(flip=False), 5, seed=0)
    before = torch.get_rng_state()
    item = stream[0]
    assert torch.equal(torch.get_rng_state(), before)
    number = int(np.random.default_rng((0, 0)).permutation(5)[0])
    stored = streets.read_target(streets.samples[number])
    expected = np.where(stored == 9, 255, stored)
    np.testing.assert_array_equal(item.target.numpy(), expected)
    assert item.image.dtype == item.target.dtype == torch.uint8
    assert type(item.target) is torch.Tensor


def test_classes_are_indices(tmp_path, save):
    for value, name in ((10, "b"), (200, "a")):
        save(tmp_path / name / "1.png", np.full((4, 4, 3), value, np.uint8))
    task = own_classification(tmp_path).train
    (batch,) = batches(LabelledStream(task, LabelledAugmentation(), 2, 0), batch=2, workers=0)
    assert (batch.image[:, 0, 0, 0] > 100).tolist() == (batch.target == 0).tolist()


def test_bad_images_are_named(streets, save, tmp_path):
    stream = LabelledStream(streets, LabelledAugmentation(crop=(30, 10)), 5, 0)
    with pytest.raises(TaskError, match=r"\d\.png: is 24x20, smaller than the crop 10x30"):
        stream[0]
    save(tmp_path / "labels/2.png", np.zeros((4, 4), np.uint8))
    stream = LabelledStream(streets, LabelledAugmentation(), 5, 0)
    with pytest.raises(TaskError, match=r"2\.png: is 4x4, its image is 24x20"):
        list(batches(stream, batch=5, workers=1))
    save(tmp_path / "images/2.png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(TaskError, match="cannot be joined in a batch"):
        list(batches(stream, batch=5, workers=0))
