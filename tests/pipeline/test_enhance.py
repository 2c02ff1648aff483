"""`pipeline enhance`: what is written where, what is refused before any work, and bad files."""

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from enhancers.baselines import Gamma
from pipeline import create_enhancer
from pipeline.cli import main
from tasks.images import read_rgb


@pytest.fixture
def picture(rng):
    return rng.integers(0, 90, (24, 33, 3), dtype=np.uint8)


@pytest.fixture
def photos(tmp_path, picture, save):
    """Two images, one of them in a subfolder."""
    for name in ("a.png", "night/b.png"):
        save(tmp_path / "photos" / name, picture)
    return tmp_path / "photos"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def enhance(out):
    def run(*inputs, enhancer="identity", to=out, more=()):
        return main(["enhance", *map(str, inputs), "--enhancer", enhancer, "--out", str(to), *more])

    return run


def written(folder):
    """Everything below a folder, hidden files too."""
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def refusal(capsys):
    """The one line of stderr."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("pipeline: error: ")
    return lines[0]


def levels16(path):
    """(H, W, 3) uint16, RGB."""
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., ::-1]


# What is written


def test_a_folder_keeps_paths_stems_and_pixels(enhance, photos, picture, out, capsys):
    for name in (".hidden.png", ".cache/c.png", "readme.txt"):
        (photos / name).parent.mkdir(exist_ok=True)
        (photos / name).write_bytes((photos / "a.png").read_bytes())
    Image.fromarray(picture).save(photos / "night" / "d.day.JPG", quality=90)
    assert enhance(photos) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"3 images enhanced into {out}, median ")
    assert said.err == ""
    assert written(out) == ["a.png", "night/b.png", "night/d.day.png"]
    np.testing.assert_array_equal(np.asarray(Image.open(out / "night/b.png")), picture)
    jpeg = read_rgb(photos / "night" / "d.day.JPG")
    np.testing.assert_array_equal(np.asarray(Image.open(out / "night/d.day.png")), jpeg)


def test_a_named_file_is_tried_whatever_its_suffix(enhance, tmp_path, picture, out, capsys):
    Image.fromarray(picture).save(tmp_path / ".a.gif")
    assert enhance(tmp_path / ".a.gif") == 0
    assert "1 image enhanced" in capsys.readouterr().out
    np.testing.assert_array_equal(read_rgb(out / ".a.png"), read_rgb(tmp_path / ".a.gif"))


def test_the_current_folder(enhance, photos, out, monkeypatch):
    monkeypatch.chdir(photos)
    assert enhance(".") == 0
    assert written(out) == ["a.png", "night/b.png"]


def test_sixteen_bits_stay_bit_exact(enhance, tmp_path, out):
    deep = (30000 + np.arange(20 * 24 * 3, dtype=np.uint16)).reshape(20, 24, 3)
    cv2.imwrite(str(tmp_path / "deep.tif"), deep[..., ::-1])
    cv2.imwrite(str(tmp_path / "grey.png"), deep[..., 0])
    assert enhance(tmp_path / "deep.tif", tmp_path / "grey.png") == 0
    assert levels16(out / "deep.png").dtype == np.uint16
    np.testing.assert_array_equal(levels16(out / "deep.png"), deep)
    np.testing.assert_array_equal(levels16(out / "grey.png"), np.repeat(deep[..., :1], 3, 2))


@pytest.mark.parametrize("bits", [8, 16])
def test_levels_are_rounded_to_nearest(enhance, tmp_path, rng, out, bits):
    top = 2**bits - 1
    stored = rng.integers(0, top + 1, (20, 24, 3)).astype(f"uint{bits}")
    cv2.imwrite(str(tmp_path / "a.png"), stored[..., ::-1])
    assert enhance(tmp_path / "a.png", enhancer="gamma@0.6") == 0
    exact = top * (stored / top) ** 0.6
    # float32 may fall on the other side of a tie.
    assert np.abs(levels16(out / "a.png") - exact).max() < 0.51


@pytest.mark.parametrize("name", ["clahe", "sci@ours-sample"])
def test_the_pixels_are_the_enhancers(enhance, photos, picture, out, name):
    assert enhance(photos, enhancer=name) == 0
    image = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        expected = create_enhancer(name)(image)[0].mul(255).round().byte().permute(1, 2, 0)
    np.testing.assert_array_equal(read_rgb(out / "night/b.png"), expected.numpy())
    assert not torch.equal(expected, torch.from_numpy(picture))


def test_exif_turns_the_image_and_is_gone(enhance, tmp_path, out):
    image = Image.new("RGB", (40, 20))
    image.paste((200, 0, 0), (0, 0, 20, 20))
    exif = image.getexif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    image.save(tmp_path / "turned.png", exif=exif)
    assert enhance(tmp_path / "turned.png") == 0
    upright = Image.open(out / "turned.png")
    assert upright.size == (20, 40)
    assert upright.getpixel((10, 5)) == (200, 0, 0)
    assert not upright.getexif()


def test_transparency_is_dropped_and_grey_gets_colour(enhance, tmp_path, picture, out, save):
    save(tmp_path / "alpha.png", np.dstack([picture, picture[..., 0]]))
    save(tmp_path / "grey.png", picture[..., 0])
    assert enhance(tmp_path / "alpha.png", tmp_path / "grey.png") == 0
    assert Image.open(out / "grey.png").mode == Image.open(out / "alpha.png").mode == "RGB"
    np.testing.assert_array_equal(read_rgb(out / "alpha.png"), picture)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_colour_profile_is_kept(enhance, tmp_path, out, dtype):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (20, 20), (9, 8, 7)).save(tmp_path / "a.tif", icc_profile=profile)
    if dtype == np.uint16:
        # Pillow writes no 16-bit colour: 16-bit grey under a profile of RGB does as well.
        grey = Image.fromarray(np.full((20, 20), 777, dtype))
        grey.save(tmp_path / "a.tif", icc_profile=profile)
    assert enhance(tmp_path / "a.tif") == 0
    image = Image.open(out / "a.png")
    image.load()
    assert image.info["icc_profile"] == profile
    assert levels16(out / "a.png").dtype == dtype


# Bad files


def test_bad_files_cost_a_line_each_and_not_the_others(enhance, photos, rng, save, out, capsys):
    noise = rng.integers(0, 256, (60, 60, 3), dtype=np.uint8)
    jpeg = save(photos / "cut.jpg", noise)
    jpeg.write_bytes(jpeg.read_bytes()[:1500])
    (photos / "empty.png").write_bytes(b"")
    (photos / "folder.png").mkdir()
    (photos / "link.png").symlink_to("nowhere.png")
    save(photos / "one.png", noise[:1, :1])
    (photos / "text.png").write_text("hello")
    assert enhance(photos) == 2
    said = capsys.readouterr()
    assert said.out.startswith("2 images enhanced into ")
    *lines, last = said.err.splitlines()
    expected = {
        "cut.jpg": "cannot be read as an image",
        "empty.png": "cannot be read as an image",
        "folder.png": "is a folder, not an image",
        "link.png": "no such file",
        "one.png": "needs 16 pixels a side",
        "text.png": "cannot be read as an image",
    }
    assert len(lines) == len(expected)
    for line, (name, reason) in zip(lines, expected.items(), strict=True):
        assert line.startswith(f"pipeline: not enhanced: {photos / name}: ")
        assert reason in line
    assert last == "pipeline: error: 6 of 8 images could not be enhanced"
    assert written(out) == ["a.png", "night/b.png"]


def test_nothing_but_bad_files(enhance, tmp_path, capsys):
    (tmp_path / "text.png").write_text("hello")
    assert enhance(tmp_path / "text.png") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith("pipeline: error: 1 of 1 images could not be enhanced\n")


@pytest.mark.parametrize(
    ("fail", "reason"),
    [
        (lambda image: torch.empty(1 << 50), "is too large for the memory there is"),
        (lambda image: np.empty(1 << 50), "is too large for the memory there is"),
        (lambda image: image / 0, "must be finite and in [0, 1]"),
        (lambda image: image[..., 1:], "it must keep (B, 3, H, W)"),
    ],
)
def test_what_goes_wrong_with_one_image(enhance, photos, out, capsys, monkeypatch, fail, reason):
    calls = iter([fail])
    monkeypatch.setattr(Gamma, "enhance", lambda self, image: next(calls, torch.clone)(image))
    assert enhance(photos, enhancer="gamma@0.6") == 2
    first, last = capsys.readouterr().err.splitlines()
    assert f"{photos / 'a.png'}: " in first
    assert reason in first
    assert "1 of 2 images" in last
    assert written(out) == ["night/b.png"]


def test_a_bug_is_not_taken_for_a_bad_file(enhance, photos, monkeypatch):
    monkeypatch.setattr(Gamma, "enhance", lambda self, image: image @ image)
    with pytest.raises(RuntimeError, match="batch2"):
        enhance(photos, enhancer="gamma@0.6")


# What is refused before any work


def test_two_images_that_would_become_one_file(enhance, photos, tmp_path, picture, save, capsys):
    save(photos / "night/b.jpg", picture)
    assert enhance(photos) == 2
    line = refusal(capsys)
    assert f"{photos / 'night/b.jpg'} and {photos / 'night/b.png'} would both become" in line
    save(tmp_path / "other/a.bmp", picture)
    assert enhance(photos / "a.png", tmp_path / "other") == 2
    assert "a.bmp would both become" in refusal(capsys)


def test_a_file_that_is_named_twice_is_enhanced_once(enhance, photos, capsys, monkeypatch):
    monkeypatch.chdir(photos)
    assert enhance("a.png", photos / "a.png") == 0
    assert "1 image enhanced" in capsys.readouterr().out


def test_existing_files_are_replaced_only_when_asked(enhance, photos, picture, out, capsys):
    assert enhance(photos, enhancer="gamma@0.5") == 0
    before = [(out / name).read_bytes() for name in written(out)]
    capsys.readouterr()
    assert enhance(photos) == 2
    assert f"{out / 'a.png'}: is there already (and 1 more); --overwrite" in refusal(capsys)
    assert [(out / name).read_bytes() for name in written(out)] == before
    assert enhance(photos, more=["--overwrite"]) == 0
    np.testing.assert_array_equal(read_rgb(out / "night/b.png"), picture)


def test_the_output_is_no_input(enhance, photos, capsys):
    before = (photos / "a.png").read_bytes()
    for to in (photos, photos / "night", photos / "new"):
        assert enhance(photos, to=to, more=["--overwrite"], enhancer="gamma@0.5") == 2
        assert f"{to}: lies in the input folder {photos}" in refusal(capsys)
    assert not (photos / "new").exists()
    assert enhance(photos / "a.png", to=photos, more=["--overwrite"], enhancer="gamma@0.5") == 2
    assert "a.png: is an input itself" in refusal(capsys)
    assert (photos / "a.png").read_bytes() == before


def test_a_hidden_folder_of_the_input_is_no_input(enhance, photos):
    for _ in range(2):
        assert enhance(photos, to=photos / ".out", more=["--overwrite"]) == 0
    assert written(photos / ".out") == ["a.png", "night/b.png"]


def test_missing_and_empty_inputs(enhance, photos, tmp_path, out, capsys):
    assert enhance(photos, tmp_path / "none") == 2
    assert f"{tmp_path / 'none'}: no such file or folder" in refusal(capsys)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/readme.txt").write_text("hello")
    assert enhance(photos, tmp_path / "empty") == 2
    assert f"{tmp_path / 'empty'}: no images (" in refusal(capsys)
    assert not out.exists()


@pytest.mark.parametrize("place", ["out", "out/night", "out/night/b.png"])
def test_something_in_the_place_of_the_output(enhance, photos, tmp_path, capsys, place):
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir() if path.suffix else path.write_text("in the way")
    assert enhance(photos, more=["--overwrite"]) == 2
    line = refusal(capsys)
    assert "cannot be written" in line or "b.png: is a folder" in line
    assert not (tmp_path / "out/a.png").exists()


@pytest.mark.parametrize("option", ["--out", "--enhancer"])
def test_an_empty_argument_is_no_default(photos, capsys, option):
    with pytest.raises(SystemExit) as stopped:
        main(["enhance", str(photos), "--enhancer", "identity", "--out", "x", option, ""])
    assert stopped.value.code == 2
    assert f"{option}: is empty; a variable that is not set?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("enhancer", "more", "message"),
    [
        ("scii", (), "did you mean sci"),
        ("sci@nowhere.pt", (), "neither a weights name nor a file"),
        ("identity", ("--device", "cuda:99"), "device 'cuda:99' cannot be used"),
    ],
)
def test_wrong_enhancer_and_device(enhance, photos, out, capsys, enhancer, more, message):
    assert enhance(photos, enhancer=enhancer, more=more) == 2
    assert message in refusal(capsys)
    assert not out.exists()
