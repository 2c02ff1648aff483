"""The name grammar, `base[+lfpv][@weights]` or `base:source`, and the task names.

The only parser of either.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import PipelineError


@dataclass(frozen=True)
class EnhancerName:
    """A parsed enhancer name.

    Attributes:
        base: registered enhancer, e.g. "sci".
        lfpv: True for `+lfpv`.
        weights: what follows `@` (a name in the weights list, a file, or a baseline's parameter).
        source: what follows `:` (the user's own: a folder of images, a file, a Python callable).
    """

    base: str
    lfpv: bool = False
    weights: str | None = None
    source: str | None = None

    def __str__(self) -> str:
        if self.source is not None:
            return f"{self.base}:{self.source}"
        return self.bare + (f"@{self.weights}" if self.weights is not None else "")

    @property
    def bare(self) -> str:
        """The name without weights, e.g. "sci+lfpv"."""
        return self.base + ("+lfpv" if self.lfpv else "")


@dataclass(frozen=True)
class TaskName:
    """A parsed task name: a registered `base` and, for a user's folder, its path."""

    base: str
    folder: Path | None = None


def parse_enhancer(text: str) -> EnhancerName:
    """Parse `base[+lfpv][@weights]` or `base:source`.

    Raises:
        PipelineError: no base, empty weights or source, or an addition other than `+lfpv`.
    """
    if own := re.match(r"\s*(\w+):(.*)", text):
        if not own[2].strip():
            raise PipelineError(f"'{text}': nothing follows the colon")
        return EnhancerName(own[1], source=own[2].strip())
    head, at, weights = text.strip().partition("@")
    base, plus, addition = head.partition("+")
    if not base:
        raise PipelineError(f"'{text}' is no enhancer name; the form is base[+lfpv][@weights]")
    if plus and addition != "lfpv":
        raise PipelineError(f"'{text}': the only addition to a base is +lfpv, not '+{addition}'")
    if at and not weights:
        raise PipelineError(f"'{text}': nothing follows @; name weights or leave @ out")
    return EnhancerName(base, bool(plus), weights or None)


def parse_task(text: str) -> TaskName:
    """Parse the name of a task or set: `darkzurich`, or one with a folder, `segmentation:DIR`.

    Raises:
        PipelineError: an empty name or folder.
    """
    base, colon, folder = text.strip().partition(":")
    if not base or (colon and not folder):
        raise PipelineError(f"'{text}': has no name or no folder; e.g. segmentation:DIR")
    return TaskName(base, Path(folder) if colon else None)
