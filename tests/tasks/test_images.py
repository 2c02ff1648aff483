import numpy as np
import pytest
from PIL import Image

from tasks.errors import TaskError
from tasks.images import image_files, read_label, read_rgb


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1"])
def test_every_mode_becomes_rgb(tmp_path, rng, mode):
    array = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    path = tmp_path / "a.png"
    Image.fromarray(array).convert(mode).save(path)
    image = read_rgb(path)
    assert image.shape == (5, 7, 3)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, np.asarray(Image.open(path).convert("RGB")))


@pytest.mark.parametrize("levels", [[0, 256, 65535], [0, 255, 256]])
def test_sixteen_bits_keep_the_upper_eight_whatever_the_content(tmp_path, levels):
    path = tmp_path / "deep.png"
    Image.fromarray(np.array([levels], dtype=np.uint16)).save(path)
    np.testing.assert_array_equal(read_rgb(path)[0, :, 0], np.array(levels) >> 8)


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_pixels_of_unknown_range_are_refused(tmp_path, dtype):
    path = tmp_path / "odd.tiff"
    Image.fromarray(np.ones((3, 3), dtype)).save(path)
    with pytest.raises(TaskError, match="32-bit pixels of unknown range"):
        read_rgb(path)


def test_exif_orientation_is_honoured(tmp_path):
    path = tmp_path / "turned.jpg"
    image = Image.new("RGB", (8, 4))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(path, exif=exif)
    assert read_rgb(path).shape == (8, 4, 3)


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n broken"])
def test_unreadable_file_is_named(tmp_path, content):
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(TaskError, match=r"bad\.png: cannot be read as an image"):
        read_rgb(path)


def test_truncated_image_is_named(tmp_path, rng, save):
    path = save(tmp_path / "cut.png", rng.integers(0, 256, (60, 60, 3), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(TaskError, match=r"cut\.png: cannot be read"):
        read_rgb(path)


def test_missing_file_and_folder_are_named(tmp_path):
    with pytest.raises(TaskError, match="no such file"):
        read_rgb(tmp_path / "none.png")
    with pytest.raises(TaskError, match="is a folder"):
        read_rgb(tmp_path)


def test_label_keeps_ids_of_a_palette_image(tmp_path):
    label = Image.new("P", (2, 2))
    label.putdata([0, 3, 7, 255])
    label.putpalette([i // 3 for i in range(768)])
    label.save(tmp_path / "p.png")
    np.testing.assert_array_equal(read_label(tmp_path / "p.png"), [[0, 3], [7, 255]])


def test_a_colour_label_is_refused(tmp_path, save):
    path = save(tmp_path / "colour.png", np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(TaskError, match="one 8-bit channel"):
        read_label(path)


def test_image_files_are_sorted_and_unambiguous(tmp_path, save):
    for name in ("b.png", "a.JPG", "notes.txt"):
        save(tmp_path / name, np.zeros((2, 2, 3), np.uint8)) if name != "notes.txt" else (
            tmp_path / name
        ).write_text("x")
    assert [path.name for path in image_files(tmp_path)] == ["a.JPG", "b.png"]
    save(tmp_path / "a.png", np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(TaskError, match="shares its name"):
        image_files(tmp_path)
