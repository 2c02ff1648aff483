"""A cell's identity: everything that may change its scores, and nothing else."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from pipeline.batch.versions import SCHEMA


def identity_of(
    enhancer: dict[str, Any], bed: dict[str, Any], amp: bool, chunk: int
) -> dict[str, Any]:
    """The identity as plain JSON values, from those of its parts; see `evidence`."""
    numerics = {"amp": amp, "chunk": chunk}
    identity = {"schema": SCHEMA, "enhancer": enhancer, **bed, "numerics": numerics}
    return json.loads(canonical(identity))


def canonical(identity: dict[str, Any]) -> str:
    """One text for equal identities: JSON with sorted keys and no spaces."""
    return json.dumps(identity, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(identity: dict[str, Any]) -> str:
    """sha256 of the canonical text."""
    return hashlib.sha256(canonical(identity).encode()).hexdigest()


def changes(old: Any, new: Any, key: str = "") -> Iterator[str]:
    """Every field that differs, as `numerics.chunk: 1, was 4`."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys((*new, *old)):
            yield from changes(old.get(name), new.get(name), f"{key}.{name}".lstrip("."))
    elif old != new:
        yield f"{key}: {_short(new)}, was {_short(old)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 40 else f"{text[:12]}…"
