import numpy as np
import pytest
from PIL import Image

import configs
from pipeline.cli import main

WEIGHTS = configs.ROOT / "weights"


@pytest.fixture
def image(tmp_path, save, rng):
    return save(tmp_path / "night.png", rng.integers(0, 60, (50, 70, 3), dtype=np.uint8))


def test_figures_and_picture(image, tmp_path, capsys):
    out = tmp_path / "sheet.png"
    name = f"sci+lfpv@{WEIGHTS / 'sci+lfpv@ours-sample.safetensors'}"
    assert main(["inspect", name, str(image), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "entropy of the attention" in printed
    rows = [line.split("│") for line in printed.splitlines() if "│" in line]
    for row in rows:
        assert float(row[2]) >= -1
        assert float(row[3]) >= -1
    assert len(rows) == 6
    sheet = np.asarray(Image.open(out))
    # Input, enhanced, and a map for each branch.
    assert sheet.shape[0] > 50
    assert sheet.shape[1] >= 4 * 70
    assert len(np.unique(sheet.reshape(-1, 3), axis=0)) > 10


@pytest.mark.parametrize(
    ("name", "out", "message"),
    [
        ("gamma@0.6", "x.png", "'gamma@0.6' has no nodes; name one with +lfpv"),
        (f"sci@{WEIGHTS / 'sci@ours-sample.safetensors'}", "x.png", "has no nodes"),
        ("sci+lfpv@ours-sample", "x.jpg", "is written as PNG"),
        ("sci+lfpv@ours-sample", "night.png", "is the image itself; name another --out"),
    ],
)
def test_wrong_arguments(image, name, out, message, capsys):
    assert main(["inspect", name, str(image), "--out", str(image.with_name(out))]) == 2
    assert message in capsys.readouterr().err
