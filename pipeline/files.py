"""Files that are either whole or not there, and their hashes."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from pipeline.errors import PipelineError


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it is fsynced and renamed to `path`.

    The folder is fsynced too, so that of two files the later one is not there without the first.

    Raises:
        PipelineError: the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise PipelineError(f"{path}: cannot be written ({error.strerror})") from None
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise PipelineError(f"{path}: cannot be written ({error.strerror})") from None
    finally:
        temporary.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what killed writers of `atomic` left in a folder in which nobody writes now."""
    for path in folder.glob(".*.json.*"):
        path.unlink(missing_ok=True)


def require_writable(path: Path) -> None:
    """Prove, before any work is done, that the file `path` can be written; its folder is made.

    Raises:
        PipelineError: it cannot, or a folder is in its place.
    """
    if path.is_dir():
        raise PipelineError(f"{path}: is a folder; name a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise PipelineError(f"{path}: cannot be written ({error.strerror})") from None


def sha256(path: Path) -> str:
    """Hex digest of a file's content; a file that is still the same one is read once."""
    stat = path.stat()
    return _sha256(path.absolute(), stat.st_ino, stat.st_size, stat.st_mtime_ns)


@cache
def _sha256(path: Path, inode: int, size: int, time: int) -> str:
    return sha256_now(path)


def sha256_now(path: Path) -> str:
    """Hex digest of a file's content, read anew: for one that may just have been replaced."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
