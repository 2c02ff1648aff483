"""LOL eval15 with released weights, against the figures known of them."""

import pytest

from pipeline import create_task, run
from pipeline.backbones import find_backbone
from pipeline.cli import main
from pipeline.errors import PipelineError


@pytest.fixture
def score(shared, monkeypatch):
    monkeypatch.setenv("PIPELINE_WEIGHTS", str(shared / "reference/weights"))

    def measure(enhancer: str, protocol: str) -> dict[str, float]:
        task = create_task("lol", shared / "data/LOL", protocol)
        scores = run(enhancer, task).scores
        return {name.removeprefix("eval15/"): score.value for name, score in scores.items()}

    return measure


@pytest.mark.shared
@pytest.mark.parametrize(
    ("enhancer", "protocol", "psnr", "ssim", "lpips"),
    [
        ("identity", "round", 7.773, 0.1914, 0.5596),
        ("zerodcepp@Epoch99-script", "round", 15.345, 0.5731, 0.3335),
        ("sci@medium", "truncate", 14.784, 0.5254, 0.3393),
        # Ours, as docs/weights.md says.
        ("sci", "round", 18.12, 0.572, 0.375),
        ("sci+lfpv", "round", 18.59, 0.575, 0.362),
    ],
)
def test_published_scores(score, enhancer, protocol, psnr, ssim, lpips):
    found = score(enhancer, protocol)
    assert found["PSNR"] == pytest.approx(psnr, abs=0.01)
    assert found["SSIM"] == pytest.approx(ssim, abs=0.001)
    if find_backbone("alexnet"):
        assert found["LPIPS"] == pytest.approx(lpips, abs=0.001)
    else:
        assert "LPIPS" not in found


@pytest.mark.shared
def test_without_its_backbone_lpips_is_one_line(shared, monkeypatch, capsys):
    monkeypatch.setattr("pipeline.backbones.find_spec", lambda name: None)
    root = str(shared / "data/LOL")
    assert main(["run", "--enhancer", "identity", "--task", "lol", "--root", root]) == 0
    out = capsys.readouterr().out
    lines = [line for line in out.splitlines() if "LPIPS" in line]
    assert lines[0].startswith("note: LPIPS is left out, its AlexNet is not here: pipeline weights")
    assert "7.77" in out


def test_an_evaluator_has_no_place_there(tmp_path, save, rng):
    for side in ("low", "high"):
        save(tmp_path / f"{side}/1.png", rng.integers(0, 256, (32, 32, 3)).astype("uint8"))
    with pytest.raises(PipelineError, match="compares with the truth; leave the evaluator out"):
        run("identity", f"restoration:{tmp_path}", evaluator="resnet18")
