"""Training checkpoints: everything that a training needs to go on as if it had not stopped.

Tensors and plain values only, so that they load with `weights_only`. mmengine's own checkpoints
hold its message hub, which does not.
"""

import pickle
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.errors import PipelineError
from pipeline.files import atomic
from pipeline.recipes import differing_key

PATTERN = "step_*.pth"


def checkpoints(folder: Path) -> list[Path]:
    """Training checkpoints of a run folder, oldest first."""
    return sorted(folder.glob(PATTERN))


def write(folder: Path, content: Mapping[str, Any], keep: int) -> Path:
    """Write `content` (its `total` is the steps done), whole or not at all; keep the last ones.

    Raises:
        PipelineError: it cannot be written.
    """
    path = folder / f"step_{content['total']:08d}.pth"
    with atomic(path) as temporary:
        torch.save(dict(content), temporary)
    for old in checkpoints(folder)[:-keep]:
        old.unlink()
    return path


def read(path: Path) -> dict[str, Any]:
    """What `write` wrote, on the CPU.

    Raises:
        PipelineError: truncated, or not a training checkpoint.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        content["total"], content["recipe"]
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PipelineError(f"{path}: is no whole training checkpoint ({reason})") from None
    return content


def begin(folder: Path, out: Path) -> None:
    """Make the run folder.

    Raises:
        PipelineError: it holds a training already, or the weights `out` are there.
    """
    if out.exists():
        raise PipelineError(f"{out}: is there; name another --out, or remove it and {folder}")
    if checkpoints(folder):
        raise PipelineError(
            f"{folder}: holds a training that was stopped; --resume goes on with it, or remove the "
            "folder"
        )
    folder.mkdir(parents=True, exist_ok=True)


def last(folder: Path, identity: Mapping[str, Any]) -> tuple[Path, dict[str, Any]]:
    """The last training checkpoint of the job that `identity` describes, and what it holds.

    Raises:
        PipelineError: there is none, or one of another job; the first difference is named.
    """
    found = checkpoints(folder)
    if not found:
        raise PipelineError(f"{folder}: nothing to resume; leave --resume out")
    content = read(found[-1])
    other = {key: content.get(key) for key in identity}
    if difference := differing_key(identity, other):
        raise PipelineError(f"{found[-1]}: cannot go on from it: {difference}")
    return found[-1], content


def kept(last: Path | None) -> str:
    """What a training that fails has left behind."""
    return f"the last good checkpoint is {last}" if last else "there is no checkpoint yet"


def random_state(device: torch.device) -> dict[str, Any]:
    """Of Python, numpy, torch and, on a GPU, CUDA."""
    generator = np.random.get_state()
    return {
        "python": random.getstate(),
        "numpy": (generator[0], torch.from_numpy(generator[1].astype(np.int64)), *generator[2:]),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
    }


def restore_random_state(state: Mapping[str, Any], device: torch.device) -> None:
    """Put the generators back to what `random_state` gave."""
    random.setstate(state["python"])
    name, words, *rest = state["numpy"]
    np.random.set_state((name, words.numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state["torch"])
    if device.type == "cuda" and state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"], device)


def seed_everything(seed: int, rank: int = 0) -> None:
    """Seed Python, numpy and torch; every rank draws differently."""
    own = mixed(seed, rank) if rank else seed
    random.seed(own)
    np.random.seed(own % 2**32)
    torch.manual_seed(own)


@contextmanager
def drawn_alike(seed: int, phase: int) -> Iterator[None]:
    """Draw from torch's CPU generator what all ranks must have alike; leaves it as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mixed(seed, phase, 1))
        yield


def mixed(*numbers: int) -> int:
    """One seed from several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
