"""Listing training files: images of any format, or uint8 H×W×3 BGR arrays in .npy."""

from pathlib import Path

from tasks.errors import TaskError
from tasks.images import image_files


def by_stem(folder: Path, prefix: str = "") -> dict[str, Path]:
    """Files directly in `folder` by their stem, less a leading `prefix`, sorted by name.

    Raises:
        TaskError: the folder is missing or empty, or two files share a stem.
    """
    images = image_files(folder)
    files = sorted([*images, *_visible(folder, "*.npy")])
    if not files:
        raise TaskError(f"{folder}: no images in it, and no .npy")
    found: dict[str, Path] = {}
    for file in files:
        same = found.setdefault(file.stem.removeprefix(prefix), file)
        if same is not file:
            raise TaskError(f"{file}: shares its name with {same.name}; remove one")
    return found


def by_scene(folder: Path) -> dict[str, list[Path]]:
    """Files of every folder in `folder`, by the folder's name, sorted. Errors as `by_stem`."""
    scenes = {f.name: list(by_stem(f).values()) for f in _visible(folder, "*") if f.is_dir()}
    if not scenes:
        raise TaskError(f"{folder}: expected a folder for every scene in it")
    return scenes


def by_frame(folder: Path) -> dict[str, Path]:
    """Files of every folder in `folder`, by SCENE/STEM. Errors as `by_stem`."""
    scenes = by_scene(folder)
    return {f"{scene}/{file.stem}": file for scene, files in scenes.items() for file in files}


def _visible(folder: Path, pattern: str) -> list[Path]:
    return sorted(f for f in folder.glob(pattern) if not f.name.startswith("."))
