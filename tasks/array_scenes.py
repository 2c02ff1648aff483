"""Layouts of the SNR-Aware release (Xu et al., CVPR 2022): one folder of .npy files a scene.

The arrays are uint8 H×W×3 BGR, 512×960. A scene belongs to one split as a whole, by the lists of
that release, and every scene needs a folder on both sides.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from tasks.errors import TaskError
from tasks.pairs import Pair, TrainingSet, listed, matched, paired_set, require_folders
from tasks.training_files import by_scene

# fmt: off
SMID_TEST = frozenset((
    "0007", "0009", "0010", "0012", "0013", "0020", "0036", "0037", "0039", "0047", "0048", "0049",
    "0050", "0051", "0052", "0065", "0066", "0075", "0076", "0078", "0083", "0088", "0091", "0092",
    "0099", "0103", "0104", "0105", "0106", "0107", "0129", "0139", "0145", "0147", "0151", "0153",
    "0154", "0157", "0166", "0167", "0169", "0170", "0172", "0175", "0177", "0180", "0181", "0191",
    "0196",
))
"""Test scenes published with SMID (Chen et al., ICCV 2019)."""

SDSD_TEST = {
    "indoor": frozenset(("pair1", "pair4", "pair9", "pair11", "pair19", "pair21")),
    "outdoor": frozenset((
        "MVI_0898", "MVI_0906", "MVI_0928", "MVI_0975", "MVI_0997", "MVI_1001", "MVI_1003",
        "MVI_1026", "MVI_1030", "MVI_1032",
    )),
}
"""Test scenes in the options files of the SNR-Aware release."""
# fmt: on

Scenes = Mapping[str, list[Path]]


def sid(root: Path) -> TrainingSet:
    """SID, Sony (Chen et al., CVPR 2018): {short_sid2,long_sid2}/SCENE; scenes 1… are held out.

    Every short exposure is paired with its scene's long one, the first by name if there are
    several. SID's validation scenes, 2…, are trained on, as the releases do.
    """
    low, normal = _both_sides(root, "short_sid2", "long_sid2")
    pairs = {scene: _to_first(files, normal[scene]) for scene, files in low.items()}
    return _split("sid", pairs, lambda scene: scene.startswith("1"))


def smid(root: Path) -> TrainingSet:
    """SMID (Chen et al., ICCV 2019): {SMID_LQ_np,SMID_Long_np}/SCENE; SMID_TEST is held out.

    Every frame is paired with its scene's long exposure: the first by name, those of half size
    ("half" in their names) left aside.
    """
    low, normal = _both_sides(root, "SMID_LQ_np", "SMID_Long_np")
    full = {scene: [f for f in files if "half" not in f.stem] for scene, files in normal.items()}
    empty = [scene for scene, files in full.items() if not files]
    if empty:
        raise TaskError(f"{root}: {len(empty)} scenes have no long exposure: {listed(empty)}")
    pairs = {scene: _to_first(files, full[scene]) for scene, files in low.items()}
    return _split("smid", pairs, SMID_TEST.__contains__)


def sdsd(part: str, root: Path) -> TrainingSet:
    """SDSD, static (Wang et al., ICCV 2021): PART_static_np/{input,GT}/SCENE; SDSD_TEST held out.

    PART is indoor or outdoor. Frames are paired by name (the release: by their order, which is the
    same). A second take SCENE_2 follows its scene.
    """
    low, normal = _both_sides(root, f"{part}_static_np/input", f"{part}_static_np/GT")
    pairs = {
        scene: matched({f.stem: f for f in files}, {f.stem: f for f in normal[scene]}, root)
        for scene, files in low.items()
    }
    return _split(f"sdsd_{part}", pairs, lambda scene: scene.partition("_2")[0] in SDSD_TEST[part])


def _both_sides(root: Path, low: str, normal: str) -> tuple[Scenes, Scenes]:
    require_folders(root, low, normal)
    sides = by_scene(root / low), by_scene(root / normal)
    alone = sorted(sides[0].keys() ^ sides[1].keys())
    if alone:
        names = [f"{scene} in {low if scene in sides[0] else normal}" for scene in alone]
        raise TaskError(f"{root}: {len(alone)} scenes have no partner: {listed(names)}")
    return sides


def _to_first(low: list[Path], normal: list[Path]) -> list[Pair]:
    return [Pair(frame, normal[0]) for frame in low]


def _split(
    name: str, pairs: Mapping[str, list[Pair]], is_test: Callable[[str], bool]
) -> TrainingSet:
    train = [pair for scene in sorted(pairs) if not is_test(scene) for pair in pairs[scene]]
    held_out = [pair for scene in sorted(pairs) if is_test(scene) for pair in pairs[scene]]
    return paired_set(name, train, held_out)
