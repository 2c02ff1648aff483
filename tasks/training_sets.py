"""The layouts in which training data is published, by name.

Every layout reads `root` and gives a `TrainingSet`. Images are matched by stem, so that a folder
may hold any image format, or .npy. TaskError names a folder that is missing or empty, and the
files that have no partner.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tasks.array_scenes import sdsd, sid, smid
from tasks.errors import TaskError
from tasks.pairs import TrainingSet, matched, paired_set, require_folders
from tasks.training_files import by_frame, by_stem


def training_set(name: str, root: Path) -> TrainingSet:
    """The training set at `root`, in the layout called `name`.

    Raises:
        TaskError: no such layout, or `root` does not have it.
    """
    if name not in LAYOUTS:
        raise TaskError(f"there is no training set '{name}'; there are {', '.join(LAYOUTS)}")
    return LAYOUTS[name](root)


def lol(root: Path) -> TrainingSet:
    """LOL-v1 (Wei et al., BMVC 2018): {our485,eval15}/{low,high}; eval15 is held out."""
    return _two_splits("lol", root, ("our485", "eval15"), ("low", "high"), by_stem)


def lolv2(part: str, name: str, root: Path) -> TrainingSet:
    """LOL-v2 (Yang et al., TIP 2021): PART/{Train,Test}/{Low,Normal}; Test is held out.

    PART is Real_captured or Synthetic. Real_captured is published with files called low00001 and
    normal00001, and goes round renamed to 00001: both match.
    """
    splits = (f"{part}/Train", f"{part}/Test")
    return _two_splits(
        name, root, splits, ("Low", "Normal"), lambda f: by_stem(f, prefix=f.name.lower())
    )


def lolblur(kind: str, name: str, root: Path) -> TrainingSet:
    """LOL-Blur (Zhou et al., ECCV 2022): {train,test}/{KIND,high_sharp_scaled}/SEQUENCE/*.png.

    KIND is low_blur, or low_blur_noise, on which the authors' released recipe trains. Test is held
    out. Folder names are those of the authors' readme and options files.
    """
    return _two_splits(name, root, ("train", "test"), (kind, "high_sharp_scaled"), by_frame)


def sice(root: Path) -> TrainingSet:
    """SICE Part 1 as Zero-DCE trains on it: one flat folder, several exposures of each scene.

    2,002 images, over-exposed ones among them; no target, nothing held out.
    """
    return TrainingSet("sice", tuple(by_stem(root).values()))


def unpaired(root: Path) -> TrainingSet:
    """{low,normal}, or EnlightenGAN's {trainA,trainB}: any number each, whatever their names."""
    names = ("trainA", "trainB") if (root / "trainA").is_dir() else ("low", "normal")
    require_folders(root, *names)
    low, normal = (tuple(by_stem(root / name).values()) for name in names)
    return TrainingSet("unpaired", low, normal)


def paired(root: Path) -> TrainingSet:
    """A user's own {low,high}, matched by stem; nothing held out."""
    require_folders(root, "low", "high")
    return paired_set("paired", matched(by_stem(root / "low"), by_stem(root / "high"), root))


def _two_splits(
    name: str,
    root: Path,
    splits: tuple[str, str],
    folders: tuple[str, str],
    read: Callable[[Path], dict[str, Path]],
) -> TrainingSet:
    """`root/SPLIT/FOLDER` for both splits, the second held out; `read` gives a folder's files."""
    require_folders(root, *(f"{split}/{folder}" for split in splits for folder in folders))
    train, held_out = (
        matched(*(read(root / split / folder) for folder in folders), root) for split in splits
    )
    return paired_set(name, train, held_out)


LAYOUTS: dict[str, Callable[[Path], TrainingSet]] = {
    "lol": lol,
    "lolv2_real": partial(lolv2, "Real_captured", "lolv2_real"),
    "lolv2_synthetic": partial(lolv2, "Synthetic", "lolv2_synthetic"),
    "lolblur": partial(lolblur, "low_blur", "lolblur"),
    "lolblur_noise": partial(lolblur, "low_blur_noise", "lolblur_noise"),
    "sice": sice,
    "sid": sid,
    "smid": smid,
    "sdsd_indoor": partial(sdsd, "indoor"),
    "sdsd_outdoor": partial(sdsd, "outdoor"),
    "unpaired": unpaired,
    "paired": paired,
}
