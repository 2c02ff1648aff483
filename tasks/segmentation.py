"""Segmentation datasets: Dark Zurich, Nighttime Driving, and a user's own folder."""

from pathlib import Path

from tasks import cityscapes
from tasks.classes import find_class_list
from tasks.errors import TaskError
from tasks.images import image_files
from tasks.protocol import load_card
from tasks.task import Sample, Task


def dark_zurich(root: Path, protocol: str | None = None) -> Task:
    """Dark Zurich val, images under `rgb_anon/val/night/`, labels under `gt/val/night/`.

    Every sequence folder is read: the official val is GOPR0356 with 50 frames.

    Raises:
        TaskError: layout not found, no images, or an image without a label.
    """
    card = load_card("darkzurich")
    images = root / "rgb_anon" / "val" / "night"
    labels = root / "gt" / "val" / "night"
    _require_layout(root, images, card.layout)
    pairs = [
        (image, labels / image.parent.name / image.name.replace("_rgb_anon", "_gt_labelTrainIds"))
        for image in sorted(images.glob("*/*_rgb_anon.png"))
    ]
    return Task(
        name="darkzurich",
        kind="segmentation",
        samples=_samples(root, "val", pairs, images),
        protocol=card.protocol(protocol),
        classes=card.classes,
        ignore_index=cityscapes.VOID,
        card=card,
        id_table=cityscapes.train_id_table(),
    )


def dark_zurich_test(root: Path, protocol: str | None = None) -> Task:
    """Dark Zurich test, images under `rgb_anon/test/night/`; its labels are the server's alone.

    Raises:
        TaskError: layout not found, or no images.
    """
    card = load_card("darkzurich_test")
    images = root / "rgb_anon" / "test" / "night"
    _require_layout(root, images, card.layout)
    files = sorted(images.glob("*/*_rgb_anon.png"))
    if not files:
        raise TaskError(f"{images}: no images")
    return Task(
        name="darkzurich_test",
        kind="submission",
        samples=tuple(Sample(_id(image, root), "test", image, None) for image in files),
        protocol=card.protocol(protocol),
        classes=card.classes,
        ignore_index=cityscapes.VOID,
        card=card,
    )


def nighttime_driving(root: Path, protocol: str | None = None) -> Task:
    """Nighttime Driving test, coarse labels; train ids come from the files the protocol names.

    Raises:
        TaskError: layout not found, no images, or an image without a label.
    """
    card = load_card("nighttime_driving")
    chosen = card.protocol(protocol)
    if (root / "NighttimeDrivingTest").is_dir():
        root = root / "NighttimeDrivingTest"
    images = root / "leftImg8bit" / "test" / "night"
    _require_layout(root, images, card.layout)
    labels = card.labels[chosen.labels]
    pairs = [
        (image, root / labels.replace("*", image.name.removesuffix("_leftImg8bit.png")))
        for image in sorted(images.glob("*_leftImg8bit.png"))
    ]
    from_ids = labels.endswith("_labelIds.png")
    return Task(
        name="nighttime_driving",
        kind="segmentation",
        samples=_samples(root, "test", pairs, images),
        protocol=chosen,
        classes=card.classes,
        ignore_index=cityscapes.VOID,
        card=card,
        id_table=cityscapes.label_id_table() if from_ids else cityscapes.train_id_table(),
    )


def folder(root: Path, protocol: str | None = None) -> Task:
    """A user's `images/` and `labels/`, matched by stem, with `classes.yaml` beside or above them.

    Raises:
        TaskError: missing folder or class list, no images, or images and labels that do not match.
    """
    card = load_card("segmentation")
    images, labels = root / "images", root / "labels"
    _require_layout(root, images, card.layout)
    class_list = find_class_list(root)
    if class_list is None:
        raise TaskError(f"{root}: no classes.yaml here or in the parent folder; it lists `classes`")
    if len(class_list.classes) > class_list.ignore:
        raise TaskError(
            f"{root}: classes.yaml names {len(class_list.classes)} classes, so `ignore` must be an "
            f"id from there to 255, not {class_list.ignore}; 8-bit labels hold 255 classes at most"
        )
    by_stem = {path.stem: path for path in image_files(labels)}
    pairs = [
        (image, by_stem.pop(image.stem, labels / f"{image.stem}.png"))
        for image in image_files(images)
    ]
    if by_stem:
        extra = sorted(by_stem.values())[0]
        raise TaskError(f"{extra}: label without an image of that name in {images}")
    return Task(
        name=f"segmentation:{root}",
        kind="segmentation",
        samples=_samples(root, root.resolve().name, pairs, images),
        protocol=card.protocol(protocol),
        classes=class_list.classes,
        ignore_index=class_list.ignore,
        card=card,
    )


def _require_layout(root: Path, images: Path, layout: str) -> None:
    if not root.is_dir():
        raise TaskError(f"{root}: no such folder")
    if not images.is_dir():
        raise TaskError(f"{root}: has no {images.relative_to(root)}/; expected {layout}")


def _samples(
    root: Path, split: str, pairs: list[tuple[Path, Path]], images: Path
) -> tuple[Sample, ...]:
    if not pairs:
        raise TaskError(f"{images}: no images")
    unlabelled = [(image, label) for image, label in pairs if not label.is_file()]
    if unlabelled:
        image, label = unlabelled[0]
        others = ", ".join(path.name for path, _ in unlabelled[1:])
        more = f"; neither have {others}" if others else ""
        raise TaskError(f"{image}: has no label, expected {label}{more}")
    return tuple(Sample(_id(image, root), split, image, label) for image, label in pairs)


def _id(image: Path, root: Path) -> str:
    return image.relative_to(root).with_suffix("").as_posix()
