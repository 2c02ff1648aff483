"""Fixtures for all tests: offline, deterministic, in folders of their own."""

import os
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # as many workers as cores: torch reads it when imported
    os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pytest
import torch
from PIL import Image

REQUIRE_SHARED = "REQUIRE_SHARED"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and reference outputs beside the repository.

    The only reason to skip is that it is not there; with REQUIRE_SHARED=1 that fails instead.
    """
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        if os.environ.get(REQUIRE_SHARED):
            pytest.fail(f"{REQUIRE_SHARED} is set and {folder} is not there")
        pytest.skip("the folder of real data is not beside the repository")
    return folder


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test sees the user's data, weights or working folder."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("work")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("PIPELINE_DATA", raising=False)
    monkeypatch.delenv("PIPELINE_WEIGHTS", raising=False)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def save():
    """save(path, array): write an image and make its folder."""

    def write(path: Path, array: np.ndarray) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(array).save(path)
        return path

    return write
