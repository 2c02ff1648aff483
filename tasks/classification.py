"""Classification datasets: CODaN, and a user's own folder with a subfolder per class."""

from pathlib import Path

from tasks.classes import find_class_list
from tasks.errors import TaskError
from tasks.images import image_files
from tasks.protocol import load_card
from tasks.task import Sample, Task


def codan(root: Path, protocol: str | None = None) -> Task:
    """CODaN: `data/{test_night,test_day}/CLASS/*`, ten classes in the dataset's own order.

    Raises:
        TaskError: layout not found, no images, or a folder that is no class.
    """
    card = load_card("codan")
    if not root.is_dir():
        raise TaskError(f"{root}: no such folder")
    data = root / "data" if (root / "data").is_dir() else root
    samples: list[Sample] = []
    for split in card.splits:
        if not (data / split).is_dir():
            packed = any(root.glob("codan_*.tar.bz2*"))
            hint = f"; `pipeline data unpack codan --root {root}` first" if packed else ""
            raise TaskError(f"{data}: has no {split}/; expected {card.layout}{hint}")
        samples += class_folders(data / split, split, card.classes)
    return Task(
        name="codan",
        kind="classification",
        samples=tuple(samples),
        protocol=card.protocol(protocol),
        classes=card.classes,
        card=card,
    )


def folder(root: Path, protocol: str | None = None) -> Task:
    """A user's folder per class; the class order comes from `classes.yaml` or the evaluator.

    Raises:
        TaskError: missing folder, no images, or a folder that is no class of `classes.yaml`.
    """
    card = load_card("classification")
    class_list = find_class_list(root)
    classes = class_list.classes if class_list else None
    return Task(
        name=f"classification:{root}",
        kind="classification",
        samples=tuple(class_folders(root, root.resolve().name, classes)),
        protocol=card.protocol(protocol),
        classes=classes,
        card=card,
    )


def class_folders(root: Path, split: str, classes: tuple[str, ...] | None) -> list[Sample]:
    """The images of `root/CLASS/`, sorted by class folder and name.

    Raises:
        TaskError: no folder, no images, or a folder that is not in `classes`.
    """
    if not root.is_dir():
        raise TaskError(f"{root}: no such folder")
    folders = sorted(f for f in root.iterdir() if f.is_dir() and not f.name.startswith("."))
    for path in folders:
        require_class(path.name, classes, path)
    samples = [
        Sample(id=f"{split}/{path.name}/{image.stem}", split=split, image=image, target=path.name)
        for path in folders
        for image in image_files(path)
    ]
    if not samples:
        raise TaskError(f"{root}: no images; expected a folder per class with images in it")
    return samples


def require_class(name: str, classes: tuple[str, ...] | None, path: Path) -> None:
    """Raise a TaskError when `classes` is known and `name` is not among them."""
    if classes is not None and name not in classes:
        raise TaskError(f"{path}: folder '{name}' is none of the classes {_short(classes)}")


def _short(names: tuple[str, ...], most: int = 10) -> str:
    return ", ".join(names[:most]) + (f", … ({len(names)} in all)" if len(names) > most else "")
