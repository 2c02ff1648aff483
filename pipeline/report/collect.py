"""The results that a folder holds. What is no whole result is left out, and named."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.compare.images import image_scores, main_scores
from pipeline.cost import Cost
from pipeline.errors import PipelineError
from pipeline.names import parse_enhancer
from pipeline.result import Result, split_of
from pipeline.table import DECIMALS, MARKS

STAGES = ("enhance", "evaluate")
"""Whose times are shown."""


@dataclass(frozen=True)
class Found:
    """A result and the file, below the folder of results, that it was read from."""

    file: str
    folder: Path
    result: Result


@dataclass(frozen=True)
class Collection:
    """What a folder holds; `left_out` are files with the reason."""

    found: list[Found]
    left_out: list[tuple[str, str]]


def collect(folder: Path) -> Collection:
    """Read every `result.json` below a folder, in the order of their paths.

    Raises:
        PipelineError: no folder, or no whole result in it.
    """
    if not folder.is_dir():
        raise PipelineError(f"{folder}: is no folder; name the --out of `pipeline run`")
    found: list[Found] = []
    left_out: list[tuple[str, str]] = []
    for path in sorted(folder.rglob("result.json")):
        file = path.relative_to(folder).as_posix()
        try:
            found.append(Found(file, path.parent, _read(path)))
        except PipelineError as error:
            left_out.append((file, str(error).removeprefix(f"{path}: ")))
    if not found:
        why = "; {}: {}".format(*left_out[0]) if left_out else ""
        raise PipelineError(f"{folder}: holds no result of `pipeline run`{why}")
    return Collection(found, left_out)


def _read(path: Path) -> Result:
    """A result that has all that is shown; PipelineError for any other file."""
    try:
        result = Result.read(path)
        lacking = next(_lacking(result), None)
    except PipelineError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        lacking = f"{type(error).__name__}: {error}"
    if lacking:
        raise PipelineError(f"{path}: is no whole result ({lacking})")
    return result


def _lacking(result: Result) -> Iterator[str]:
    """What is missing; Python's own errors where a part is of another kind."""
    parse_enhancer(result.enhancer)
    provenance = result.provenance
    if not isinstance(provenance.get("enhancer"), dict):
        yield "its provenance has no enhancer"
    if "sha256" not in provenance["dataset"] or "amp" not in provenance["config"]:
        yield "its provenance has no hash of the dataset, or no precision"
    if result.data not in ("user", *MARKS) or "name" not in result.protocol:
        yield "its kind of data or its protocol is unknown"
    if not result.scores or not math.isfinite(result.seconds["enhance"]):
        yield "it has no score, or no time"
    known = Cost(**(provenance.get("cost") or {}))
    counts = (known.parameters, known.lfpv, known.macs)
    if not all(count is None or isinstance(count, int) for count in counts):
        yield "its cost is no number"
    if result.seconds_p90 and not math.isfinite(sum(result.seconds_p90[stage] for stage in STAGES)):
        yield "a time of it is no number"
    for name, score in result.scores.items():
        numbers = (score.value, *(score.interval or ()))
        if score.unit not in DECIMALS or not all(map(math.isfinite, numbers)):
            yield f"{name} is no number"
    for name in main_scores(result):
        if not image_scores(result, name) or split_of(name) not in result.per_class:
            yield f"{name} has no images"
    for image in result.per_image:
        if not math.isfinite(image["mean_level"]):
            yield f"{image['id']} has no mean level"
