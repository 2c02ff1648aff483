"""Where a cell stands: its status file, which is also the mark of being done, and its lock."""

import json
import os
import platform
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipeline.batch.identity import changes
from pipeline.batch.plan import Planned
from pipeline.errors import PipelineError
from pipeline.files import atomic, sha256

FILE = "status.json"
RESULT = "result.json"
LOCK = ".lock"
RECORDS = "records.sqlite"


@dataclass(frozen=True)
class Standing:
    """A cell's state: pending, running, failed or done.

    Attributes:
        reason: why it failed, or why it is to be measured again; "" otherwise.
        seconds: wall time of a cell that is done.
    """

    state: str
    reason: str = ""
    seconds: float = 0.0


def standing(one: Planned) -> Standing:
    """The state of a cell; "running" is what a process that is still there says."""
    content = read_status(one.folder)
    if content is None:
        return Standing("pending")
    if differing := list(changes(content["identity"], one.identity)):
        return Standing("pending", "changed: " + "; ".join(differing))
    if content["state"] == "running":
        if is_locked(one.folder):
            return Standing("running")
        return Standing("pending", "was interrupted")
    if content["state"] == "done":
        result = one.folder / RESULT
        if not result.is_file() or sha256(result) != content["result"]:
            return Standing("pending", f"{RESULT} is not the one that was written")
    return Standing(content["state"], content["reason"], content["seconds"])


def read_status(folder: Path) -> dict[str, Any] | None:
    """What `write_status` wrote; None where it wrote nothing.

    Raises:
        PipelineError: it cannot be read, or somebody else wrote into it.
    """
    path = folder / FILE
    try:
        content = json.loads(path.read_text())
        return {key: content[key] for key in ("state", "identity", "reason", "seconds", "result")}
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PipelineError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError):
        raise PipelineError(f"{path}: is no status of a cell; remove it to start again") from None


def write_status(
    one: Planned, state: str, reason: str = "", seconds: float = 0.0, result: str = ""
) -> None:
    """Write the status, whole or not at all; `result` is the sha256 of the result's file.

    Raises:
        PipelineError: the folder cannot be written.
    """
    content = {"state": state, "reason": reason, "seconds": round(seconds, 3), "result": result}
    _write(one.folder, content | {"identity": one.identity})


def mark_again(folder: Path) -> None:
    """Take the result that is there for the one of a cell that is done; errors as `write_status`.

    The cell is locked by this process.
    """
    _write(folder, read_status(folder) | {"result": sha256(folder / RESULT)})


def _write(folder: Path, content: dict[str, Any]) -> None:
    who = {"at": now(), "process": {"id": os.getpid(), "host": platform.node()}}
    with atomic(folder / FILE) as temporary:
        temporary.write_text(json.dumps({**content, **who}, indent=1) + "\n")


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold the cell, if no other process does; the system frees the lock of a process that died.

    Raises:
        PipelineError: the folder cannot be written.
    """
    # Not at once: who looks whether a cell is held, holds it for that moment.
    lock = FileLock(folder / LOCK, timeout=0.2, poll_interval=0.02)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        yield False
        return
    except OSError as error:
        raise PipelineError(f"{folder}: cannot be written ({error.strerror})") from None
    try:
        yield True
    finally:
        lock.release()


def is_locked(folder: Path) -> bool:
    """Whether a process holds the cell."""
    if not (folder / LOCK).is_file():
        return False
    with locked(folder) as free:
        return not free


def recorded(one: Planned) -> int:
    """How many images of a cell that is not done are recorded already."""
    path = one.folder / RECORDS
    if not path.is_file() or standing(one).reason.startswith("changed"):
        return 0
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM image").fetchone()[0]
    except sqlite3.Error:
        return 0


def now() -> str:
    """The time in UTC, to seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")
