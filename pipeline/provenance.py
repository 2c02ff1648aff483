"""What a number came from: versions, commit, data, hardware."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from pipeline.files import sha256
from tasks.task import Sample

PACKAGES = ("llie-pipeline", "torch", "torchvision", "timm", "torchmetrics", "mmengine",
            "mmcv-lite", "mmcv", "mmsegmentation", "numpy", "opencv-python", "pillow",
            "scikit-image", "onnxruntime")  # fmt: skip


def environment(device: torch.device) -> dict[str, Any]:
    """Versions, commit and hardware of this run."""
    return {
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "commit": _commit(),
        "hardware": {
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            "cpu": _cpu_name(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
        },
    }


def manifest(samples: Sequence[Sample]) -> dict[str, Any]:
    """Identity of a dataset: number of images and one hash over all ids, files and class names."""
    digest = hashlib.sha256()
    for sample in samples:
        truth = sha256(sample.target) if isinstance(sample.target, Path) else sample.target
        digest.update(f"{sample.split}\0{sample.id}\0{sha256(sample.image)}\0{truth}\n".encode())
    return {"images": len(samples), "sha256": digest.hexdigest()}


def as_given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as JSON holds them: a path as text, an object of the user's by its type."""
    inner = ("module", "function")  # which function a command calls
    return {name: _plain(value) for name, value in arguments.items() if name not in inner}


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    plain = isinstance(value, str | int | float | list | dict | None)
    return value if plain else type(value).__name__


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> dict[str, Any] | None:
    """Commit of the checkout that the code runs from; None for an installed package."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return {"id": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return None


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
