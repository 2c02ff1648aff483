"""The 19 Cityscapes train classes, which both night-driving benchmarks score."""

import numpy as np

VOID = 255

CLASSES = (
    "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign",
    "vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "train",
    "motorcycle", "bicycle",
)  # fmt: skip

# Cityscapes label id of each train id, in train-id order (cityscapesScripts, labels.py).
LABEL_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)

# Ids that Cityscapes defines beside the evaluated ones; they are void.
VOID_LABEL_IDS = (0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30)

UNKNOWN = -1


def train_id_table() -> np.ndarray:
    """Stored `labelTrainIds` value → train id: 0–18 as they are, 255 void, all else unknown.

    Returns:
        (256,) int16; UNKNOWN (-1) marks an id that the format does not define.
    """
    table = np.full(256, UNKNOWN, np.int16)
    table[: len(CLASSES)] = np.arange(len(CLASSES))
    table[VOID] = VOID
    return table


def label_id_table() -> np.ndarray:
    """Stored `labelIds` value → train id (255 for void).

    Returns:
        (256,) int16; UNKNOWN (-1) marks an id that Cityscapes does not define.
    """
    table = np.full(256, UNKNOWN, np.int16)
    table[list(VOID_LABEL_IDS)] = VOID
    table[list(LABEL_IDS)] = np.arange(len(CLASSES))
    # -1 (licence plate) is stored as 255 in 8-bit files.
    table[255] = VOID
    return table
