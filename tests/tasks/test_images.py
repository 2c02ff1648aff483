import struct

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from tasks.errors import TaskError
from tasks.images import image_files, read_image, read_label, read_rgb

DEEP = ["rgb.png", "rgba.png", "grey.png", "rgb.tif", "rgba.tif", "grey.tif", "rgb.ppm"]


@pytest.fixture
def deep(rng):
    """(6, 9, 3) uint16; neighbours in a row differ by one level, which 8 bits would merge."""
    rows = rng.integers(0, 65536 - 9, (6, 1, 3), dtype=np.uint16)
    return rows + np.arange(9, dtype=np.uint16)[None, :, None]


def write_planar(path, array):
    """A little-endian TIFF of (H, W, 3) uint16, channel after channel (PlanarConfiguration 2)."""
    height, width = array.shape[:2]
    size, data = 2 * height * width, array.transpose(2, 0, 1).astype("<u2").tobytes()
    start = 8 + 2 + 10 * 12 + 4
    bits, offsets, counts = start, start + 6, start + 18
    short, long = 3, 4
    entries = [
        (256, long, 1, width), (257, long, 1, height), (258, short, 3, bits), (259, short, 1, 1),
        (262, short, 1, 2), (273, long, 3, offsets), (277, short, 1, 3), (278, long, 1, height),
        (279, long, 3, counts), (284, short, 1, 2),
    ]  # fmt: skip
    strips = [start + 30 + size * channel for channel in range(3)]
    path.write_bytes(
        struct.pack("<2sHIH", b"II", 42, 8, len(entries))
        + b"".join(struct.pack("<HHII", *entry) for entry in entries)
        + struct.pack("<I3H3I3I", 0, 16, 16, 16, *strips, size, size, size)
        + data
    )


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
    for read in (read_rgb, read_image):
        with pytest.raises(TaskError, match="32-bit pixels of unknown range"):
            read(path)


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
    (tmp_path / "._b.png").write_bytes(b"what macOS adds to an archive")
    assert [path.name for path in image_files(tmp_path)] == ["a.JPG", "b.png"]
    save(tmp_path / "a.png", np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(TaskError, match="shares its name"):
        image_files(tmp_path)


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "1", "CMYK"])
def test_eight_bits_are_the_levels_of_read_rgb(tmp_path, rng, mode):
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)).convert(mode).save(path)
    image = read_image(path)
    assert (image.bits, image.icc, image.rgb.dtype) == (8, None, np.float32)
    assert image.rgb.max() <= 1
    np.testing.assert_array_equal(np.rint(image.rgb * 255), read_rgb(path))


@pytest.mark.parametrize("name", DEEP)
def test_sixteen_bits_are_read_in_full(tmp_path, deep, name):
    path = tmp_path / name
    grey, alpha = name.startswith("grey"), name.startswith("rgba")
    stored = deep[..., 0] if grey else deep[..., ::-1]
    if alpha:
        stored = np.dstack([stored, np.full(deep.shape[:2], 1000, np.uint16)])
    assert cv2.imwrite(str(path), stored)
    image = read_image(path)
    assert (image.bits, image.rgb.dtype, image.rgb.shape) == (16, np.float32, deep.shape)
    expected = np.repeat(deep[..., :1], 3, axis=2) if grey else deep
    np.testing.assert_array_equal(np.rint(image.rgb.astype(float) * 65535), expected)
    assert image.rgb.max() <= 1


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (3, lambda a: np.rot90(a, 2)),
        (5, lambda a: a.swapaxes(0, 1)),
        (6, lambda a: np.rot90(a, -1)),
        (8, lambda a: np.rot90(a)),
    ],
)
def test_grey_images_are_upright(tmp_path, deep, suffix, bits, orientation, upright):
    path = tmp_path / f"turned.{suffix}"
    grey = (deep[..., 0] >> (16 - bits)).astype(f"uint{bits}")
    stored = Image.fromarray(grey)
    exif = stored.getexif()
    exif[0x0112] = orientation
    stored.save(path, exif=exif)
    image = read_image(path)
    assert image.bits == bits
    levels = np.rint(image.rgb * (2**bits - 1))
    np.testing.assert_array_equal(levels, np.dstack([upright(grey)] * 3))


def test_a_layout_that_the_decoders_do_not_know_is_refused(tmp_path, rng):
    path = tmp_path / "planar.tif"
    write_planar(path, rng.integers(0, 65536, (6, 9, 3), dtype=np.uint16))
    with pytest.raises(TaskError, match=r"planar\.tif: stores 16 bits in a way"):
        read_image(path)


@pytest.mark.parametrize("content", [b"", b"not an image", None])
def test_read_image_names_a_broken_file(tmp_path, rng, content):
    path = tmp_path / "bad.png"
    cv2.imwrite(str(path), rng.integers(0, 65536, (60, 60, 3), dtype=np.uint16))
    path.write_bytes(path.read_bytes()[:2000] if content is None else content)
    with pytest.raises(TaskError, match=r"bad\.png: cannot be read as an image"):
        read_image(path)


def test_the_first_page_is_read(tmp_path):
    path = tmp_path / "pages.tif"
    first, second = Image.new("RGB", (4, 4), (255, 0, 0)), Image.new("RGB", (6, 6))
    first.save(path, save_all=True, append_images=[second])
    np.testing.assert_array_equal(read_image(path).rgb, np.full((4, 4, 3), (1.0, 0, 0)))


def test_a_profile_is_kept_if_it_is_of_rgb(tmp_path):
    rgb, lab = (
        ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()
        for space in ("sRGB", "LAB")
    )
    image = Image.new("RGB", (4, 4))
    image.save(tmp_path / "rgb.jpg", icc_profile=rgb)
    image.save(tmp_path / "other.jpg", icc_profile=lab)
    assert read_image(tmp_path / "rgb.jpg").icc == rgb
    assert read_image(tmp_path / "other.jpg").icc is None
