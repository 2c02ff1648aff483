"""What a network is trained on: low-light files, their partners, and how the two are matched."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.errors import TaskError
from tasks.images import image_files

NAMED = 5
"""How many names an error lists before it says how many there are."""


@dataclass(frozen=True)
class Pair:
    """A low-light image and the normal-light image of the same scene."""

    low: Path
    normal: Path


@dataclass(frozen=True)
class TrainingSet:
    """Files of images, or of uint8 H×W×3 BGR arrays (.npy).

    TaskError when there is nothing to train on.

    Attributes:
        low: low-light images.
        normal: normal-light images; empty where the set has none.
        paired: normal[i] shows the scene of low[i]; else any number of any scenes.
        held_out: pairs for validation, never trained on; empty where the set has none.
    """

    name: str
    low: tuple[Path, ...]
    normal: tuple[Path, ...] = ()
    paired: bool = False
    held_out: tuple[Pair, ...] = ()

    def __post_init__(self) -> None:
        if not self.low:
            raise TaskError(f"{self.name}: no images to train on")

    def unpaired(self) -> "TrainingSet":
        """The same images as nobody's partner, for adversarial training on a paired set."""
        return replace(self, paired=False)

    def with_validation(self, count: int) -> "TrainingSet":
        """`count` pairs, spread evenly over the set, are held out instead of its test split.

        Raises:
            TaskError: the set is not paired, or nothing would be left to train on.
        """
        if not self.paired or count >= len(self.low):
            kind = "pairs" if self.paired else "unpaired images"
            raise TaskError(
                f"{self.name}: cannot hold out {count} of its {len(self.low)} {kind}; "
                "change data.validation in the recipe"
            )
        pairs = list(map(Pair, self.low, self.normal))
        taken = {(2 * i + 1) * len(pairs) // (2 * count) for i in range(count)}
        train = (pair for i, pair in enumerate(pairs) if i not in taken)
        return paired_set(self.name, train, (pairs[i] for i in sorted(taken)))


def paired_set(name: str, pairs: Iterable[Pair], held_out: Iterable[Pair] = ()) -> TrainingSet:
    """`pairs` to train on, `held_out` to validate on."""
    pairs = tuple(pairs)
    low, normal = tuple(pair.low for pair in pairs), tuple(pair.normal for pair in pairs)
    return TrainingSet(name, low, normal, paired=True, held_out=tuple(held_out))


def paired_files(folder: Path) -> list[Pair]:
    """Pairs of `folder/{low,high}`, matched by stem, whatever the format.

    Raises:
        TaskError: a folder is missing or empty, or a file has no partner.
    """
    low, high = ({f.stem: f for f in image_files(folder / name)} for name in ("low", "high"))
    if not low:
        raise TaskError(f"{folder / 'low'}: no images")
    return matched(low, high, folder)


def matched(low: Mapping[str, Path], normal: Mapping[str, Path], root: Path) -> list[Pair]:
    """Pairs of equal keys, sorted by key. TaskError that names the files below `root` without."""
    alone = sorted(low.keys() ^ normal.keys())
    if alone:
        files = (low.get(key) or normal[key] for key in alone)
        names = [f"{file.name} in {file.parent.relative_to(root)}" for file in files]
        raise TaskError(f"{root}: {len(alone)} files have no partner: {listed(names)}")
    return [Pair(low[key], normal[key]) for key in sorted(low)]


def require_folders(root: Path, *names: str) -> None:
    """TaskError that names every folder of `names` that is not below `root`."""
    missing = [f"{name}/" for name in names if not (root / name).is_dir()]
    if missing:
        expected = ", ".join(f"{name}/" for name in names)
        raise TaskError(f"{root}: has no {', '.join(missing)}; expected {expected}")


def listed(names: list[str]) -> str:
    """The first few of `names`, for an error that says elsewhere how many there are."""
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
