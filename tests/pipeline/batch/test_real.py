"""The packaged batch on real images: it says what is missing, and runs on whoever's folders."""

import numpy as np
import pytest
import yaml

from pipeline.batch.config import read_batch
from pipeline.batch.source import PACKAGED
from pipeline.cli import main

# Networks, and the seeds that each is trained with.
NETWORKS = {"sci": 3, "ruas": 3, "zerodcepp": 3, "uretinex": 3, "enlightengan": 1, "lednet": 1}
VARIABLES = ("LOL", "GTSRB", "SIGNS", "CAMVID", "TRAINED")


@pytest.fixture
def folders(tmp_path, monkeypatch, rng, save, classifier):
    """Tiny folders in the layouts of all the batch's sets, named by its variables."""
    named = {name: tmp_path / name.lower() for name in VARIABLES} | {"SIGNS": classifier}
    for name, path in named.items():
        monkeypatch.setenv(name, str(path))

    def picture():
        return rng.integers(0, 90, (48, 64, 3), dtype=np.uint8)

    for side in ("low", "high"):
        save(named["LOL"] / "eval15" / side / "1.png", picture())
    save(named["GTSRB"] / "test_night" / "stop" / "1.png", picture())
    for split in ("dusk", "val"):
        folder = named["CAMVID"] / split
        save(folder / "images" / "1.png", picture())
        save(folder / "labels" / "1.png", rng.integers(0, 2, (48, 64)).astype(np.uint8))
        classes = {"classes": ["road", "sky"], "ignore": 255}
        (folder / "classes.yaml").write_text(yaml.safe_dump(classes))
    return named


@pytest.fixture
def missing(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_every_variable_that_is_missing_is_told(missing, capsys):
    assert main(["batch", "real", "--dry-run"]) == 2
    told = capsys.readouterr().err
    for name in VARIABLES:
        assert f"the environment variable {name} is not set" in told


def test_cells(folders):
    cells = read_batch("real").cells
    names = {str(cell.enhancer) for cell in cells}
    trained = folders["TRAINED"]
    for network, seeds in NETWORKS.items():
        for seed in range(seeds):
            assert f"{network}@{trained}/{network}-{seed}.safetensors" in names
            assert f"{network}+lfpv@{trained}/{network}+lfpv-{seed}.safetensors" in names
            assert f"{network}@{trained}/{network}-control-{seed}.safetensors" in names
    assert len(cells) == len(names) * 6
    val = [cell.task for cell in cells if cell.task.task.endswith("/val")]
    assert {task.darken.exposure for task in val} == {0.3, 0.1, 0.03}
    # CGNet's weights have seen val.
    assert {task.evaluator for task in val} == {"espnetv2-s2-640x480"}


def test_a_dry_run_finds_all_but_the_weights(folders, weights, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["batch", "real", "--dry-run"]) == 0
    out = capsys.readouterr().out
    # Of the segmentor and the enhancers no weights are here; data are, of all six tasks.
    assert "blocked, 53 cells" not in out
    assert "to download, 212 cells: " in out
    assert "sci-2.safetensors' is neither a weights name nor a file" in out
    assert "exposure 0.03" in out


def test_its_comment_names_every_variable():
    text = (PACKAGED / "real.yaml").read_text()
    for name in VARIABLES:
        assert f"\n#   {name} " in text
