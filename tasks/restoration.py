"""Paired restoration: an enhanced image against the normal-light image of the same scene."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from tasks import metrics, quality
from tasks.errors import TaskError
from tasks.evaluators import Evaluator, Record
from tasks.images import image_size, read_rgb
from tasks.pairs import paired_files
from tasks.protocol import load_card
from tasks.task import Sample, Task, require_size


def lol(root: Path, protocol: str | None = None) -> Task:
    """LOL-v1's test pairs, `eval15/{low,high}` (Wei et al., BMVC 2018).

    Raises:
        TaskError: layout not found, no images, or a file without its partner.
    """
    card = load_card("lol")
    if not (root / "eval15").is_dir():
        raise TaskError(f"{root}: has no eval15/; expected {card.layout}")
    return replace(_paired(root / "eval15", "eval15", "lol", protocol), name="lol")


def folder(root: Path, protocol: str | None = None) -> Task:
    """A user's own pairs, `root/{low,high}`; errors as `lol`."""
    return _paired(root, root.resolve().name, "restoration", protocol)


def _paired(root: Path, split: str, card_name: str, protocol: str | None) -> Task:
    card = load_card(card_name)
    samples = tuple(
        Sample(f"{split}/low/{pair.low.stem}", split, pair.low, pair.normal)
        for pair in paired_files(root)
    )
    return Task(
        name=f"{card_name}:{root}",
        kind="restoration",
        samples=samples,
        protocol=card.protocol(protocol),
        classes=None,
        card=card,
    )


class RestorationEvaluator(Evaluator):
    """PSNR, SSIM and LPIPS against the normal-light image, per image and then averaged.

    `lpips` is None where its backbone is not here; then that column is left out and a note
    names the `remedy`.
    """

    units: ClassVar = {"PSNR": "dB", "SSIM": "", "SSIM_gauss": "", "LPIPS": ""}

    def __init__(self, lpips: quality.LPIPS | None, task: Task, remedy: str = "") -> None:
        small = _too_small(task) if lpips else None
        super().__init__(None if small else lpips, task)
        if lpips is None:
            self.notes = (f"LPIPS is left out, its AlexNet is not here: {remedy}",)
        elif small:
            side = quality.LPIPS_SMALLEST_SIDE
            self.notes = (f"LPIPS is left out, {small.image} has fewer than {side} pixels a side",)

    @staticmethod
    def read_target(sample: Sample) -> torch.Tensor:
        """The normal-light image, (H, W, 3) uint8."""
        return torch.from_numpy(read_rgb(Path(sample.target)).copy())

    def measure(
        self, enhanced: torch.Tensor, samples: Sequence[Sample], targets: Sequence[torch.Tensor]
    ) -> list[Record]:
        for sample, target in zip(samples, targets, strict=True):
            require_size(sample, target.shape, enhanced.shape[-2:])
        truth = torch.stack(tuple(targets)).to(enhanced.device)
        truth = truth.permute(0, 3, 1, 2).float().div_(255)
        if self.task.protocol.match_brightness:
            enhanced = quality.matched_brightness(enhanced, truth)
        enhanced = self.chain(enhanced)
        values = [_pixelwise(e, t) for e, t in zip(_arrays(enhanced), _arrays(truth), strict=True)]
        if self.model:
            for one, distance in zip(values, self._lpips(enhanced, truth, samples[0]), strict=True):
                one["LPIPS"] = distance
        return [
            Record(sample.id, sample.split, values=one)
            for sample, one in zip(samples, values, strict=True)
        ]

    def _lpips(self, enhanced: torch.Tensor, truth: torch.Tensor, sample: Sample) -> list[float]:
        height, width = enhanced.shape[-2:]
        if min(height, width) < quality.LPIPS_SMALLEST_SIDE:
            raise TaskError(
                f"{sample.image}: is cropped to {width}x{height}; LPIPS needs "
                f"{quality.LPIPS_SMALLEST_SIDE} pixels a side"
            )
        with torch.autocast(enhanced.device.type, enabled=False):
            return self.model(enhanced, truth).tolist()

    def scores(self, records: Sequence[Record], weight: np.ndarray | None = None) -> dict:
        scores = {}
        for name in records[0].values:
            values = np.array([record.values[name] for record in records])
            scores[name] = metrics.mean(values, weight)
        return scores

    def per_class(self, records: Sequence[Record]) -> dict[str, float | None]:
        return {}


def _too_small(task: Task) -> Sample | None:
    side = quality.LPIPS_SMALLEST_SIDE
    return next((s for s in task.samples if min(image_size(s.image)) < side), None)


def _pixelwise(image: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    return {
        "PSNR": quality.psnr(image, truth),
        "SSIM": quality.ssim(image, truth),
        "SSIM_gauss": quality.ssim_gauss(image, truth),
    }


def _arrays(images: torch.Tensor) -> Sequence[np.ndarray]:
    return images.permute(0, 2, 3, 1).cpu().double().numpy()
