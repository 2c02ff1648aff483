"""PSNR and SSIM of both paths on held-out pairs, whole images."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from enhancers.base import Enhancer
from enhancers.training import has_paths, plain_network
from pipeline.ranks import Ranks
from tasks import quality
from tasks.pairs import Pair
from tasks.stream import whole


class Validation:
    """Measures a model on `pairs`; each rank takes every R-th of them."""

    def __init__(self, pairs: Sequence[Pair], device: torch.device, ranks: Ranks) -> None:
        self.images = whole(pairs[ranks.rank :: ranks.size])
        self.device, self.ranks = device, ranks

    @torch.no_grad()
    def __call__(self, model: Enhancer) -> dict[str, float]:
        """Means of `plain.psnr`, `plain.ssim`, and of `lfpv.…` where there are trained nodes."""
        was_training = model.training
        model.eval()
        rows = [row for one in self.images for row in self._measure(model, one.low, one.normal)]
        model.train(was_training)
        rows = [row for part in self.ranks.gather(rows) for row in part]
        return mean_of(rows)

    def _measure(self, model: Enhancer, low: Tensor, normal: Tensor) -> list[dict[str, float]]:
        low = low.to(self.device)
        outputs = {"plain": plain_network(model)(low)}
        if has_paths(model) and getattr(model, "trained", True):
            outputs["lfpv"] = model(low)
        return [_scores(outputs, normal, index) for index in range(len(normal))]


def _scores(outputs: dict[str, Tensor], normal: Tensor, index: int) -> dict[str, float]:
    truth = _array(normal[index])
    scores = {}
    for path, images in outputs.items():
        image = _array(images[index])
        scores[f"{path}.psnr"] = quality.psnr(image, truth)
        scores[f"{path}.ssim"] = quality.ssim(image, truth)
    return scores


def mean_of(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of each key over the rows that have it."""
    keys = dict.fromkeys(key for row in rows for key in row)
    return {key: float(np.mean([row[key] for row in rows if key in row])) for key in keys}


def main_score(scores: dict[str, float]) -> float:
    """By which the best checkpoint is chosen: PSNR of the path that inference takes."""
    return scores.get("lfpv.psnr", scores["plain.psnr"])


def training_psnr(image: Tensor, normal: Tensor) -> float:
    """PSNR of a training batch, on its device; B×3×H×W in [0, 1]."""
    error = (image - normal).square().flatten(1).mean(1).clamp_min(1e-10)
    return -10 * error.log10().mean().item()


def _array(image: Tensor) -> np.ndarray:
    return image.permute(1, 2, 0).cpu().double().numpy()
