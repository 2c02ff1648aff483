"""A tiny Dark Zurich, a tiny folder of classes, and frozen models that need no training."""

import numpy as np
import pytest
import timm
import torch

import configs
from pipeline.checkpoints import write_checkpoint
from tasks import cityscapes, mm

NIGHT = "rgb_anon/val/night/GOPR0356/GOPR0356_frame_{:06d}_rgb_anon.png"
NIGHT_GT = "gt/val/night/GOPR0356/GOPR0356_frame_{:06d}_gt_labelTrainIds.png"
SEGMENTOR = str(configs.ROOT / "evaluators" / "cgnet_street19.py")


@pytest.fixture(autouse=True)
def one_thread():
    """Images here are too small for a second thread to pay."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def dark_zurich(tmp_path, rng, save):
    root = tmp_path / "dz"
    for frame in (1, 2, 3):
        save(root / NIGHT.format(frame), rng.integers(0, 60, (48, 64, 3), dtype=np.uint8))
        label = rng.choice([*range(19), 255], (48, 64)).astype(np.uint8)
        save(root / NIGHT_GT.format(frame), label)
    return root


@pytest.fixture
def segmentor(tmp_path):
    """An untrained 19-class segmentor's checkpoint, for SEGMENTOR."""
    torch.manual_seed(1)
    path = tmp_path / "segmentor.safetensors"
    state = mm.build_segmentor(configs.ROOT / "evaluators" / "cgnet_street19.py").state_dict()
    write_checkpoint(path, state, {"classes": cityscapes.CLASSES})
    return path


@pytest.fixture
def signs(tmp_path, rng, save):
    """classification: two of three classes have images, of two sizes."""
    root = tmp_path / "signs"
    for name in ("stop", "yield"):
        for index, size in enumerate((20, 20, 31, 20)):
            picture = rng.integers(0, 90, (size, size, 3), dtype=np.uint8)
            save(root / name / f"{index}.png", picture)
    return root


@pytest.fixture
def classifier(tmp_path):
    """An untrained three-class checkpoint for timm's test_resnet."""
    torch.manual_seed(2)
    path = tmp_path / "classifier.safetensors"
    model = timm.create_model("test_resnet", num_classes=3)
    header = {"classes": ["stop", "limit", "yield"], "input_size": [32, 32]}
    write_checkpoint(path, model.state_dict(), header)
    return path


@pytest.fixture
def weights(monkeypatch, tmp_path):
    """The user's weights folder."""
    monkeypatch.setenv("PIPELINE_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights"
