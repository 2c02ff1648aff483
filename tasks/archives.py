"""CODaN's published archives: joined as a stream, unpacked safely, never deleted."""

import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from io import RawIOBase
from pathlib import Path

from tasks.errors import TaskError

SPLITS = ("train", "val", "test_day", "test_night")


class _Joined(RawIOBase):
    """Several files read one after the other, as one stream."""

    def __init__(self, parts: Sequence[Path]) -> None:
        self._parts = list(parts)
        self._file = self._parts.pop(0).open("rb")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        count = self._file.readinto(buffer)
        while not count and self._parts:
            self._file.close()
            self._file = self._parts.pop(0).open("rb")
            count = self._file.readinto(buffer)
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def unpack_codan(root: Path) -> Iterator[str]:
    """Unpack `codan_*.tar.bz2` (and `.part0`, `.part1`, …) in `root` into `root/data`.

    Only plain files and folders inside `root/data` are written (tarfile's "data" filter).

    Yields:
        One line per archive.

    Raises:
        TaskError: no archive, a missing part, or a damaged or hostile archive.
    """
    found = [(split, parts) for split in SPLITS if (parts := _parts(root, split))]
    if not found:
        raise TaskError(f"{root}: holds no codan_*.tar.bz2; see `pipeline data list`")
    for split, parts in found:
        if (root / "data" / split).exists():
            raise TaskError(f"{root / 'data' / split}: is there already; move it away first")
        _unpack(parts, root / "data")
        yield f"{split}: unpacked from {', '.join(part.name for part in parts)}"


def _parts(root: Path, split: str) -> list[Path]:
    name = f"codan_{split}.tar.bz2"
    if (root / name).is_file():
        return [root / name]
    numbered = [p for p in root.glob(f"{name}.part*") if p.suffix[5:].isdigit()]
    parts = sorted(numbered, key=lambda part: int(part.suffix[5:]))
    for index, part in enumerate(parts):
        if part.name != f"{name}.part{index}":
            raise TaskError(f"{root / name}.part{index}: this part is missing")
    return parts


def _unpack(parts: list[Path], target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=target) as beside:
        try:
            with _Joined(parts) as stream, tarfile.open(fileobj=stream, mode="r|bz2") as archive:
                archive.extractall(beside, filter="data")
        except tarfile.FilterError as error:
            raise TaskError(f"{parts[0]}: refused, it holds an unsafe member ({error})") from None
        except (tarfile.TarError, EOFError, OSError) as error:
            raise TaskError(f"{parts[0]}: damaged, or a part is missing ({error})") from None
        for unpacked in sorted(Path(beside).iterdir()):
            unpacked.rename(target / unpacked.name)
