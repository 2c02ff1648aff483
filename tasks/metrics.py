"""Scores as pure functions of per-image statistics."""

import numpy as np
import torch


def confusion_matrix(
    prediction: torch.Tensor,
    label: torch.Tensor,
    num_classes: int,
    ignore_index: int,
    void_output: bool = False,
) -> np.ndarray:
    """Pixel confusion of one image.

    Args:
        prediction: (H, W) integer, values 0…C−1, and C for void when `void_output`.
        label: (H, W) integer, values 0…C−1 or `ignore_index`.
        num_classes: C.

    Returns:
        (C, C) int64, or (C, C+1) when `void_output`; rows are truth, columns prediction; ignored
        pixels are left out.
    """
    # Here, because it takes seconds to import, and most commands have no confusion.
    from torchmetrics.functional.classification import multiclass_confusion_matrix

    outputs = num_classes + void_output
    matrix = multiclass_confusion_matrix(
        prediction, label, outputs, ignore_index=ignore_index, validate_args=False
    )
    return matrix[:num_classes].cpu().numpy().astype(np.int64)


def class_iou(confusion: np.ndarray) -> np.ndarray:
    """Intersection over union of each class, TP / (TP + FP + FN).

    A class absent from the truth but predicted scores 0; one absent from both is NaN. A pixel
    predicted void is a miss of its class and of no other.

    Args:
        confusion: (..., C, C) or (..., C, C+1) counts, as `confusion_matrix`.

    Returns:
        (..., C) float64 in [0, 1] or NaN.
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1).astype(np.float64)
    predicted = confusion.sum(-2)[..., : confusion.shape[-2]]
    union = confusion.sum(-1) + predicted - hits
    return np.divide(hits, union, out=np.full(hits.shape, np.nan), where=union > 0)


def mean_iou(confusion: np.ndarray) -> np.ndarray:
    """mIoU: mean of `class_iou` over the classes that count.

    Args:
        confusion: as `class_iou`, of a whole dataset.

    Returns:
        (...) float64 in [0, 1]; NaN when no class counts.
    """
    iou = class_iou(confusion)
    counted = ~np.isnan(iou)
    total = np.where(counted, iou, 0).sum(-1)
    count = counted.sum(-1)
    return np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)


def pixel_accuracy(confusion: np.ndarray) -> np.ndarray:
    """Share of labelled pixels that are right, of a confusion as `class_iou`.

    Returns:
        (...) float64 in [0, 1]; NaN where no pixel is labelled.
    """
    hits = np.trace(confusion, axis1=-2, axis2=-1).astype(np.float64)
    total = confusion.sum((-2, -1))
    return np.divide(hits, total, out=np.full(np.shape(hits), np.nan), where=total > 0)


def total(confusions: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """The confusion of a whole dataset, for `class_iou` and the like.

    Args:
        confusions: (N, C, C) or (N, C, C+1) int64, one an image.
        weight: (R, N) how often each image counts (bootstrap resamples); None is once.

    Returns:
        (C, C) or (C, C+1) int64, or (R, ...) float64 with `weight`.
    """
    if weight is None:
        return confusions.sum(0)
    # Counts below 2**53 are exact in float64, which has a fast product; int64 has none.
    flat = confusions.reshape(len(confusions), -1).astype(np.float64)
    return (weight.astype(np.float64, copy=False) @ flat).reshape(-1, *confusions.shape[1:])


def mean(values: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Mean of a value of every image: PSNR, SSIM, LPIPS, or whether it is right (Top-1).

    Args:
        values: (N,) float64 or bool.
        weight: (..., N) as in `total`.

    Returns:
        (...) float64.
    """
    values = values.astype(np.float64)
    return values.mean() if weight is None else weight @ values / weight.sum(-1)
