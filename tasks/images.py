"""Reading images and label maps, and nothing else."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

from tasks.errors import TaskError

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm"})


@dataclass(frozen=True)
class FloatImage:
    """An image in the precision that its file has.

    Attributes:
        rgb: (H, W, 3) float32 in [0, 1].
        bits: 8 or 16 a channel, so that rgb · (2**bits − 1) are the integers of the file.
        icc: RGB colour profile; None where the file has none.
    """

    rgb: np.ndarray
    bits: int
    icc: bytes | None


def read_image(path: Path) -> FloatImage:
    """As `read_rgb`, but 16 bits a channel keep their precision (PNG, TIFF and PPM).

    Raises:
        TaskError: as `read_rgb`, or the 16 bits lie in a layout that cannot be read (planar, CMYK).
    """
    pixels = read_rgb(path)
    with Image.open(path) as header:
        icc = header.info.get("icc_profile") or b""
        if _stores_16_bits(header):
            pixels = _read_16_bits(path, pixels)
    bits = 8 * pixels.itemsize
    rgb = np.divide(pixels, 2**bits - 1, dtype=np.float32)
    # A profile of grey or CMYK says nothing about RGB.
    return FloatImage(rgb, bits, icc if icc[16:20] == b"RGB " else None)


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


def image_size(path: Path) -> tuple[int, int]:
    """(width, height) of the stored pixels, from the file's header.

    Raises:
        TaskError: as `read_rgb`.
    """
    try:
        with Image.open(path) as header:
            return header.size
    except (OSError, Image.DecompressionBombError) as error:
        raise TaskError(f"{path}: cannot be read as an image ({error})") from None


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
        f
        for f in folder.iterdir()
        # ._x.png is what macOS adds to an archive.
        if f.suffix.lower() in IMAGE_SUFFIXES and not f.name.startswith(".") and not f.is_dir()
    )
    stems: dict[str, Path] = {}
    for file in files:
        if file.stem in stems:
            raise TaskError(f"{file}: shares its name with {stems[file.stem].name}; remove one")
        stems[file.stem] = file
    return files


def _stores_16_bits(header: Image.Image) -> bool:
    """Whether the file of an image that is not loaded yet has 16 bits a channel."""
    if header.format == "TIFF":
        return 16 in header.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, ())
    if header.format == "PNG":
        return ";16" in header.tile[0][3]
    return header.format == "PPM" and header.tile[0][3] == ("RGB", 65535)


def _read_16_bits(path: Path, upper: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint16, by OpenCV: Pillow has no mode for it and gave the `upper` 8 bits alone."""
    try:
        encoded = np.fromfile(path, np.uint8)
        bgr = cv2.imdecode(encoded, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error:
        bgr = None
    # Where the decoders differ by more than rounding, one of them does not know the layout.
    if (
        bgr is None
        or bgr.dtype != np.uint16
        or bgr.shape != upper.shape
        or cv2.norm((bgr >> 8).astype(np.uint8), upper[..., ::-1].copy(), cv2.NORM_INF) > 1
    ):
        raise TaskError(f"{path}: stores 16 bits in a way that cannot be read; save it as PNG")
    return bgr[..., ::-1]


def _open(path: Path, upright: bool = True) -> Image.Image:
    try:
        # Given a path, Pillow maps uncompressed files, and mixes up the sides of turned grey TIFFs.
        with path.open("rb") as file:
            image = Image.open(file)
            image.load()
            return ImageOps.exif_transpose(image) if upright else image
    except FileNotFoundError:
        raise TaskError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise TaskError(f"{path}: is a folder, not an image") from None
    except UnidentifiedImageError:
        raise TaskError(f"{path}: cannot be read as an image (its format is unknown)") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TaskError(f"{path}: cannot be read as an image ({reason})") from None
