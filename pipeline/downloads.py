"""Downloads that resume after a cut connection and end whole and verified, or not at all."""

import os
import sys
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from itertools import chain
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from filelock import AcquireReturnProxy, FileLock, Timeout
from rich.console import Console
from rich.filesize import decimal
from rich.progress import DownloadColumn, Progress, TransferSpeedColumn

from pipeline.errors import PipelineError
from pipeline.files import sha256_now

SECONDS_WITHOUT_AN_ANSWER = 30
CHUNK = 1 << 16


def download(url: str, path: Path, digest: str) -> None:
    """Download to `path`; a file that is there already and right is left as it is.

    What has arrived lies in `path`.part, which outlives a cut connection and is resumed. Its name
    is fixed, or there would be nothing to resume; so a lock lets one process at a time have it,
    and those that waited find the file in place.

    Args:
        url: http or https.
        digest: sha256 in hex, or its leading digits.

    Raises:
        PipelineError: unreachable, cut off, not the published content (then nothing of it is
            kept), or `path` cannot be written.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise PipelineError(f"{url}: not downloaded; only https:// and http:// are")
    part, lock = path.with_name(f"{path.name}.part"), path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _acquired(lock, path.name):
            if not _is_right(path, digest):
                _complete(url, part, digest)
                part.replace(path)
        # Safe although others may wait for it: they find the file in place.
        lock.unlink(missing_ok=True)
    except OSError as error:
        raise PipelineError(f"{path}: cannot be written ({error.strerror or error})") from None


def _acquired(lock: Path, name: str) -> AcquireReturnProxy:
    try:
        return FileLock(lock).acquire(timeout=0)
    except Timeout:
        print(f"waiting for another process that downloads {name}", file=sys.stderr)
        return FileLock(lock).acquire()


def _complete(url: str, part: Path, digest: str) -> None:
    """Fetch what is missing of `part`, and check the whole of it."""
    if _is_right(part, digest):
        return
    response, start = _request(url, part.stat().st_size if part.is_file() else 0)
    with response:
        _receive(url, response, start, part)
    if not _is_right(part, digest):
        part.unlink()
        raise PipelineError(
            f"{url}: what came is not the published file (its sha256 is not {digest[:12]}…)"
        )


def _request(url: str, start: int) -> tuple[HTTPResponse, int]:
    """The answer to a request from byte `start` on, and the byte that it does start from."""
    headers = {"User-Agent": "llie-pipeline"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        response = urlopen(Request(url, headers=headers), timeout=SECONDS_WITHOUT_AN_ANSWER)
    except HTTPError as error:
        error.close()
        if error.code == 416 and start:
            return _request(url, 0)
        raise PipelineError(f"{url}: not downloaded (HTTP {error.code} {error.reason})") from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise PipelineError(f"{url}: not downloaded ({reason})") from None
    if not start or response.status != 206:
        return response, 0
    if response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        return response, start
    response.close()
    return _request(url, 0)


def _receive(url: str, response: HTTPResponse, start: int, part: Path) -> None:
    """Append the answer to `part`, or write it anew where it starts from 0."""
    stated = response.headers.get("Content-Length", "")
    length = int(stated) if stated.isdigit() else None
    chunks = _chunks(url, response, length)
    first = next(chunks, b"")
    # Before the file is opened: a login page must not replace what an earlier attempt got.
    if not start and first[:512].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise PipelineError(f"{url}: the server sent a web page, not the file")
    size = ("the remaining " if start else "") + (decimal(length) if length else "size not stated")
    print(f"downloading {part.stem} ({size}) from {url}", file=sys.stderr)
    columns = (*Progress.get_default_columns(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    quiet = not console.is_terminal
    with (
        part.open("ab" if start else "wb") as file,
        Progress(*columns, console=console, transient=True, disable=quiet) as progress,
    ):
        bar = progress.add_task(part.stem, total=length and start + length, completed=start)
        for chunk in chain([first], chunks):
            file.write(chunk)
            progress.advance(bar, len(chunk))
        file.flush()
        os.fsync(file.fileno())


def _chunks(url: str, response: HTTPResponse, length: int | None) -> Iterator[bytes]:
    """The body; PipelineError where it breaks off, which can happen without any error."""
    received = 0
    try:
        while chunk := response.read(CHUNK):
            received += len(chunk)
            yield chunk
        if length and received < length:
            raise ConnectionError(f"{decimal(length - received)} are missing")
    except (OSError, HTTPException) as error:
        raise PipelineError(
            f"{url}: the connection was cut ({error}); run it again to resume"
        ) from None


def _is_right(path: Path, digest: str) -> bool:
    return path.is_file() and sha256_now(path).startswith(digest)
