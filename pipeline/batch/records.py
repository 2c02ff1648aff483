"""A cell's per-image records in a SQLite file: a chunk is in it as a whole or not at all."""

import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.batch.identity import canonical
from pipeline.batch.state import RECORDS
from pipeline.errors import PipelineError
from pipeline.summary import Light
from tasks.measurer import Record

STAGES = ("decode", "enhance", "evaluate")

# `position` is the place in the sorted manifest; `forward_batch` is NULL but where the memory was
# too short for a chunk. A confusion is zlib over int64, little-endian, `classes` rows; `top5`
# and `vals` are JSON; times are in seconds.
_TABLES = """
CREATE TABLE identity (content TEXT NOT NULL);
CREATE TABLE chunk (
    number INTEGER PRIMARY KEY, forward_batch INTEGER, seconds REAL NOT NULL,
    device TEXT NOT NULL, finished TEXT NOT NULL
);
CREATE TABLE image (
    position INTEGER PRIMARY KEY, chunk INTEGER NOT NULL REFERENCES chunk, id TEXT NOT NULL,
    split TEXT NOT NULL, mean_level REAL NOT NULL, decode REAL NOT NULL, enhance REAL NOT NULL,
    evaluate REAL NOT NULL, label INTEGER, prediction INTEGER, top5 TEXT, margin REAL, vals TEXT,
    classes INTEGER, confusion BLOB
);
"""


@dataclass(frozen=True)
class Chunk:
    """A finished chunk.

    Attributes:
        number: its place in the cell.
        start: position of its first image.
        forward_batch: the fewest images that went through the networks at a time for want of
            memory; None where it was enough.
        seconds: wall time.
    """

    number: int
    start: int
    images: Sequence[Light]
    forward_batch: int | None
    seconds: float


@dataclass(frozen=True)
class Totals:
    """What the chunks of a cell took; `shortened` of them went in smaller batches."""

    seconds: float
    shortened: int
    devices: list[str]
    first: str
    last: str


class Records:
    """The records of one cell, which is locked by this process."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path, self._connection = path, connection

    @classmethod
    @contextmanager
    def open(cls, folder: Path, identity: dict[str, Any]) -> Iterator["Records"]:
        """Those of `identity`; records of another one are dropped.

        Raises:
            PipelineError: the file is damaged.
        """
        path = folder / RECORDS
        with _told(path):
            connection = sqlite3.connect(path, isolation_level=None)
            # Every commit is on the disk before the next chunk starts.
            connection.execute("PRAGMA synchronous = FULL")
        try:
            records = cls(path, connection)
            records._begin(canonical(identity))
            yield records
        finally:
            connection.close()

    def _begin(self, identity: str) -> None:
        with self._transaction() as connection:
            known = connection.execute(
                "SELECT name FROM sqlite_master WHERE name = 'identity'"
            ).fetchone()
            if not known:
                for statement in _TABLES.split(";"):
                    connection.execute(statement)
            elif connection.execute("SELECT content FROM identity").fetchone() == (identity,):
                return
            for table in ("identity", "image", "chunk"):
                connection.execute(f"DELETE FROM {table}")
            connection.execute("INSERT INTO identity VALUES (?)", (identity,))

    def finished(self) -> set[int]:
        """Numbers of the chunks that are recorded."""
        with _told(self.path):
            return {number for (number,) in self._connection.execute("SELECT number FROM chunk")}

    def add(self, chunk: Chunk, device: str, now: str) -> None:
        """Commit a chunk with all its images."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO chunk VALUES (?, ?, ?, ?, ?)",
                (chunk.number, chunk.forward_batch, chunk.seconds, device, now),
            )
            connection.executemany(
                f"INSERT INTO image VALUES ({', '.join('?' * 15)})",
                [
                    (position, chunk.number, *_row(one))
                    for position, one in enumerate(chunk.images, chunk.start)
                ],
            )

    def images(self) -> list[Light]:
        """All images in the manifest's order."""
        with _told(self.path):
            rows = self._connection.execute(
                "SELECT id, split, mean_level, decode, enhance, evaluate, label, prediction, top5, "
                "margin, vals, classes, confusion FROM image ORDER BY position"
            ).fetchall()
        return [_light(*row) for row in rows]

    def totals(self) -> Totals:
        """What all chunks took."""
        with _told(self.path):
            execute = self._connection.execute
            row = execute(
                "SELECT sum(seconds), count(forward_batch), min(finished), max(finished) FROM chunk"
            ).fetchone()
            devices = [d for (d,) in execute("SELECT DISTINCT device FROM chunk ORDER BY device")]
        return Totals(row[0], row[1], devices, row[2], row[3])

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _told(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise PipelineError(
            f"{path}: cannot be used ({error}); if it is damaged, remove it and start again"
        ) from error


def _row(one: Light) -> tuple[Any, ...]:
    record = one.record
    confusion = record.confusion
    return (
        record.id,
        record.split,
        one.mean_level,
        *(one.seconds[stage] for stage in STAGES),
        record.label,
        record.prediction,
        json.dumps(record.top5) if record.top5 else None,
        record.margin,
        json.dumps(record.values) if record.values else None,
        None if confusion is None else len(confusion),
        None if confusion is None else zlib.compress(confusion.astype("<i8").tobytes()),
    )


def _light(
    name: str,
    split: str,
    level: float,
    decode: float,
    enhance: float,
    evaluate: float,
    label: int | None,
    prediction: int | None,
    top5: str | None,
    margin: float | None,
    values: str | None,
    classes: int | None,
    confusion: bytes | None,
) -> Light:
    record = Record(
        name,
        split,
        label=label,
        prediction=prediction,
        values=json.loads(values) if values else None,
        confusion=_matrix(confusion, classes) if confusion else None,
        top5=tuple(json.loads(top5)) if top5 else None,
        margin=margin,
    )
    return Light(record, dict(zip(STAGES, (decode, enhance, evaluate), strict=True)), level)


def _matrix(blob: bytes, classes: int) -> np.ndarray:
    return np.frombuffer(zlib.decompress(blob), "<i8").astype(np.int64).reshape(classes, -1)
