"""The chain, in memory on one device: decode → enhance → round and resize → evaluate."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch.utils.data import Dataset

from enhancers.errors import EnhancerError
from pipeline.cache import Cached
from pipeline.clock import now
from pipeline.errors import PipelineError
from pipeline.own.images import ImageFolder
from pipeline.precision import precision
from tasks.evaluators import Evaluator, Record
from tasks.loading import Batches
from tasks.task import Sample, Task

Enhance = Callable[[torch.Tensor], torch.Tensor] | Cached


@dataclass(frozen=True)
class ChainOptions:
    """How the chain runs; only `amp` may change a score beyond rounding.

    Attributes:
        device: where enhancer and evaluator run.
        amp: mixed precision (bfloat16 on CPU, float16 on CUDA) in both networks.
        batch_size: images at a time; only images of one size share a batch.
        workers: decoding processes beside the main one.
    """

    device: torch.device
    amp: bool = False
    batch_size: int = 1
    workers: int = 0


def default_batch(task: Task) -> int:
    """Images at a time where nobody says how many."""
    return 16 if task.kind == "classification" else 1


@dataclass(frozen=True)
class Measured:
    """One image's record, its seconds per stage, and what a picture of it needs.

    Attributes:
        source: (H, W, 3) uint8 on the CPU.
        enhanced: (3, H, W) float32 in [0, 1] on the chain's device.
        target: () or (H, W) int64 on the CPU.
    """

    record: Record
    seconds: dict[str, float]
    source: torch.Tensor = field(repr=False)
    enhanced: torch.Tensor = field(repr=False)
    target: torch.Tensor = field(repr=False)


@torch.inference_mode()
def measure(
    enhance: Enhance,
    evaluator: Evaluator,
    options: ChainOptions,
    batches: Sequence[Sequence[int]] | None = None,
) -> Iterator[Measured]:
    """Send samples of the evaluator's task through the chain, in order.

    Args:
        enhance: (B, 3, H, W) float32 RGB in [0, 1] → the same shape and range.
        batches: their indices; None is all of them, cut by `options`.

    Raises:
        TaskError: an unreadable image or label.
        PipelineError: the enhancer changes the size or gives values that are not finite.
    """
    if batches is None:
        batches = cut(len(evaluator.task.samples), options.batch_size)
    for items in decoded(enhance, [evaluator], options, batches):
        for group in equal_sizes(items):
            for (one,) in measure_group(group, enhance, [evaluator], options):
                yield one


def cut(images: int, batch: int) -> list[range]:
    """Indices 0 … images − 1 in batches, all of one length but the last."""
    return [range(start, min(start + batch, images)) for start in range(0, images, batch)]


def decoded(
    enhance: Enhance,
    evaluators: Sequence[Evaluator],
    options: ChainOptions,
    batches: Sequence[Sequence[int]],
) -> Iterator[list["Item"]]:
    """The samples of those indices, read; `evaluators` share the images and have truths of their
    own. Raises as `measure`.
    """
    task = evaluators[0].task
    results = enhance if isinstance(enhance, ImageFolder) else None
    if results:
        results.require(task)
    yield from Batches(
        _Decoded(evaluators, results),
        batch_sampler=batches,
        num_workers=options.workers,
        collate=list,
        pin_memory=options.device.type == "cuda",
    )


@dataclass(frozen=True)
class Item:
    """A sample as it was read; per evaluator its own sample (of the same image) and truth."""

    samples: tuple[Sample, ...]
    image: torch.Tensor
    targets: tuple[torch.Tensor, ...]
    seconds: float
    enhanced: torch.Tensor | None = None

    def pin_memory(self) -> "Item":
        return replace(self, image=self.image.pin_memory())


class _Decoded(Dataset):
    """Samples decoded to (H, W, 3) uint8, with their targets and, if given, enhanced versions."""

    def __init__(self, evaluators: Sequence[Evaluator], results: ImageFolder | None) -> None:
        # Not the evaluators themselves: their models do not belong into reading processes.
        self.tasks = [evaluator.task for evaluator in evaluators]
        self.readers = [evaluator.read_target for evaluator in evaluators]
        self.results = results

    def __len__(self) -> int:
        return len(self.tasks[0].samples)

    def __getitem__(self, index: int) -> Item:
        started = time.perf_counter()
        samples = tuple(task.samples[index] for task in self.tasks)
        image = torch.from_numpy(self.tasks[0].read_image(samples[0]).copy())
        pairs = zip(self.readers, samples, strict=True)
        targets = tuple(read_target(sample) for read_target, sample in pairs)
        enhanced = self.results.read(samples[0], image.shape[:2]) if self.results else None
        return Item(samples, image, targets, time.perf_counter() - started, enhanced)


def equal_sizes(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Cut a batch where the image size changes."""
    group: list[Item] = []
    for item in items:
        if group and item.image.shape != group[0].image.shape:
            yield group
            group = []
        group.append(item)
    if group:
        yield group


@torch.inference_mode()
def measure_group(
    group: Sequence[Item],
    enhance: Enhance,
    evaluators: Sequence[Evaluator],
    options: ChainOptions,
) -> Iterator[tuple[Measured, ...]]:
    """Enhance images of one size, once; per image what each evaluator makes of it."""
    device = options.device
    source = torch.stack([item.image for item in group]).to(device, non_blocking=True)
    image = source.permute(0, 3, 1, 2).float().div_(255)
    with precision(device, options.amp):
        enhanced, seconds = _enhanced(group, image, enhance)
        columns = [
            _evaluated(group, index, image, enhanced, evaluator, seconds)
            for index, evaluator in enumerate(evaluators)
        ]
    yield from zip(*columns, strict=True)


def _evaluated(
    group: Sequence[Item],
    index: int,
    image: torch.Tensor,
    enhanced: torch.Tensor,
    evaluator: Evaluator,
    enhancing: float,
) -> list[Measured]:
    """What evaluator number `index` makes of a group; `enhancing` is in seconds an image."""
    started = now(image.device)
    samples = [item.samples[index] for item in group]
    targets = [_cropped(item.targets[index], image, enhanced) for item in group]
    records = evaluator.measure(enhanced, samples, targets)
    evaluating = (now(image.device) - started) / len(group)
    rows = zip(group, records, enhanced, targets, strict=True)
    return [
        Measured(
            record,
            {"decode": item.seconds, "enhance": enhancing, "evaluate": evaluating},
            item.image,
            picture,
            target,
        )
        for item, record, picture, target in rows
    ]


def _enhanced(
    group: Sequence[Item], image: torch.Tensor, enhance: Enhance
) -> tuple[torch.Tensor, float]:
    """(B, 3, H, W) float32 in [0, 1], and the seconds that an image took when it was enhanced."""
    started = now(image.device)
    if group[0].enhanced is not None:
        given = torch.stack([item.enhanced for item in group]).to(image.device)
        enhanced = given.permute(0, 3, 1, 2).float().div_(255)
        return enhanced, (now(image.device) - started) / len(group)
    cached = enhance if isinstance(enhance, Cached) else None
    if cached and (found := cached.get(image)):
        return found
    started = now(image.device)
    model = cached.enhance if cached else enhance
    enhanced = enhanced_image(model, image, group[0].samples[0].image)
    seconds = (now(image.device) - started) / len(group)
    if cached:
        cached.put(image, enhanced, seconds)
    return enhanced, seconds


def _cropped(target: torch.Tensor, image: torch.Tensor, enhanced: torch.Tensor) -> torch.Tensor:
    """The truth of the pixels that are left, for an enhancer that crops as a released script."""
    if target.shape[:2] != image.shape[-2:]:
        return target
    return target[: enhanced.shape[-2], : enhanced.shape[-1]]


def enhanced_image(enhance: Enhance, image: torch.Tensor, file: Path) -> torch.Tensor:
    """What an enhancer gives for `image` (B, 3, H, W), float32 and clamped to [0, 1].

    Raises:
        EnhancerError: it refuses the image; `file` is named.
        PipelineError: another size, or values that are not finite or beyond rounding of [0, 1].
    """
    try:
        enhanced = enhance(image)
    except EnhancerError as error:
        raise EnhancerError(f"{file}: {error}") from error.__cause__
    if not (isinstance(enhanced, torch.Tensor) and enhanced.is_floating_point()):
        kind = enhanced.dtype if isinstance(enhanced, torch.Tensor) else type(enhanced).__name__
        raise PipelineError(f"{file}: the enhancer must return a float tensor, not {kind}")
    if enhanced.shape != image.shape and getattr(enhance, "keeps_size", True):
        raise PipelineError(
            f"{file}: the enhancer returned {tuple(enhanced.shape)} for an image of "
            f"{tuple(image.shape)}; it must keep (B, 3, H, W)"
        )
    enhanced = enhanced.to(image.device, torch.float32)
    low, high = enhanced.aminmax()
    # NaN fails this comparison too.
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise PipelineError(
            f"{file}: the enhancer's output must be finite and in [0, 1], "
            f"it spans {float(low):.3g} to {float(high):.3g}"
        )
    return enhanced.clamp(0, 1)
