"""Enhanced images on disk, for evaluators that come later.

An entry is what one forward pass gave, rounded to 8 bits. It is found by the pixels that went in
and by all that may change a bit of what came out.
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter, time

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

from pipeline.errors import PipelineError
from pipeline.files import atomic

SUFFIX = ".enhanced"
# Of the limit: what is written between two looks at the folder, and what a look leaves free.
_STEP, _FREE = 1 / 16, 1 / 8
_OLD = 3600.0  # seconds after which an unfinished file has lost its owner


class Store:
    """A folder of entries that stays below a size; the least recently used leave first.

    Several processes may share it: entries appear whole, and each process looks at the folder's
    size whenever it has written a sixteenth of the limit.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        """The folder is made; `limit` is in bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.limit, self._written = folder, limit, 0
        self._trim()

    def read(self, key: str) -> tuple[Tensor, float] | None:
        """The uint8 images and their seconds; None where they are not, or no longer, there."""
        path = self._path(key)
        try:
            found = load(path.read_bytes())
            entry = found["image"], float(found["seconds"])
        except OSError:
            return None
        except (SafetensorError, KeyError):
            _drop(path)
            return None
        with suppress(OSError):
            os.utime(path)
        return entry

    def write(self, key: str, image: Tensor, seconds: float) -> None:
        """Keep uint8 images; PipelineError where the disk does not take them."""
        content = {"image": image, "seconds": torch.tensor(seconds, dtype=torch.float64)}
        with atomic(self._path(key)) as temporary:
            save_file(content, temporary)
        self._written += image.numel()
        if self._written > _STEP * self.limit:
            self._trim()

    def remove(self, key: str) -> None:
        """Forget an entry, if it is there."""
        _drop(self._path(key))

    def _path(self, key: str) -> Path:
        return self.folder / (key + SUFFIX)

    def _trim(self) -> None:
        self._written = 0
        for path, stat in self._files(f".*{SUFFIX}.*"):
            if stat.st_mtime < time() - _OLD:
                _drop(path)
        entries = sorted(self._files(f"[!.]*{SUFFIX}"), key=lambda entry: entry[1].st_mtime_ns)
        size = sum(stat.st_size for _, stat in entries)
        for path, stat in entries:
            if size <= (1 - _FREE) * self.limit:
                return
            _drop(path)
            size -= stat.st_size

    def _files(self, pattern: str) -> list[tuple[Path, os.stat_result]]:
        found = []
        for path in self.folder.glob(pattern):
            with suppress(FileNotFoundError):
                found.append((path, path.stat()))
        return found


class Cached:
    """An enhancer with a store, which is used for as long as it pays.

    It pays where an image takes longer to enhance than to write and to read back. Both are
    measured: the second at the first entry, the first at every one.
    """

    def __init__(
        self,
        enhance: Callable[[Tensor], Tensor],
        store: Store,
        identity: str,
        say: Callable[[str], None],
    ) -> None:
        """`identity` is of the enhancer, its numerics and the machine; `say` tells of trouble."""
        self.enhance, self._store, self._say = enhance, store, say
        self._identity = identity.encode()
        self._cost: float | None = None
        self._pays = True

    def get(self, image: Tensor) -> tuple[Tensor, float] | None:
        """What `put` kept for (B, 3, H, W) in [0, 1], rounded to 8 bits, and its seconds."""
        found = self._store.read(self._key(image)) if self._pays else None
        if found is None:
            return None
        levels, seconds = found
        return levels.to(image.device).float().div_(255), seconds

    def put(self, image: Tensor, enhanced: Tensor, seconds: float) -> None:
        """Keep what the enhancer gave for `image`, in so many seconds an image, if that pays."""
        if self._pays and self._cost is not None:
            self._pays = seconds > self._cost
        if not self._pays:
            return
        key, started = self._key(image), perf_counter()
        try:
            self._store.write(key, _levels(enhanced), seconds)
        except PipelineError as error:
            self._pays = False
            self._say(f"going on without the cache: {error}")
            return
        if self._cost is None:
            self._store.read(key)
            self._cost = (perf_counter() - started) / len(image)
            self._pays = seconds > self._cost
            if not self._pays:
                self._store.remove(key)

    def _key(self, image: Tensor) -> str:
        digest = hashlib.sha256(self._identity)
        digest.update(str(tuple(image.shape)).encode())
        digest.update(_levels(image).numpy())
        return digest.hexdigest()


def _drop(path: Path) -> None:
    """Remove a file, unless another process did or it belongs to somebody else."""
    with suppress(OSError):
        path.unlink()


def _levels(image: Tensor) -> Tensor:
    """(B, 3, H, W) in [0, 1] as 8-bit levels on the CPU."""
    return image.mul(255).round_().to("cpu", torch.uint8).contiguous()
