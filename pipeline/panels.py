"""Pictures for looking at: input, enhanced, prediction and truth side by side."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipeline.chain import Measured
from pipeline.files import atomic
from tasks.evaluators import Evaluator

GAP = 4

# The palette that Cityscapes publishes for its train classes, in train-id order.
CITYSCAPES_COLOURS = (
    (128, 64, 128), (244, 35, 232), (70, 70, 70), (102, 102, 156), (190, 153, 153),
    (153, 153, 153), (250, 170, 30), (220, 220, 0), (107, 142, 35), (152, 251, 152),
    (70, 130, 180), (220, 20, 60), (255, 0, 0), (0, 0, 142), (0, 0, 70), (0, 60, 100),
    (0, 80, 100), (0, 0, 230), (119, 11, 32),
)  # fmt: skip


def save_panel(folder: Path, measured: Measured, evaluator: Evaluator) -> Path:
    """Write one PNG and return its path.

    Segmentation gives four pictures; restoration three; classification two, with the classes as
    captions.

    Raises:
        PipelineError: the folder cannot be written.
    """
    record = measured.record
    source = measured.source.numpy()
    enhanced = measured.enhanced.mul(255).round().byte().permute(1, 2, 0).cpu().numpy()
    scene = {"user": "input", "sample": "sample scene"}.get(evaluator.task.data, "darkened")
    pictures = [(source, scene), (enhanced, "enhanced")]
    if record.values is not None:
        pictures.append((measured.target.numpy(), "truth"))
    elif record.predicted_map is None:
        names = evaluator.classes
        pictures[0] = (source, f"{scene}: {names[record.label]}")
        pictures[1] = (enhanced, f"predicted: {names[record.prediction]}")
    else:
        palette = colours(evaluator.classes)
        pictures.append((palette[record.predicted_map], "prediction"))
        pictures.append((palette[measured.target.numpy()], "truth (void black)"))
    path = folder / f"{record.id.replace('/', '_')}.png"
    with atomic(path) as temporary:
        side_by_side(pictures).save(temporary, format="PNG")
    return path


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
    """A sheet of (H, W, 3) uint8 pictures with their captions; four of them as two rows."""
    height = max(picture.shape[0] for picture, _ in pictures)
    # A caption needs room under a thumbnail too.
    width = max(max(picture.shape[1] for picture, _ in pictures), 120)
    font = ImageFont.load_default(size=max(11, height // 40))
    caption_height = int(1.6 * font.size)
    columns = 2 if len(pictures) == 4 and width > 200 else len(pictures)
    rows = -(-len(pictures) // columns)
    sheet = Image.new(
        "RGB", (columns * (width + GAP) - GAP, rows * (height + caption_height)), (255, 255, 255)
    )
    draw = ImageDraw.Draw(sheet)
    for index, (picture, caption) in enumerate(pictures):
        x, y = (index % columns) * (width + GAP), (index // columns) * (height + caption_height)
        draw.text((x + 2, y + 2), caption, fill=(0, 0, 0), font=font)
        sheet.paste(Image.fromarray(picture), (x, y + caption_height))
    return sheet
