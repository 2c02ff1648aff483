"""What evaluators are trained on: labelled daytime images in the layouts of their publishers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tasks import cityscapes
from tasks.classification import class_folders
from tasks.classification import folder as class_folder
from tasks.errors import TaskError
from tasks.images import image_files
from tasks.pairs import listed, require_folders
from tasks.protocol import load_card
from tasks.segmentation import folder as labelled_folder
from tasks.task import Sample, Task

CAMVID_CLASSES = (
    "sky", "building", "pole", "road", "pavement", "tree", "sign_symbol", "fence", "car",
    "pedestrian", "bicyclist",
)  # fmt: skip
_CITYSCAPES_NAMES = ("_leftImg8bit.png", "_gtFine_labelIds.png")
DUSK = "0001TP"
"""CamVid's sequence at dusk; its other ones are by day."""


@dataclass(frozen=True)
class LabelledSet:
    """A training split, and the validation split where the set has one; `val` has its classes."""

    train: Task
    val: Task | None = None


def cityscapes_fine(root: Path) -> LabelledSet:
    """Cityscapes fine (Cordts et al., CVPR 2016), `leftImg8bit/{train,val}` and `gtFine`.

    Train ids are made from `labelIds`.

    Raises:
        TaskError: layout not found, no images, or an image without a label.
    """

    def split(name: str) -> Task:
        images, labels = f"leftImg8bit/{name}", f"gtFine/{name}"
        require_folders(root, images, labels)
        pairs = [
            (image, root / labels / image.parent.name / image.name.replace(*_CITYSCAPES_NAMES))
            for image in sorted((root / images).glob("*/*_leftImg8bit.png"))
        ]
        samples = _paired(name, pairs, root, f"{images}/CITY/*_leftImg8bit.png")
        task = _segmentation("cityscapes", samples, cityscapes.CLASSES, cityscapes.VOID)
        return replace(task, id_table=cityscapes.label_id_table())

    return _splits(split, root / "leftImg8bit" / "val")


def camvid_day(root: Path) -> LabelledSet:
    """CamVid (Brostow et al. 2009) with 11 classes, without the frames of the dusk sequence.

    `{train,val}` with `{train,val}annot` beside them, as SegNet's authors publish it, or
    `{train,val}/{images,labels}`.

    Raises:
        TaskError: layout not found, no images, or an image without a label.
    """

    def split(name: str) -> Task:
        own = (root / name / "images").is_dir()
        folders = (f"{name}/images", f"{name}/labels") if own else (name, f"{name}annot")
        require_folders(root, *folders)
        images, labels = (root / folder for folder in folders)
        by_stem = {file.stem: file for file in image_files(labels)}
        pairs = [
            (image, by_stem.get(image.stem, labels / f"{image.stem}.png"))
            for image in image_files(images)
            if not image.name.startswith(DUSK)
        ]
        samples = _paired(name, pairs, root, f"{folders[0]}/*")
        return _segmentation("camvid_day", samples, CAMVID_CLASSES, len(CAMVID_CLASSES))

    return _splits(split, root / "val")


def codan_day(root: Path) -> LabelledSet:
    """CODaN (Lengyel et al., ICCV 2021), `data/{train,val}/CLASS/*`, all by day.

    Raises:
        TaskError: layout not found, no images, or a folder that is no class.
    """
    card = load_card("codan")
    data = root / "data" if (root / "data").is_dir() else root

    def split(name: str) -> Task:
        if not (data / name).is_dir() and any(root.glob("codan_*.tar.bz2*")):
            raise TaskError(
                f"{data}: has no {name}/; `pipeline data unpack codan --root {root}` first"
            )
        require_folders(data, name)
        samples = class_folders(data / name, name, card.classes)
        protocol = card.protocol(None)
        return Task("codan_day", "classification", tuple(samples), protocol, card.classes)

    return _splits(split, data / "val")


def own_segmentation(root: Path) -> LabelledSet:
    """A user's `images/`, `labels/` and `classes.yaml`, or `train/` and `val/` with these in them.

    Raises:
        TaskError: see `tasks.segmentation.folder`.
    """
    if not (root / "train").is_dir():
        return LabelledSet(labelled_folder(root))
    return _splits(lambda name: labelled_folder(root / name), root / "val" / "images")


def own_classification(root: Path) -> LabelledSet:
    """A user's folder per class, or `train/` and `val/` with these in them.

    Without a `classes.yaml` the training folders are the list of classes.

    Raises:
        TaskError: see `tasks.classification.folder`.
    """
    train = root / "train"
    in_splits = train.is_dir() and any(child.is_dir() for child in train.iterdir())
    task = class_folder(train if in_splits else root)
    names = task.classes or tuple(sorted({str(sample.target) for sample in task.samples}))
    task = replace(task, classes=names)
    if not in_splits or not (root / "val").is_dir():
        return LabelledSet(task)
    val = class_folders(root / "val", "val", names)
    return LabelledSet(task, replace(task, samples=tuple(val)))


NAMED: dict[str, Callable[[Path], LabelledSet]] = {
    "cityscapes": cityscapes_fine,
    "codan_day": codan_day,
    "camvid_day": camvid_day,
}
"""Published sets by name."""

OWN: dict[str, Callable[[Path], LabelledSet]] = {
    "segmentation": own_segmentation,
    "classification": own_classification,
}
"""A user's own, as NAME:DIR."""


def _splits(split: Callable[[str], Task], val: Path) -> LabelledSet:
    return LabelledSet(split("train"), split("val") if val.is_dir() else None)


def _segmentation(
    name: str, samples: tuple[Sample, ...], classes: tuple[str, ...], void: int
) -> Task:
    protocol = load_card("segmentation").protocol(None)
    return Task(name, "segmentation", samples, protocol, classes, ignore_index=void)


def _paired(
    split: str, pairs: Iterable[tuple[Path, Path]], root: Path, expected: str
) -> tuple[Sample, ...]:
    """Images and their labels as samples, all of them there."""
    pairs = list(pairs)
    if not pairs:
        raise TaskError(f"{root}: no images; expected {expected}")
    missing = [str(label.relative_to(root)) for _, label in pairs if not label.is_file()]
    if missing:
        raise TaskError(f"{root}: {len(missing)} labels are missing: {listed(missing)}")
    return tuple(
        Sample(image.relative_to(root).with_suffix("").as_posix(), split, image, label)
        for image, label in pairs
    )
