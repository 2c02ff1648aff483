"""Tiny sets (Dark Zurich, LOL, classes), and frozen models that need no training."""

import multiprocessing
import os
import socket

import numpy as np
import pytest
import timm
import torch

import configs
from pipeline.checkpoints import write_checkpoint
from pipeline.training import checkpoint
from tasks import cityscapes, mm

NIGHT = "rgb_anon/val/night/GOPR0356/GOPR0356_frame_{:06d}_rgb_anon.png"
NIGHT_GT = "gt/val/night/GOPR0356/GOPR0356_frame_{:06d}_gt_labelTrainIds.png"
SEGMENTOR = str(configs.ROOT / "evaluators" / "cgnet_street19.py")
# The sample's weights of SEGMENTOR: unlike untrained ones they answer to brightness.
TRAINED = str(configs.ROOT / "weights" / "street19@ours-sample.safetensors")


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


@pytest.fixture
def equal():
    """equal(ours, theirs): whether two checkpoints hold the same, bit for bit."""
    return _equal


def _equal(ours, theirs):
    if isinstance(ours, torch.Tensor):
        return torch.equal(ours, theirs)
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(_equal(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, list | tuple):
        return len(ours) == len(theirs) and all(map(_equal, ours, theirs))
    return ours == theirs


@pytest.fixture
def two_ranks(train):
    """two_ranks("sci", …): the folder's own `train`, in two processes that share each batch."""

    def run(*given, **changes):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        processes = [
            # Forked, so that what the test has patched holds in them, too.
            multiprocessing.get_context("fork").Process(
                target=_as_rank, args=(rank, port, train, given, changes), daemon=True
            )
            for rank in range(2)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [0, 0]

    return run


def _as_rank(rank, port, train, given, changes):
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    train(*given, **changes)


@pytest.fixture
def last():
    """last(folder): the content of the last training checkpoint."""
    return lambda folder: checkpoint.read(checkpoint.checkpoints(folder)[-1])


@pytest.fixture
def lol(tmp_path, rng, save):
    """Four pairs to train on and one held out, 40×48."""
    for folder, count in (("our485", 4), ("eval15", 1)):
        for index in range(count):
            picture = rng.integers(0, 60, (40, 48, 3), dtype=np.uint8)
            save(tmp_path / f"lol/{folder}/low/{index}.png", picture)
            save(tmp_path / f"lol/{folder}/high/{index}.png", picture * 4)
    return tmp_path / "lol"
