import mmap
from types import SimpleNamespace

import numpy as np
import pytest

from tasks import decoded
from tasks.decoded import Images
from tasks.errors import TaskError


@pytest.fixture
def picture(tmp_path, rng, save):
    pixels = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    return save(tmp_path / "a.png", pixels), pixels


@pytest.fixture
def reads(monkeypatch):
    """The files that were decoded."""
    paths = []
    original = decoded.read_rgb
    monkeypatch.setattr(decoded, "read_rgb", lambda path: paths.append(path) or original(path))
    return paths


def test_an_image_is_decoded_once(picture, reads):
    path, pixels = picture
    images = Images()
    for _ in range(3):
        np.testing.assert_array_equal(images(path), pixels)
    assert reads == [path]


def test_what_exceeds_the_budget_is_decoded_again(picture, reads, save, tmp_path):
    path, pixels = picture
    other = save(tmp_path / "b.png", pixels[::-1])
    images = Images(budget=pixels.nbytes)
    for file, expected in ((path, pixels), (other, pixels[::-1])) * 2:
        np.testing.assert_array_equal(images(file), expected)
    assert reads == [path, other, other]


def test_workers_share_the_budget(picture, reads, monkeypatch):
    path, pixels = picture
    monkeypatch.setattr(decoded, "get_worker_info", lambda: SimpleNamespace(num_workers=2))
    images, larger = Images(budget=pixels.nbytes), Images(budget=2 * pixels.nbytes)
    images(path), images(path)
    assert len(reads) == 2
    larger(path), larger(path)
    assert len(reads) == 3


def test_arrays_are_bgr(tmp_path, picture):
    _, pixels = picture
    np.save(tmp_path / "a.npy", pixels[..., ::-1])
    np.testing.assert_array_equal(Images()(tmp_path / "a.npy"), pixels)


def test_arrays_are_mapped_instead_of_read(tmp_path, picture):
    np.save(tmp_path / "a.npy", picture[1])
    memory = Images()(tmp_path / "a.npy")
    while isinstance(memory, np.ndarray):
        memory = memory.base
    assert isinstance(memory, mmap.mmap)


@pytest.mark.parametrize("kind", ["png", "npy"])
def test_whole_images_are_resized_once(tmp_path, save, kind, reads):
    # A ramp over the columns, and stripes over the rows that only their mean survives.
    row, column = np.mgrid[:40, :60]
    pixels = (3 * column + 60 * (row % 2)).astype(np.uint8)[..., None].repeat(3, 2)
    path = tmp_path / f"ramp.{kind}"
    np.save(path, pixels) if kind == "npy" else save(path, pixels)
    images = Images(side=20)
    small = images(path)
    assert small.shape == (20, 20, 3) and small.dtype == np.uint8
    np.testing.assert_allclose(small[5, 2:-2, 0], 3 * column[0, 7:-6:3] + 30, atol=10)
    assert images(path) is small
    assert len(reads) == (kind == "png")


@pytest.mark.parametrize(
    "content, message",
    [
        (np.zeros((4, 5, 3), np.float32), "holds 4×5×3 float32, expected H×W×3 uint8"),
        (np.zeros((4, 5), np.uint8), "holds 4×5 uint8"),
        (np.array([{"a": 1}]), "cannot be read as an array"),
    ],
)
def test_arrays_of_another_kind_are_refused(tmp_path, content, message):
    np.save(tmp_path / "a.npy", content, allow_pickle=True)
    with pytest.raises(TaskError, match=message):
        Images()(tmp_path / "a.npy")


@pytest.mark.parametrize("length", [0, 4, 140])
def test_a_truncated_array_is_refused(tmp_path, length):
    np.save(tmp_path / "a.npy", np.zeros((4, 5, 3), np.uint8))
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:length])
    with pytest.raises(TaskError, match=r"a.npy: cannot be read as an array \(.*\)$"):
        Images()(tmp_path / "a.npy")


def test_a_missing_array_is_refused(tmp_path):
    with pytest.raises(TaskError, match="a.npy: no such file"):
        Images()(tmp_path / "a.npy")
