"""Writes the sample's scenes in the official folder layouts of the datasets they stand in for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import yaml

from tasks import cityscapes
from tasks.sample.night import night_object, night_street
from tasks.sample.objects import CLASSES, object_image
from tasks.sample.street import street

JPEG_QUALITY = 95


@dataclass(frozen=True)
class Counts:
    """How many images each layout gets; the CODaN numbers are for each of its ten classes."""

    streets: int = 24
    train_streets: int = 300
    codan_train: int = 120
    codan_val: int = 10
    codan_test: int = 20
    pairs: int = 120
    eval_pairs: int = 15
    object_pairs: int = 60


def write_test(root: Path, seed: int, counts: Counts) -> None:
    """Write what evaluation reads: Dark Zurich (night, day), Nighttime Driving, CODaN's tests."""
    _dark_zurich(root, seed, counts.streets)
    _nighttime_driving(root, seed, counts.streets)
    _codan(root, seed, "val", counts.codan_val)
    _codan(root, seed, "test_day", counts.codan_test)
    _codan(root, seed, "test_night", counts.codan_test)


def write_train(root: Path, seed: int, counts: Counts) -> None:
    """Write what training reads: day streets, CODaN's training split, night/day pairs."""
    _street_day(root / "street_day", seed, counts)
    _codan(root, seed, "train", counts.codan_train)
    _street_pairs(root, seed, "our485", counts.pairs)
    _street_pairs(root, seed, "eval15", counts.eval_pairs)
    _object_pairs(root, seed, counts.object_pairs)


PARTS: dict[str, Callable[[Path, int, Counts], None]] = {"test": write_test, "train": write_train}


def _dark_zurich(root: Path, seed: int, count: int) -> None:
    for index in range(count):
        scene = street(seed, "darkzurich", index)
        night = night_street(scene, seed, "darkzurich", index)
        for folder, image in (("darkzurich", night), ("darkzurich_day", scene.day)):
            # The reference by day keeps the folder name "night": the layout fixes it.
            stem = f"val/night/SAMPLE/SAMPLE_frame_{index + 1:06d}"
            _write(root / folder / "rgb_anon" / f"{stem}_rgb_anon.png", image)
            _write(root / folder / "gt" / f"{stem}_gt_labelTrainIds.png", scene.label)


def _nighttime_driving(root: Path, seed: int, count: int) -> None:
    base = root / "nighttime_driving"
    labels = base / "gtCoarse_daytime_trainvaltest/test/night"
    for index in range(count):
        scene = street(seed, "nighttime_driving", index)
        night = night_street(scene, seed, "nighttime_driving", index)
        name, coarse = f"sample_{index + 1:04d}", _coarse(scene.label)
        _write(base / f"leftImg8bit/test/night/{name}_leftImg8bit.png", night)
        _write(labels / f"{name}_gtCoarse_labelTrainIds.png", coarse)
        _write(labels / f"{name}_gtCoarse_labelIds.png", _label_ids(coarse))


def _coarse(label: np.ndarray) -> np.ndarray:
    """Turn the pixels at every boundary void, as annotators of coarse labels leave them out."""
    window = np.ones((3, 3), np.uint8)
    boundary = cv2.dilate(label, window) != cv2.erode(label, window)
    return np.where(boundary, np.uint8(cityscapes.VOID), label)


def _label_ids(train_ids: np.ndarray) -> np.ndarray:
    table = np.zeros(256, np.uint8)
    table[: len(cityscapes.LABEL_IDS)] = cityscapes.LABEL_IDS
    return table[train_ids]


def _codan(root: Path, seed: int, split: str, count: int) -> None:
    for name in CLASSES:
        for index in range(count):
            image = object_image(name, seed, f"codan/{split}", index)
            if split == "test_night":
                image = night_object(image, seed, f"codan/{split}/{name}", index)
            _write(root / f"codan/data/{split}/{name}/{index + 1:04d}.jpg", image)


def _street_day(base: Path, seed: int, counts: Counts) -> None:
    for split, count in (("train", counts.train_streets), ("val", counts.streets)):
        for index in range(count):
            scene = street(seed, f"street_day/{split}", index)
            _write(base / split / "images" / f"{index + 1:04d}.png", scene.day)
            _write(base / split / "labels" / f"{index + 1:04d}.png", scene.label)
    content = {"classes": list(cityscapes.CLASSES), "ignore": cityscapes.VOID}
    base.mkdir(parents=True, exist_ok=True)
    (base / "classes.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def _street_pairs(root: Path, seed: int, split: str, count: int) -> None:
    for index in range(count):
        scene = street(seed, f"pairs/{split}", index)
        night = night_street(scene, seed, f"pairs/{split}", index)
        _pair(root / "pairs" / split, f"{index + 1:04d}.png", night, scene.day)


def _object_pairs(root: Path, seed: int, count: int) -> None:
    for index in range(count):
        day = object_image(CLASSES[index % len(CLASSES)], seed, "pairs/objects", index)
        night = night_object(day, seed, "pairs/objects", index)
        _pair(root / "pairs/our485", f"obj_{index + 1:04d}.png", night, day)


def _pair(folder: Path, name: str, low: np.ndarray, high: np.ndarray) -> None:
    _write(folder / "low" / name, low)
    _write(folder / "high" / name, high)


def _write(path: Path, image: np.ndarray) -> None:
    """Write an RGB image (H, W, 3) or a label map (H, W) as the suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = image[..., ::-1] if image.ndim == 3 else image
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if path.suffix == ".jpg" else []
    # Encoded here and written by Python: OpenCV's own writer fails without a word.
    _, code = cv2.imencode(path.suffix, np.ascontiguousarray(pixels), options)
    path.write_bytes(code.tobytes())
