"""Renders the whole sample set into a folder, completely or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import yaml

from tasks.errors import TaskError
from tasks.sample.layouts import PARTS, Counts

VERSION = 1
"""Raised whenever any rendered byte changes; a set of another version is rendered anew."""

MANIFEST = "SAMPLE.yaml"
"""Written last: a folder that holds it, with the right content, is complete."""

README = "SAMPLE_README.txt"
"""Written first: marks a folder as the renderer's own, which it may replace."""

_README_TEXT = """\
Sample scenes rendered by tasks.sample: drawings, no photographs, made to try the pipeline out.
Scores on them say nothing about real night images. This folder is replaced as a whole when the
generator changes; keep nothing of your own in it.
"""


def render(
    root: Path,
    seed: int = 0,
    parts: Sequence[str] = ("test", "train"),
    counts: Counts | None = None,
) -> None:
    """Render the sample set into `root`; a set that is already complete stays untouched.

    Args:
        root: folder of the set; made when missing, replaced when it holds an older or
            half-written set. Parts that it already holds are kept.
        seed: seed of all scenes, ≥ 0.
        parts: "test" (what evaluation reads) and/or "train" (what training reads).
        counts: images in each layout; None is the normal size.

    Raises:
        TaskError: an unknown part, a negative seed, or `root` is in use for something else.
    """
    root, counts = Path(root).resolve(), counts or Counts()
    _check(seed, parts)
    wanted = _manifest(seed, parts, counts)
    found = _read_manifest(root)
    if _covers(found, wanted):
        return
    _require_own(root)
    if found and _covers(wanted | {"parts": found["parts"]}, found):
        wanted = _manifest(seed, {*parts, *found["parts"]}, counts)
    root.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{root.name}.", dir=root.parent))
    try:
        _fill(fresh, seed, counts, wanted)
        _swap(fresh, root, wanted)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _check(seed: int, parts: Sequence[str]) -> None:
    unknown = sorted(set(parts) - set(PARTS))
    if unknown or not parts:
        raise TaskError(f"parts of the sample are {', '.join(PARTS)}, not {unknown or 'none'}")
    if seed < 0:
        raise TaskError(f"the sample's seed must be at least 0, not {seed}")


def _manifest(seed: int, parts: Sequence[str] | set[str], counts: Counts) -> dict:
    ordered = [part for part in PARTS if part in parts]
    return {"version": VERSION, "seed": seed, "parts": ordered, "counts": asdict(counts)}


def _read_manifest(root: Path) -> dict | None:
    try:
        content = yaml.safe_load((root / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return None
    return content if isinstance(content, dict) and isinstance(content.get("parts"), list) else None


def _covers(found: dict | None, wanted: dict) -> bool:
    if found is None or not set(wanted["parts"]) <= set(found["parts"]):
        return False
    return all(found.get(key) == wanted[key] for key in ("version", "seed", "counts"))


def _require_own(root: Path) -> None:
    """Refuse a root that holds somebody else's files; an empty folder is free."""
    own = root.is_dir() and ((root / README).is_file() or not any(root.iterdir()))
    if root.exists() and not own:
        raise TaskError(
            f"{root} is not a sample set and would be overwritten; name another folder for it"
        )


def _fill(fresh: Path, seed: int, counts: Counts, wanted: dict) -> None:
    # mkdtemp makes a private folder; the finished set is as readable as any other.
    fresh.chmod(0o777 & ~_umask())
    (fresh / README).write_text(_README_TEXT, encoding="utf-8")
    for part in wanted["parts"]:
        PARTS[part](fresh, seed, counts)
    (fresh / MANIFEST).write_text(yaml.safe_dump(wanted, sort_keys=False), encoding="utf-8")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _swap(fresh: Path, root: Path, wanted: dict) -> None:
    if _covers(_read_manifest(root), wanted):
        return  # another process was faster
    old = Path(tempfile.mkdtemp(prefix=f".{root.name}.", dir=root.parent))
    try:
        if root.exists():
            os.replace(root, old / "old")
        os.replace(fresh, root)
    finally:
        shutil.rmtree(old, ignore_errors=True)
