"""Reading images and label maps, and nothing else."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tasks.errors import TaskError

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm"})


def read_rgb(path: Path) -> np.ndarray:
    """Decode an image of any common format.

    EXIF orientation is honoured; grey images are repeated to three channels, transparency is
    dropped, 16-bit grey images are reduced to their upper 8 bits.

    Returns:
        (H, W, 3) uint8, RGB.

    Raises:
        TaskError: the file is missing, truncated, no image, or has 32 bits or floats a pixel,
            whose range is anybody's guess.
    """
    image = _open(path)
    if image.mode in ("I", "F"):
        raise TaskError(f"{path}: has 32-bit pixels of unknown range; save it with 8 or 16 bits")
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8))
    return np.asarray(image.convert("RGB"))


def read_label(path: Path) -> np.ndarray:
    """Read a label map as the ids that the file stores (palette images give their indices).

    Returns:
        (H, W) uint8.

    Raises:
        TaskError: the file is missing, truncated, no image, or has colours instead of ids.
    """
    image = _open(path, upright=False)
    if image.mode not in ("L", "P"):
        raise TaskError(
            f"{path}: a label map must be one 8-bit channel of class ids, this is {image.mode}"
        )
    return np.asarray(image)


def image_files(folder: Path) -> list[Path]:
    """All image files directly in `folder`, sorted by name.

    Raises:
        TaskError: the folder does not exist, or two files share a stem.
    """
    if not folder.is_dir():
        raise TaskError(f"{folder}: no such folder")
    files = sorted(
        f for f in folder.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES and not f.is_dir()
    )
    stems: dict[str, Path] = {}
    for file in files:
        if file.stem in stems:
            raise TaskError(f"{file}: shares its name with {stems[file.stem].name}; remove one")
        stems[file.stem] = file
    return files


def _open(path: Path, upright: bool = True) -> Image.Image:
    try:
        image = Image.open(path)
        image.load()
        return ImageOps.exif_transpose(image) if upright else image
    except FileNotFoundError:
        raise TaskError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise TaskError(f"{path}: is a folder, not an image") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TaskError(f"{path}: cannot be read as an image ({reason})") from None
