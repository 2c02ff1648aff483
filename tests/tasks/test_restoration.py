import numpy as np
import pytest
import torch

from tasks import check, quality, restoration
from tasks.errors import TaskError
from tasks.images import read_rgb


@pytest.fixture
def lol(tmp_path, rng, save):
    for name in ("1", "22"):
        high = rng.integers(0, 256, (40, 32, 3), dtype=np.uint8)
        save(tmp_path / f"eval15/high/{name}.png", high)
        save(tmp_path / f"eval15/low/{name}.png", high // 8)
    return tmp_path


def measure(task, enhance, targets=None):
    evaluator = restoration.RestorationEvaluator(None, task)
    records = []
    for index, sample in enumerate(task.samples):
        image = torch.from_numpy(read_rgb(sample.image).copy()).permute(2, 0, 1)[None] / 255
        target = evaluator.read_target(sample) if targets is None else targets[index]
        records += evaluator.measure(enhance(image), [sample], [target])
    return evaluator, records


def test_scores_are_means_over_images(lol):
    task = restoration.lol(lol)
    assert [sample.id for sample in task.samples] == ["eval15/low/1", "eval15/low/22"]
    evaluator, records = measure(task, lambda image: image)
    for sample, record in zip(task.samples, records, strict=True):
        low, high = (read_rgb(path) / 255 for path in (sample.image, sample.target))
        assert record.values["PSNR"] == pytest.approx(quality.psnr(low, high), abs=1e-5)
        assert record.values["SSIM"] == pytest.approx(quality.ssim(low, high), abs=1e-6)
    scores = dict(evaluator.run(records))
    assert list(scores) == ["eval15/PSNR", "eval15/SSIM", "eval15/SSIM_gauss"]
    assert scores["eval15/PSNR"] == pytest.approx(np.mean([r.values["PSNR"] for r in records]))
    twice = evaluator.scores(records, np.array([[2, 0]]))["SSIM"]
    assert twice == pytest.approx([records[0].values["SSIM"]])
    assert "LPIPS is left out" in evaluator.notes[0]


@pytest.mark.parametrize(
    ("protocol", "level"), [("round", 101), ("truncate", 100), ("float", 100.6)]
)
def test_eight_bit_rules(lol, protocol, level):
    task = restoration.lol(lol, protocol)
    _, (record, _) = measure(task, lambda image: torch.full_like(image, 100.6 / 255))
    truth = read_rgb(task.samples[0].target) / 255
    expected = quality.psnr(np.full_like(truth, level / 255), truth)
    assert record.values["PSNR"] == pytest.approx(expected, abs=1e-4)


def test_brightness_is_matched_only_where_the_protocol_says_so(lol):
    enhance = lambda image: image * 3  # noqa: E731
    _, plain = measure(restoration.lol(lol), enhance)
    _, matched = measure(restoration.lol(lol, "gt-mean"), enhance)
    assert matched[0].values["PSNR"] > plain[0].values["PSNR"] + 3


def test_pairs_of_different_size_are_named(lol, save):
    save(lol / "eval15/high/1.png", np.zeros((44, 32, 3), np.uint8))
    task = restoration.lol(lol)
    with pytest.raises(TaskError, match=r"high/1\.png: is 32x44, its image is 32x40"):
        measure(task, lambda image: image)
    assert any("is 32x44" in line for line in check.check(task).problems)


def test_layouts(lol, tmp_path):
    with pytest.raises(TaskError, match="has no eval15/"):
        restoration.lol(tmp_path / "eval15")
    own = restoration.folder(lol / "eval15")
    assert own.splits == ["eval15"]
    assert own.name == f"restoration:{lol / 'eval15'}"
    (lol / "eval15/high/22.png").unlink()
    with pytest.raises(TaskError, match="1 files have no partner.*: 22"):
        restoration.folder(lol / "eval15")


def test_images_too_small_for_lpips_leave_it_out(tmp_path, save):
    for side in ("low", "high"):
        save(tmp_path / f"{side}/a.png", np.zeros((30, 40, 3), np.uint8))
    lpips = torch.nn.Identity()
    evaluator = restoration.RestorationEvaluator(lpips, restoration.folder(tmp_path))
    assert evaluator.model is None
    assert "a.png has fewer than 31 pixels a side" in evaluator.notes[0]
    for side in ("low", "high"):
        save(tmp_path / f"{side}/a.png", np.zeros((31, 40, 3), np.uint8))
    evaluator = restoration.RestorationEvaluator(lpips, restoration.folder(tmp_path))
    assert evaluator.model is lpips
    assert evaluator.notes == ()


def test_check_finds_nothing_wrong(lol):
    report = check.check(restoration.folder(lol / "eval15"))
    assert report.problems == []
    assert "size 32x40: 2 images" in report.facts
