"""Training small daytime evaluators: a plain loop for a classifier and for a segmentor."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import Dataset

from tasks import mm
from tasks.errors import TaskError
from tasks.images import read_rgb
from tasks.loading import Batches
from tasks.models import timm_normalisation
from tasks.task import ClassReader, LabelReader, Sample, Task

OnStep = Callable[[int, int, float], None]


@dataclass(frozen=True)
class Recipe:
    """How an evaluator is trained.

    Attributes:
        epochs, batch_size: passes over the data, images at a time.
        learning_rate: peak of a one-cycle schedule (AdamW).
        weight_decay: of AdamW.
        input_size: (H, W) that a classifier sees; None keeps the images' size.
        crop: (H, W) of a segmentor's random crop; None is the whole image.
        flip: mirror at random; off where a mirrored object is another class.
        jitter: brightness and contrast are scaled by factors from 1-jitter to 1+jitter.
    """

    epochs: int
    batch_size: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    input_size: tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    flip: bool = True
    jitter: float = 0.3

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_size) < 1:
            raise TaskError("epochs and batch_size must be at least 1")
        if not self.learning_rate > 0 or self.weight_decay < 0 or not 0 <= self.jitter < 1:
            raise TaskError("learning_rate > 0, weight_decay >= 0 and 0 <= jitter < 1 are needed")


def train_classifier(
    model: nn.Module, task: Task, recipe: Recipe, seed: int, device: torch.device, on_step: OnStep
) -> None:
    """Train a timm model on a classification task's samples, normalised as timm states.

    Raises:
        TaskError: an image cannot be read, or the images of a batch differ in size.
    """
    mean, std = (value.to(device) for value in timm_normalisation(model))

    def loss(image: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(model((image - mean) / std), target)

    data = _Augmented(task.samples, ClassReader(task.classes or ()), recipe, seed)
    _train(model, data, loss, recipe, seed, device, on_step)


def train_segmentor(
    model: nn.Module, task: Task, recipe: Recipe, seed: int, device: torch.device, on_step: OnStep
) -> None:
    """Train an mmsegmentation model on a segmentation task's samples by its own heads' losses.

    Raises:
        TaskError: an image or label cannot be read, is smaller than the crop, or the images of a
            batch differ in size.
    """

    def loss(image: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return mm.segmentation_loss(model, image, target.where(target != task.ignore_index, 255))

    data = _Augmented(task.samples, LabelReader(task), recipe, seed)
    _train(model, data, loss, recipe, seed, device, on_step)


def _train(
    model: nn.Module,
    data: "_Augmented",
    loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    recipe: Recipe,
    seed: int,
    device: torch.device,
    on_step: OnStep,
) -> None:
    loader = Batches(
        data,
        batch_size=recipe.batch_size,
        shuffle=True,
        drop_last=len(data) >= recipe.batch_size,
        num_workers=2,
        collate=_stack,
        generator=torch.Generator().manual_seed(seed),
    )
    model.train().to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    steps = recipe.epochs * len(loader)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, steps)
    step = 0
    for epoch in range(recipe.epochs):
        data.epoch = epoch
        for image, target in loader:
            loss = loss_of(image.to(device), target.to(device))
            if not torch.isfinite(loss):
                raise TaskError(f"the loss is not finite at step {step}; lower the learning rate")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
            on_step(step, steps, loss.item())
    model.eval()


def _stack(items: list[tuple[torch.Tensor, torch.Tensor]]) -> tuple[torch.Tensor, torch.Tensor]:
    sizes = {tuple(image.shape[-2:]) for image, _ in items}
    if len(sizes) > 1:
        (one, other), *_ = [sorted(sizes)[:2]]
        raise TaskError(
            f"training images differ in size ({one[1]}x{one[0]}, {other[1]}x{other[0]}); set "
            "`input_size` (classification) or `crop` (segmentation) in the recipe"
        )
    images, targets = zip(*items, strict=True)
    return torch.stack(images), torch.stack(targets)


class _Augmented(Dataset):
    """Images in [0, 1] and targets; every random choice comes from (seed, epoch, index)."""

    def __init__(
        self,
        samples: tuple[Sample, ...],
        read_target: Callable[[Sample], torch.Tensor],
        recipe: Recipe,
        seed: int,
    ) -> None:
        self.samples, self.read_target = samples, read_target
        self.recipe, self.seed = recipe, seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        recipe, sample = self.recipe, self.samples[index]
        rng = np.random.default_rng((self.seed, self.epoch, index))
        image = torch.from_numpy(read_rgb(sample.image).copy()).permute(2, 0, 1).float() / 255
        target = self.read_target(sample)
        if recipe.input_size:
            image = F.interpolate(image[None], recipe.input_size, mode="bilinear", antialias=True)[
                0
            ]
        if recipe.crop:
            image, target = _crop(image, target, recipe.crop, rng, sample)
        if recipe.flip and rng.random() < 0.5:
            image = image.flip(-1)
            target = target.flip(-1) if target.ndim else target
        brightness, contrast = rng.uniform(1 - recipe.jitter, 1 + recipe.jitter, size=2)
        mean = image.mean()
        image = ((image - mean) * float(contrast) + mean) * float(brightness)
        return image.clamp(0, 1), target


def _crop(
    image: torch.Tensor,
    target: torch.Tensor,
    crop: tuple[int, int],
    rng: np.random.Generator,
    sample: Sample,
) -> tuple[torch.Tensor, torch.Tensor]:
    height, width = image.shape[-2:]
    if height < crop[0] or width < crop[1]:
        raise TaskError(f"{sample.image}: is smaller than the crop {crop[1]}x{crop[0]}")
    top, left = rng.integers(height - crop[0] + 1), rng.integers(width - crop[1] + 1)
    window = np.s_[..., top : top + crop[0], left : left + crop[1]]
    return image[window], target[window]
