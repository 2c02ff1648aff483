"""`pipeline enhance`: files and folders of images."""

import os
import struct
import sys
import time
import zlib
from argparse import Namespace
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import torch

from enhancers.base import Enhancer
from pipeline.chain import enhanced_image
from pipeline.console import progress
from pipeline.errors import PipelineError, is_out_of_memory, one_line, user_errors
from pipeline.factory import load_enhancer
from pipeline.files import atomic, require_writable
from pipeline.names import parse_enhancer
from pipeline.precision import precision
from pipeline.runner import chosen_device
from tasks.images import IMAGE_SUFFIXES, FloatImage, read_image


@dataclass(frozen=True)
class Job:
    """An image file and the PNG file that it becomes."""

    source: Path
    target: Path


def enhance(arguments: Namespace) -> None:
    """Enhance every image; one that cannot be enhanced costs a line, not the others."""
    name = parse_enhancer(arguments.enhancer)
    if name.base == "images":
        raise PipelineError(f"'{name}' holds finished results; name an enhancer that computes")
    jobs = _plan(arguments.input, arguments.out)
    _refuse_existing(jobs, arguments.overwrite)
    device = chosen_device(arguments.device)
    model = load_enhancer(name).model.to(device)
    for target in {job.target.parent: job.target for job in jobs}.values():
        require_writable(target)
    seconds = _enhance_all(jobs, model, device)
    if seconds:
        images = "1 image" if len(seconds) == 1 else f"{len(seconds)} images"
        print(f"{images} enhanced into {arguments.out}, median {median(seconds):.2g} s an image")
    if failed := len(jobs) - len(seconds):
        raise PipelineError(f"{failed} of {len(jobs)} images could not be enhanced")


def _plan(inputs: Iterable[Path], out: Path) -> list[Job]:
    """What becomes what; a file that is named twice is enhanced once.

    Raises:
        PipelineError: a missing input, a folder without images or with `out` in it, or two inputs
            that would become one file.
    """
    jobs: dict[Path, Job] = {}
    for job in _jobs(inputs, out):
        first = jobs.setdefault(job.target, job)
        if first != job and not first.source.samefile(job.source):
            raise PipelineError(
                f"{first.source} and {job.source} would both become {job.target}; rename one, or "
                "enhance them into different folders"
            )
    return list(jobs.values())


def _jobs(inputs: Iterable[Path], out: Path) -> Iterator[Job]:
    for path in inputs:
        if path.is_dir():
            _refuse_inside(out, path)
            for file in _images_below(path):
                yield _job(file, out / file.relative_to(path))
        elif path.exists():
            yield _job(path, out / path.name)
        else:
            raise PipelineError(f"{path}: no such file or folder")


def _job(source: Path, place: Path) -> Job:
    return Job(source, place.with_name(f"{place.stem}.png"))


def _images_below(folder: Path) -> list[Path]:
    """All image files below `folder`, hidden ones and linked folders left out.

    A folder that is named like an image counts as one, so that it is reported.
    """
    images: list[Path] = []
    for where, folders, files in os.walk(folder, onerror=_raise):
        shown = [name for name in (*folders, *files) if not name.startswith(".")]
        named = {name for name in shown if Path(name).suffix.lower() in IMAGE_SUFFIXES}
        images += (Path(where, name) for name in named)
        folders[:] = set(folders).intersection(shown) - named
    if not images:
        raise PipelineError(f"{folder}: no images ({', '.join(sorted(IMAGE_SUFFIXES))})")
    return sorted(images)


def _raise(error: OSError) -> None:
    raise error


def _refuse_inside(out: Path, folder: Path) -> None:
    """Refuse a folder of outputs that would be searched for inputs the next time."""
    inner, outer = out.resolve(), folder.resolve()
    if not inner.is_relative_to(outer):
        return
    if not any(part.startswith(".") for part in inner.relative_to(outer).parts):
        raise PipelineError(f"{out}: lies in the input folder {folder}; choose another --out")


def _refuse_existing(jobs: list[Job], overwrite: bool) -> None:
    there = [job.target for job in jobs if os.path.lexists(job.target)]
    sources = {job.source.resolve() for job in jobs} if there else set()
    for target in there:
        if target.resolve() in sources:
            raise PipelineError(f"{target}: is an input itself; choose another --out")
        if target.is_dir():
            raise PipelineError(f"{target}: is a folder where an image is to be written")
    if there and not overwrite:
        more = f" (and {len(there) - 1} more)" if len(there) > 1 else ""
        raise PipelineError(f"{there[0]}: is there already{more}; --overwrite replaces it")


@torch.inference_mode()
def _enhance_all(jobs: list[Job], model: Enhancer, device: torch.device) -> list[float]:
    """Seconds that each enhanced image took the enhancer; the others have their line on stderr."""
    seconds: list[float] = []
    with progress() as shown:
        for job, reading in shown.track(_read_ahead(jobs), len(jobs), description="enhancing"):
            try:
                image = reading.result()
                started = time.perf_counter()
                rgb = _enhanced(model, image, device, job.source)
                taken = time.perf_counter() - started
                _write(job.target, rgb, image)
                seconds.append(taken)
            except Exception as error:
                print(f"pipeline: not enhanced: {_reason(error, job)}", file=sys.stderr)
    return seconds


def _read_ahead(jobs: list[Job]) -> Iterator[tuple[Job, Future[FloatImage]]]:
    """Every job with its image; the next one is decoded while the caller has this one."""
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(read_image, jobs[0].source)
        for job, upcoming in zip_longest(jobs, jobs[1:]):
            reading = following
            if upcoming:
                following = pool.submit(read_image, upcoming.source)
            yield job, reading


def _reason(error: Exception, job: Job) -> str:
    """One line for what a user can put right; anything else is a bug and is raised."""
    if isinstance(error, user_errors()):
        return one_line(error)
    if is_out_of_memory(error):
        return f"{job.source}: is too large for the memory there is"
    raise error


def _enhanced(model: Enhancer, image: FloatImage, device: torch.device, source: Path) -> np.ndarray:
    """(H, W, 3) float32 in [0, 1]."""
    batch = torch.from_numpy(image.rgb).to(device).permute(2, 0, 1)[None]
    with precision(device, amp=False):
        return enhanced_image(model, batch, source)[0].permute(1, 2, 0).cpu().numpy()


def _write(path: Path, rgb: np.ndarray, like: FloatImage) -> None:
    """Write a PNG of the bits and the colour profile of `like`."""
    levels = np.rint(rgb * (2**like.bits - 1)).astype(f"uint{like.bits}")
    _, encoded = cv2.imencode(".png", cv2.cvtColor(levels, cv2.COLOR_RGB2BGR))
    png = encoded.tobytes()
    with atomic(path) as temporary:
        temporary.write_bytes(_with_profile(png, like.icc) if like.icc else png)


def _with_profile(png: bytes, icc: bytes) -> bytes:
    """Put an iCCP chunk behind the header chunk, which ends at byte 33 of every PNG."""
    body = b"iCCP" + b"ICC profile\0\0" + zlib.compress(icc)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:33] + chunk + png[33:]
