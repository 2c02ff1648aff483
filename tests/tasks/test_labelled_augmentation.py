"""Augmentation: image and label stay together, and what is drawn is what was asked for."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2
from torchvision.tv_tensors import Mask

from tasks.errors import TaskError
from tasks.labelled_augmentation import IMAGENET_MEAN, LabelledAugmentation


def halves(height=40, width=60):
    """An image whose right half is white, and its label with 1 there."""
    label = torch.zeros(height, width, dtype=torch.uint8)
    label[:, width // 2 :] = 1
    return (label.numpy() * 255)[..., None].repeat(3, -1), label


def drawn(options, image, label):
    picture, label = options.resized(image, label)
    picture, mask = options.transform()(picture, Mask(label))
    return np.asarray(picture), mask.as_subclass(torch.Tensor).numpy()


@pytest.mark.parametrize(
    "changes",
    [
        {"scale": (0.4, 0.9), "crop": (30, 40)},
        {"scale": (1.1, 2.0)},
        {"rotation": 20.0},
        {"resize": (64, 32), "crop": (20, 20)},
        {"resize": (64, 32), "filter": "lanczos"},
    ],
)
def test_labels_stay_with_their_pixels(changes):
    for seed in range(12):
        torch.manual_seed(seed)
        image, label = drawn(LabelledAugmentation(**changes), *halves())
        assert image.shape[:2] == label.shape
        known = label != 255
        # Where the halves meet a pixel is mixed: at most one in a row is not as its label says.
        wrong = ((image[..., 0] > 127) != (label == 1)) & known
        assert wrong.sum(1).max() <= 1


def test_what_scaling_leaves_open_is_void(monkeypatch):
    image, label = drawn(
        LabelledAugmentation(scale=(0.5, 0.5), crop=(40, 60), flip=False), *halves()
    )
    assert (label != 255).sum() <= 20 * 30
    assert (image[label == 255] == IMAGENET_MEAN).all()


def test_lanczos_and_nearest_are_pillows(rng):
    image = rng.integers(0, 256, (51, 73, 3), dtype=np.uint8)
    label = rng.integers(0, 19, (51, 73), dtype=np.uint8)
    options = LabelledAugmentation(resize=(23, 31), filter="lanczos", flip=False)
    ours, ids = drawn(options, image, torch.from_numpy(label))
    expected = Image.fromarray(image).resize((31, 23), Image.Resampling.LANCZOS)
    nearest = Image.fromarray(label).resize((31, 23), Image.Resampling.NEAREST)
    np.testing.assert_array_equal(ours, np.asarray(expected))
    np.testing.assert_array_equal(ids, np.asarray(nearest))


def test_codans_published_recipe(rng):
    """Flip, jitter, rotation and crop, drawn one by one in that order."""
    image = rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)
    jitter = dict.fromkeys(("brightness", "contrast", "saturation", "hue"), 0.3)
    options = LabelledAugmentation(crop=(24, 24), rotation=20.0, **jitter)
    picture, _ = options.resized(image, torch.tensor(3))
    torch.manual_seed(5)
    ours = options.transform()(picture)
    torch.manual_seed(5)
    expected = v2.RandomCrop(24)(Image.fromarray(image))
    expected = v2.RandomHorizontalFlip()(expected)
    expected = v2.ColorJitter(0.3, 0.3, 0.3, 0.3)(expected)
    expected = v2.RandomRotation(20, v2.InterpolationMode.BICUBIC)(expected)
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(expected))
    assert not np.array_equal(np.asarray(ours), image)


def test_nothing_is_done_where_nothing_is_asked_for(rng):
    image, label = halves()
    ours, ids = drawn(LabelledAugmentation(flip=False), image, label)
    np.testing.assert_array_equal(ours, image)
    np.testing.assert_array_equal(ids, label.numpy())


def test_flips_are_even():
    options = LabelledAugmentation()
    flipped = [drawn(options, *halves())[1][0, 0] for _ in range(200)]
    assert 70 < sum(flipped) < 130


def test_an_image_smaller_than_the_crop():
    with pytest.raises(TaskError, match="is 60x40, smaller than the crop 64x30"):
        LabelledAugmentation(crop=(30, 64), scale=(1.0, 2.0)).resized(*halves())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"crop": (0, 5)}, "at least 1 pixel"),
        ({"scale": (1.3, 0.7)}, "smaller one first"),
        ({"hue": 0.6}, "hue is from 0 to 0.5"),
        ({"contrast": -1.0}, "not negative"),
    ],
)
def test_wrong_values(values, message):
    with pytest.raises(TaskError, match=message):
        LabelledAugmentation(**values)
