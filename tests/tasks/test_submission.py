"""Archives for the test server: predictions, the format, and everything that may be wrong."""

import io
import zipfile

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from tasks import segmentation
from tasks.errors import TaskError
from tasks.evaluators import create_evaluator
from tasks.measurer import Record
from tasks.models import DownstreamModel, ModelInfo
from tasks.submission import Predictor, check_archive, write_archive

NAMES = ["GOPR0355_frame_000001_rgb_anon.png", "GOPR0364_frame_000002_rgb_anon.png"]
FOLDERS = ("labelTrainIds", "labelTrainIds_invalid", "confidence")


class Stripes(DownstreamModel):
    """19 logits that depend on the red channel, and void above all of them when `void_output`."""

    kind, num_outputs = "segmentation", 19

    def __init__(self, void_output=False):
        super().__init__(ModelInfo())
        self.void_output = void_output

    def forward(self, image):
        centres = torch.linspace(0, 1, 19).view(1, 19, 1, 1)
        logits = -8 * (image[:, :1] - centres).abs()
        return torch.cat([logits, logits[:, :1] * 0 + 9], 1) if self.void_output else logits


@pytest.fixture
def task(tmp_path, save):
    ramp = np.linspace(0, 255, 1920).astype(np.uint8)[None, :, None]
    picture = np.broadcast_to(ramp, (1080, 1920, 3))
    for name in NAMES:
        save(tmp_path / "rgb_anon/test/night" / name[:8] / name, picture)
    return segmentation.dark_zurich_test(tmp_path)


def predicted(model, task):
    predictor = Predictor(model, task)
    image = torch.linspace(0, 1, 1920).view(1, 1, 1, -1).expand(1, 3, 1080, -1)
    return [r for s in task.samples for r in predictor.measure(image, [s], [torch.empty(0)])]


def record(name, labels, confidence):
    return Record(f"x/{name[:-4]}", "test", predicted_map=labels, confidence=confidence)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A right archive of two images."""
    labels = np.arange(1920 * 1080, dtype=np.int64).reshape(1080, 1920) // 120000 % 19
    maps = labels.astype(np.uint8), np.full((1080, 1920), 65535, np.uint16)
    path = tmp_path_factory.mktemp("good") / "a.zip"
    write_archive(path, [record(name, *maps) for name in NAMES])
    return path


def test_predictions_are_the_protocols_enlarged_by_nearest_neighbour(task):
    model = Stripes()
    first = predicted(model, task)[0]
    assert first.predicted_map.shape == first.confidence.shape == (1080, 1920)
    assert (first.predicted_map.dtype, first.confidence.dtype) == (np.uint8, np.uint16)
    image = torch.linspace(0, 1, 1920).view(1, 1, 1, -1).expand(1, 3, 1080, -1)
    softmax = model(Predictor(model, task).chain(image)).softmax(1)[0].numpy()
    assert softmax.shape == (19, 512, 1024)
    rows = np.arange(1080) * 512 // 1080
    columns = np.arange(1920) * 1024 // 1920
    np.testing.assert_array_equal(first.predicted_map, softmax.argmax(0)[rows][:, columns])
    expected = (65535 * softmax.max(0)).astype(np.uint16)[rows][:, columns]
    np.testing.assert_array_equal(first.confidence, expected)


def test_void_is_never_predicted(task):
    plain, void = (predicted(Stripes(flag), task)[0] for flag in (False, True))
    np.testing.assert_array_equal(void.predicted_map, plain.predicted_map)
    assert (void.confidence < plain.confidence).all()


def test_the_task_is_not_scored_here(task):
    with pytest.raises(TaskError, match="no public labels; `pipeline submit` writes"):
        create_evaluator(Stripes(), task)
    with pytest.raises(TaskError, match="is 64x32; the server takes 1920x1080 only"):
        Predictor(Stripes(), task).measure(torch.rand(1, 3, 32, 64), task.samples[:1], [None])


def test_the_archive_in_the_servers_format(good):
    with zipfile.ZipFile(good) as archive:
        entries = archive.namelist()
        assert set(entries) == {f"{folder}/{name}" for folder in FOLDERS for name in NAMES}
        for entry in entries:
            image = cv2.imdecode(np.frombuffer(archive.read(entry), np.uint8), -1)
            assert image.shape == (1080, 1920)
            assert image.dtype == (np.uint16 if entry.startswith("confidence") else np.uint8)
        same = [archive.read(f"{folder}/{NAMES[0]}") for folder in FOLDERS[:2]]
        assert same[0] == same[1]
    assert list(check_archive(good, NAMES, official=2)) == []
    assert list(check_archive(good, None, official=2)) == []


def test_the_same_predictions_give_the_same_bytes(tmp_path, task):
    for name in "ab":
        write_archive(tmp_path / f"{name}.zip", predicted(Stripes(), task))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def png(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="PNG")
    return buffer.getvalue()


def changed(good, path, replaced):
    """The good archive with some entries replaced; None leaves one out."""
    with zipfile.ZipFile(good) as archive, zipfile.ZipFile(path, "w") as target:
        for entry in archive.namelist():
            if entry not in replaced:
                target.writestr(entry, archive.read(entry))
        for entry, content in replaced.items():
            if content is not None:
                target.writestr(entry, content)
    return path


LABEL, SURE = np.zeros((1080, 1920), np.uint8), np.zeros((1080, 1920), np.uint16)


@pytest.mark.parametrize(
    ("entry", "content", "problem"),
    [
        (f"labelTrainIds/{NAMES[0]}", None, "is missing"),
        (f"confidence/{NAMES[1]}", None, "is missing"),
        ("labelTrainIds/other.png", png(LABEL), "is no test image's"),
        (f"submission/labelTrainIds/{NAMES[0]}", png(LABEL), "is no test image's"),
        (f"labelTrainIds/{NAMES[0]}", b"text", "cannot be read as an image"),
        (f"labelTrainIds/{NAMES[0]}", png(LABEL)[:300], "cannot be read as an image"),
        (f"labelTrainIds/{NAMES[0]}", png(LABEL[:512, :1024]), "is 1024x512, not 1920x1080"),
        (f"labelTrainIds/{NAMES[0]}", png(LABEL + 19), "holds 19, which are no train ids"),
        (f"labelTrainIds/{NAMES[0]}", png(LABEL + 255), "holds 255, which are no train ids"),
        (f"labelTrainIds_invalid/{NAMES[0]}", png(LABEL + 254), "holds 254"),
        (f"labelTrainIds/{NAMES[0]}", png(np.dstack([LABEL] * 3)), "has mode RGB, not 8-bit grey"),
        (f"confidence/{NAMES[0]}", png(LABEL), "has mode L, not 16-bit grey"),
    ],
)
def test_every_problem_is_named(good, tmp_path, entry, content, problem):
    path = changed(good, tmp_path / "bad.zip", {entry: content})
    problems = list(check_archive(path, NAMES, official=2))
    assert len(problems) == 1
    assert problems[0].startswith(f"{entry}: ") and problem in problems[0]


def test_several_problems_give_several_lines(good, tmp_path):
    bad = {f"labelTrainIds/{NAMES[0]}": png(LABEL + 40), f"confidence/{NAMES[1]}": None}
    path = changed(good, tmp_path / "bad.zip", bad)
    assert len(list(check_archive(path, NAMES, official=2))) == 2
    assert "2 images, the official test split has 151" in list(check_archive(path, NAMES, 151))


def test_invalid_pixels_are_allowed_in_their_folder(good, tmp_path):
    invalid = {f"labelTrainIds_invalid/{NAMES[0]}": png(LABEL + 255)}
    path = changed(good, tmp_path / "invalid.zip", invalid)
    assert list(check_archive(path, NAMES, official=2)) == []


def test_what_is_no_archive(tmp_path):
    (tmp_path / "text.zip").write_text("x")
    for name in ("text.zip", "none.zip"):
        with pytest.raises(TaskError, match=f"{name}: cannot be read as a zip"):
            list(check_archive(tmp_path / name, None, 151))
