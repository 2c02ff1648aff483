"""Is the chain faster than enhancing into PNG files that a second program evaluates?

    python bench/usual_way.py DATA [--images 50] [--rounds 3] [--device cpu] [--workers 2]

DATA holds real frames with labels, in the layouts of Dark Zurich and Cityscapes; $PIPELINE_WEIGHTS
the weights of sci@medium and espnetv2-s2. Crops and flips of the frames become distinct 1920×1080
PNGs, for timing only. Then in turns: every stage by itself (reading, enhancing, evaluating), the
usual way (enhance and write PNGs; read them and evaluate) on the same models, and the chain. Both
ways must give one confusion matrix. Printed: wall seconds, and CPU seconds over all threads and
reading processes, per image; medians of the rounds' ratios.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from times import cpu_seconds

from pipeline import create_enhancer, create_task
from pipeline.chain import enhanced_image, measure
from pipeline.clock import now
from pipeline.runner import ChainOptions, chain_options, prepare
from pipeline.summary import without_pixels
from tasks import cityscapes
from tasks.evaluators import Evaluator
from tasks.task import Task

WIDTH, HEIGHT = 1920, 1080
IMAGE = "rgb_anon/val/night/SEQUENCE/{:03d}_rgb_anon.png"
LABEL = "gt/val/night/SEQUENCE/{:03d}_gt_labelTrainIds.png"
Way = Callable[[], np.ndarray | None]


def frames(data: Path) -> list[tuple[Image.Image, Image.Image]]:
    """Real frames with their labels as train ids."""
    found = []
    for path in sorted(data.rglob("*_rgb_anon.png")):
        name = str(path).replace("rgb_anon/", "gt/").replace("_rgb_anon", "_gt_labelTrainIds")
        found.append((Image.open(path).convert("RGB"), Image.open(name)))
    table = cityscapes.label_id_table().astype(np.uint8)
    for path in sorted(data.rglob("*_leftImg8bit.png")):
        name = (
            str(path).replace("leftImg8bit/", "gtFine/").replace("leftImg8bit", "gtFine_labelIds")
        )
        label = Image.fromarray(table[np.asarray(Image.open(name))])
        found.append((Image.open(path).convert("RGB"), label))
    return found


def make_images(data: Path, root: Path, count: int) -> Task:
    """A Dark Zurich of `count` crops and flips."""
    rng, sources = np.random.default_rng(0), frames(data)
    for index in range(count):
        image, label = sources[index % len(sources)]
        scale = rng.uniform(0.8, 1) * min(image.width / WIDTH, image.height / HEIGHT)
        width, height = int(scale * WIDTH), int(scale * HEIGHT)
        left, top = rng.integers(image.width - width + 1), rng.integers(image.height - height + 1)
        box, flip = (left, top, left + width, top + height), rng.random() < 0.5
        pair = ((image, IMAGE, Image.Resampling.BICUBIC), (label, LABEL, Image.Resampling.NEAREST))
        for picture, name, filter in pair:
            made = picture.resize((WIDTH, HEIGHT), filter, box)
            made = made.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flip else made
            path = root / name.format(index)
            path.parent.mkdir(parents=True, exist_ok=True)
            made.save(path)
    return create_task("darkzurich", root)


def enhance_into_files(task: Task, enhancer, out: Path, device: torch.device) -> None:
    """The first program of the usual way."""
    for index, sample in enumerate(task.samples):
        rgb = np.asarray(Image.open(sample.image).convert("RGB"))
        image = torch.from_numpy(rgb.transpose(2, 0, 1)[None].astype(np.float32) / 255).to(device)
        levels = enhancer(image)[0].clamp(0, 1).mul(255).round().byte()
        Image.fromarray(levels.permute(1, 2, 0).cpu().numpy()).save(out / f"{index}.png")


def evaluate_files(task: Task, model, folder: Path, device: torch.device) -> np.ndarray:
    """The second program: the confusion matrix of all files."""
    (height, width), classes = task.protocol.size, len(task.classes)
    total = np.zeros(classes * classes, np.int64)
    for index, sample in enumerate(task.samples):
        image = Image.open(folder / f"{index}.png").resize(
            (width, height), Image.Resampling.LANCZOS
        )
        label = Image.open(sample.target).resize((width, height), Image.Resampling.NEAREST)
        batch = np.asarray(image).transpose(2, 0, 1)[None].astype(np.float32) / 255
        prediction = model(torch.from_numpy(batch).to(device)).argmax(1)[0].cpu().numpy()
        truth = np.asarray(label)
        known = truth != task.ignore_index
        pairs = classes * truth[known].astype(np.int64) + prediction[known]
        total += np.bincount(pairs, minlength=classes * classes)
    return total.reshape(classes, classes)


def usual(evaluator: Evaluator, enhancer, options: ChainOptions) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        enhance_into_files(evaluator.task, enhancer, Path(folder), options.device)
        return evaluate_files(evaluator.task, evaluator.model, Path(folder), options.device)


def chain(evaluator: Evaluator, enhancer, options: ChainOptions) -> np.ndarray:
    measured = map(without_pixels, measure(enhancer, evaluator, options))
    return sum(one.record.confusion for one in measured)


def stages(evaluator: Evaluator, enhancer, device: torch.device) -> Iterator[tuple[str, Way]]:
    """Each over all images, by itself, on one image that is held."""
    task = evaluator.task
    samples, first = task.samples, task.samples[0]
    pixels = torch.from_numpy(task.read_image(first).copy()).to(device)
    image = pixels[None].permute(0, 3, 1, 2).float() / 255
    enhanced, target = enhanced_image(enhancer, image, first.image), evaluator.read_target(first)
    yield "read", lambda: [(task.read_image(s), evaluator.read_target(s)) for s in samples] and None
    yield "enhance", lambda: [enhanced_image(enhancer, image, s.image) for s in samples] and None
    yield (
        "evaluate",
        lambda: [evaluator.measure(enhanced.clone(), [s], [target]) for s in samples] and None,
    )


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        task = make_images(arguments.data, Path(root), arguments.images)
        evaluator = prepare(task, "espnetv2-s2", None).evaluator
        options = chain_options(task, arguments.device, False, None, arguments.workers)
        evaluator.to(options.device)
        enhancer = create_enhancer("sci@medium").to(options.device)
        ways: dict[str, Way] = dict(stages(evaluator, enhancer, options.device))
        ways["usual"] = lambda: usual(evaluator, enhancer, options)
        ways["chain"] = lambda: chain(evaluator, enhancer, options)
        report(ways, options.device, arguments)


def report(ways: dict[str, Way], device: torch.device, arguments: argparse.Namespace) -> None:
    wall: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(arguments.rounds):
        found = {}
        for name, way in ways.items():
            started, used = now(device), cpu_seconds()
            found[name] = way()
            wall[name].append((now(device) - started) / arguments.images)
            cpu[name].append((cpu_seconds() - used) / arguments.images)
        np.testing.assert_array_equal(found["usual"], found["chain"])
    table = Table(title=f"{arguments.images} images of {WIDTH}x{HEIGHT}, seconds an image")
    for heading in ("", *ways):
        table.add_column(heading, justify="right")
    for what, times in (("wall", wall), ("CPU", cpu)):
        table.add_row(what, *(f"{statistics.median(values):.3f}" for values in times.values()))
    Console().print(table)
    cores = len(os.sched_getaffinity(0))
    sums = [sum(times) for times in zip(*(cpu[s] for s in list(ways)[:3]), strict=True)]
    ratios = {
        "usual / chain, wall": zip(wall["usual"], wall["chain"], strict=True),
        "usual / chain, CPU": zip(cpu["usual"], cpu["chain"], strict=True),
        "chain's CPU / stages' CPU": zip(cpu["chain"], sums, strict=True),
        "chain's wall / (stages' CPU / cores)": zip(
            wall["chain"], (s / cores for s in sums), strict=True
        ),
    }
    for name, pairs in ratios.items():
        values = [above / below for above, below in pairs]
        print(f"{name}: {statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})")
    threads = f"{torch.get_num_threads()} torch threads, {arguments.workers} reading processes"
    print(f"{arguments.rounds} rounds, {cores} cores, {threads}, {device}, {time.strftime('%F')}")
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")


if __name__ == "__main__":
    main()
