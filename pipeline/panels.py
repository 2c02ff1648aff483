"""Pictures for looking at: input, enhanced, prediction and truth side by side."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipeline.chain import Measured
from pipeline.files import atomic
from tasks.evaluators import Evaluator

PANELS = "images"
"""Their folder, beside the result that they are of."""

GAP = 4
# Below so many pixels there is no room for a caption.
SMALLEST = 200

# The palette that Cityscapes publishes for its train classes, in train-id order.
CITYSCAPES_COLOURS = (
    (128, 64, 128), (244, 35, 232), (70, 70, 70), (102, 102, 156), (190, 153, 153),
    (153, 153, 153), (250, 170, 30), (220, 220, 0), (107, 142, 35), (152, 251, 152),
    (70, 130, 180), (220, 20, 60), (255, 0, 0), (0, 0, 142), (0, 0, 70), (0, 60, 100),
    (0, 80, 100), (0, 0, 230), (119, 11, 32),
)  # fmt: skip


def panel_file(folder: Path, image: str) -> Path:
    """The panel of an image in the folder of panels of a result."""
    return folder / f"{image.replace('/', '--')}.png"


def forget_panels(folder: Path) -> None:
    """Remove the panels of a result that is measured anew: they are of what was there before."""
    if folder.is_dir():
        shutil.rmtree(folder)


def save_panel(folder: Path, measured: Measured, evaluator: Evaluator) -> None:
    """Write one PNG.

    Segmentation gives four pictures; restoration three; classification two, with the classes as
    captions. The enhanced image is in the 8 bits of the protocol; a map that was scored at another
    size is shown at the source's.

    Raises:
        PipelineError: the folder cannot be written.
    """
    record = measured.record
    source = measured.source.numpy()
    scene = {"user": "input", "sample": "sample scene"}.get(evaluator.task.data, "darkened")
    pictures = [(source, scene), (_eight_bits(measured, evaluator), "enhanced")]
    if record.values is not None:
        pictures.append((measured.target.numpy(), "truth"))
    elif record.predicted_map is None:
        names = evaluator.classes
        pictures[0] = (source, f"{scene}, truth: {names[record.label]}")
        pictures[1] = (pictures[1][0], f"enhanced, predicted: {names[record.prediction]}")
    else:
        palette = colours(evaluator.classes)
        shown = _of_size(palette[record.predicted_map], pictures[1][0].shape[:2])
        pictures.append((shown, "prediction"))
        pictures.append((palette[measured.target.numpy()], "truth (void black)"))
    with atomic(panel_file(folder, record.id)) as temporary:
        side_by_side(pictures).save(temporary, format="PNG")


def _eight_bits(measured: Measured, evaluator: Evaluator) -> np.ndarray:
    """(H, W, 3) uint8."""
    levels = measured.enhanced.mul(255)
    truncated = evaluator.task.protocol.eight_bit == "truncate"
    levels = levels.floor() if truncated else levels.round()
    return levels.byte().permute(1, 2, 0).cpu().numpy()


def _of_size(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A map of classes at (H, W)."""
    if picture.shape[:2] == size:
        return picture
    return np.asarray(Image.fromarray(picture).resize(size[::-1], Image.Resampling.NEAREST))


def colours(classes: tuple[str, ...]) -> np.ndarray:
    """(256, 3) uint8 colour of each class index; anything beyond the classes is black."""
    palette = np.zeros((256, 3), np.uint8)
    count = len(classes)
    if count == len(CITYSCAPES_COLOURS):
        palette[:count] = CITYSCAPES_COLOURS
    else:
        hues = Image.new("HSV", (count, 1))
        for index in range(count):
            hues.putpixel((index, 0), (index * 255 // count, 190, 150 + 90 * (index % 2)))
        palette[:count] = np.asarray(hues.convert("RGB"))[0]
    return palette


def side_by_side(pictures: list[tuple[np.ndarray, str]]) -> Image.Image:
    """A sheet of (H, W, 3) uint8 pictures with their captions; four of them as two rows.

    Thumbnails are shown several times as large, each pixel as a square.
    """
    largest = max(picture.shape[1] for picture, _ in pictures)
    times = max(1, -(-SMALLEST // largest))
    pictures = [(p.repeat(times, 0).repeat(times, 1), caption) for p, caption in pictures]
    width = times * largest
    height = max(picture.shape[0] for picture, _ in pictures)
    font = ImageFont.load_default(size=max(11, width // 20))
    caption_height = int(1.5 * font.size)
    columns = 2 if len(pictures) == 4 else len(pictures)
    rows = -(-len(pictures) // columns)
    sheet = Image.new(
        "RGB", (columns * (width + GAP) - GAP, rows * (height + caption_height)), (255, 255, 255)
    )
    draw = ImageDraw.Draw(sheet)
    for index, (picture, caption) in enumerate(pictures):
        x, y = (index % columns) * (width + GAP), (index // columns) * (height + caption_height)
        draw.text((x + 2, y + 1), caption, fill=(0, 0, 0), font=font)
        sheet.paste(Image.fromarray(picture), (x, y + caption_height))
    return sheet
