import numpy as np
import pytest
import torch
from PIL import Image

from tasks.resize import by_products, resize, resize_label

FILTERS = {"lanczos": Image.Resampling.LANCZOS, "bilinear": Image.Resampling.BILINEAR}


def as_batch(image):
    return torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize("size", [(37, 61), (200, 33), (512, 640)])
def test_eight_bit_resize_is_pillows(rng, filter, size):
    image = rng.integers(0, 256, (97, 113, 3), dtype=np.uint8)
    theirs = np.asarray(Image.fromarray(image).resize(size[::-1], FILTERS[filter]))
    ours = resize(as_batch(image), size, filter, True)
    by_products_too = by_products(as_batch(image) * 255, size, filter) / 255
    for levels in (ours * 255, by_products_too * 255):
        np.testing.assert_array_equal(levels.round()[0].permute(1, 2, 0).numpy(), theirs)


def test_float_resize_is_pillows_in_float(rng):
    image = rng.random((97, 113), dtype=np.float32)
    theirs = np.asarray(Image.fromarray(image).resize((61, 37), Image.Resampling.LANCZOS))
    batch = torch.from_numpy(image).expand(1, 3, -1, -1)
    ours = resize(batch, (37, 61), "lanczos", False)[0, 0].numpy()
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_same_size_is_left_alone(rng):
    image = torch.rand(1, 3, 8, 9)
    assert resize(image, (8, 9), "lanczos", True) is image


@pytest.mark.parametrize("size", [(512, 1024), (7, 5), (300, 300)])
def test_label_resize_is_pillows_nearest(rng, size):
    label = rng.integers(0, 19, (108, 192), dtype=np.uint8)
    theirs = np.asarray(Image.fromarray(label).resize(size[::-1], Image.Resampling.NEAREST))
    ours = resize_label(torch.from_numpy(label).long(), size).numpy()
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.shared
def test_protocol_resize_of_a_real_frame(shared):
    path = next((shared / "data/dark_zurich/rgb_anon").rglob("*.png"))
    image = Image.open(path).convert("RGB")
    theirs = np.asarray(image.resize((1024, 512), Image.Resampling.LANCZOS)).astype(int)
    ours = resize(as_batch(np.asarray(image).copy()), (512, 1024), "lanczos", True)
    np.testing.assert_array_equal((ours * 255).round()[0].permute(1, 2, 0).numpy(), theirs)
