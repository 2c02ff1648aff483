"""Predictions for a benchmark whose labels are not public, and the archive that its server takes.

Dark Zurich's takes a zip with three flat folders, each holding one 1920x1080 PNG a test image under
the image's own name:

- `labelTrainIds/`: train ids 0-18, 8 bits; the IoU is theirs.
- `labelTrainIds_invalid/`: the same, with 255 where the method calls a pixel invalid; for the UIoU
  (Sakaridis et al., ICCV 2019). Our models call none so, hence a copy.
- `confidence/`: 16 bits, 0-65535 for 0-1; for the average UIoU. The softmax of the predicted class.
"""

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from tasks import cityscapes
from tasks.errors import TaskError
from tasks.measurer import Measurer, Record, classes_of, require_finite, scored_logits
from tasks.models import DownstreamModel
from tasks.task import Sample, Task

LABELS, INVALID, CONFIDENCE = "labelTrainIds", "labelTrainIds_invalid", "confidence"
WIDTH, HEIGHT = 1920, 1080
TRAIN_IDS = range(len(cityscapes.CLASSES))
FULL = 65535


class Predictor(Measurer):
    """Predictions of a frozen segmentor at the size of the source, without a score.

    As released for the night benchmarks (CIConv): prediction and confidence at the size at which
    the protocol scores, then enlarged by OpenCV's nearest neighbour. Void is never predicted.
    """

    model: DownstreamModel

    def __init__(self, model: DownstreamModel, task: Task) -> None:
        """TaskError: the task's labels are public, or the model is no segmentor of its classes."""
        if task.kind != "submission":
            raise TaskError(f"task {task.name} is scored here, by `pipeline run`")
        if model.kind != "segmentation":
            raise TaskError(f"task {task.name} needs a segmentation evaluator")
        super().__init__(model, task, classes_of(model, task))

    @staticmethod
    def read_target(_sample: Sample) -> torch.Tensor:
        """Nothing: there is no public truth."""
        return torch.empty(0)

    def measure(
        self, enhanced: torch.Tensor, samples: Sequence[Sample], targets: Sequence[torch.Tensor]
    ) -> list[Record]:
        height, width = enhanced.shape[-2:]
        if (width, height) != (WIDTH, HEIGHT):
            raise TaskError(
                f"{samples[0].image}: is {width}x{height}; the server takes {WIDTH}x{HEIGHT} only"
            )
        logits = scored_logits(self, enhanced).float()
        confidence, label = logits.softmax(1)[:, : len(self.classes)].max(1)
        require_finite(confidence, samples)
        maps = label.byte().cpu().numpy(), (FULL * confidence).cpu().numpy().astype(np.uint16)
        records = []
        for sample, *pair in zip(samples, *maps, strict=True):
            ids, sure = (
                cv2.resize(m, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST) for m in pair
            )
            records.append(Record(sample.id, sample.split, predicted_map=ids, confidence=sure))
        return records


def write_archive(path: Path, records: Iterable[Record]) -> None:
    """Write the archive; the same bytes for the same predictions."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for record in records:
            name = f"{Path(record.id).name}.png"
            labels = _png(record.predicted_map)
            for folder, content in (
                (LABELS, labels),
                (INVALID, labels),
                (CONFIDENCE, _png(record.confidence)),
            ):
                archive.writestr(zipfile.ZipInfo(f"{folder}/{name}"), content)


def check_archive(path: Path, names: Sequence[str] | None, official: int) -> Iterator[str]:
    """Say everything that is wrong with an archive, a line each.

    Args:
        names: file names of the test images; None compares the folders among themselves.
        official: number of test images.

    Raises:
        TaskError: no such file, or no zip.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise TaskError(f"{path}: cannot be read as a zip ({error})") from None
    with archive:
        files = [entry for entry in archive.namelist() if not entry.endswith("/")]
        expected = set(names or (f.removeprefix(f"{LABELS}/") for f in files if _in(LABELS, f)))
        if len(expected) != official:
            yield f"{len(expected)} images, the official test split has {official}"
        yield from _wrong_names(files, expected)
        for entry in sorted(set(files)):
            if any(_in(folder, entry) for folder in (LABELS, INVALID, CONFIDENCE)):
                yield from (f"{entry}: {problem}" for problem in _wrong_content(archive, entry))


def _wrong_names(files: list[str], expected: set[str]) -> Iterator[str]:
    wanted = {f"{f}/{name}" for f in (LABELS, INVALID, CONFIDENCE) for name in expected}
    found = set(files)
    yield from (f"{entry}: is missing" for entry in sorted(wanted - found))
    yield from (f"{entry}: is no test image's" for entry in sorted(found - wanted))
    yield from (f"{entry}: is there twice" for entry in sorted(found) if files.count(entry) > 1)


# What a damaged or hostile entry raises, as an entry of a zip and as an image.
_UNREADABLE = (OSError, SyntaxError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile,
               Image.DecompressionBombError)  # fmt: skip


def _wrong_content(archive: zipfile.ZipFile, entry: str) -> Iterator[str]:
    try:
        image = Image.open(io.BytesIO(archive.read(entry)))
        image.load()
    except _UNREADABLE as error:
        yield f"cannot be read as an image ({error})"
        return
    if image.format != "PNG":
        yield f"is {image.format}, not PNG"
    if image.size != (WIDTH, HEIGHT):
        yield f"is {image.width}x{image.height}, not {WIDTH}x{HEIGHT}"
    if _in(CONFIDENCE, entry):
        if not image.mode.startswith("I;16"):
            yield f"has mode {image.mode}, not 16-bit grey"
    elif image.mode != "L":
        yield f"has mode {image.mode}, not 8-bit grey"
    else:
        held = {value for value, count in enumerate(image.histogram()) if count}
        allowed = {*TRAIN_IDS, cityscapes.VOID} if _in(INVALID, entry) else set(TRAIN_IDS)
        if wrong := sorted(held - allowed):
            yield f"holds {', '.join(map(str, wrong))}, which are no train ids from 0 to 18"


def _in(folder: str, entry: str) -> bool:
    return entry.startswith(f"{folder}/")


def _png(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="PNG")
    return buffer.getvalue()
