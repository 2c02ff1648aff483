"""The typed record of one enhancer on one task, and its file."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.files import atomic

SCHEMA = 1
LOWER_IS_BETTER = frozenset({"LPIPS"})


@dataclass(frozen=True)
class Score:
    """A score.

    Attributes:
        value: over all images of the split.
        interval: 95 % percentile bootstrap over images; None with fewer than two images.
        images: number of images.
        unit: of value and interval: "%", "dB", or "" for a plain number.
    """

    value: float
    interval: tuple[float, float] | None
    images: int
    unit: str = "%"


@dataclass(frozen=True)
class Result:
    """One enhancer on one task.

    Attributes:
        enhancer: name as given, e.g. "sci+lfpv".
        task: e.g. "darkzurich".
        data: "user"; "sample" for the procedural scenes that ship with the product; "darkened" or
            "darkened sample" where the images were darkened as they were read.
        protocol: the protocol's fields.
        scores: "split/metric" → Score; the first is the task's headline.
        per_class: split → class name → percent, None where a class does not count.
        per_image: one entry per image: id, split, seconds, and truth with prediction, confusion,
            or values.
        seconds: median per image of decode, enhance and evaluate.
        provenance: see `pipeline.runner.provenance_of`.
        notes: what a reader of the numbers must know.
        seconds_p90: as `seconds`, nine tenths of the images took no longer.
        schema: version of this record.
    """

    enhancer: str
    task: str
    data: str
    protocol: dict[str, Any]
    scores: dict[str, Score]
    per_class: dict[str, dict[str, float | None]]
    per_image: list[dict[str, Any]]
    seconds: dict[str, float]
    provenance: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    seconds_p90: dict[str, float] = field(default_factory=dict)
    schema: int = SCHEMA

    @property
    def headline(self) -> tuple[str, Score]:
        """The first score and its name."""
        return next(iter(self.scores.items()))

    @property
    def timed(self) -> bool:
        """Whether `seconds` tell what the enhancer takes: images:DIR were enhanced before."""
        return not self.enhancer.startswith("images:")

    @property
    def images(self) -> dict[str, int]:
        """Split → number of images."""
        return {split_of(name): score.images for name, score in self.scores.items()}

    def write(self, path: Path) -> None:
        """Write as JSON, whole or not at all.

        Raises:
            PipelineError: the folder cannot be written.
        """
        with atomic(path) as temporary:
            temporary.write_text(_dump(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "Result":
        """Read what `write` wrote.

        Raises:
            PipelineError: no such file, not JSON, or another schema.
        """
        try:
            content = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise PipelineError(f"{path}: is no result file ({error})") from None
        if not isinstance(content, dict) or content.get("schema") != SCHEMA:
            raise PipelineError(f"{path}: is no result of schema {SCHEMA}")
        try:
            scores = {
                name: Score(**s | {"interval": tuple(s["interval"]) if s["interval"] else None})
                for name, s in content.pop("scores").items()
            }
            result = cls(scores=scores, **content)
            for part in ("enhancer", "evaluator", "dataset", "config"):
                if not isinstance(result.provenance.get(part), dict):
                    raise TypeError(f"its provenance has no {part}")
            return result
        except (KeyError, TypeError, AttributeError) as error:
            raise PipelineError(f"{path}: is no result file ({error})") from None


def split_of(score: str) -> str:
    """The split of a score's name, "split/metric"."""
    return score.partition("/")[0]


def metric_of(score: str) -> str:
    """The metric of a score's name, "split/metric"."""
    return score.partition("/")[2]


def lower_is_better(score: str) -> bool:
    """Whether less of a score, "split/metric", is better."""
    return metric_of(score) in LOWER_IS_BETTER


def class_counts(results: Sequence[Result]) -> list[str]:
    """Of how many classes the mIoU of each split is the mean; a line a split.

    A class counts where it has a pixel in truth or prediction: one false pixel of a class that the
    truth lacks adds a class of 0 to the mean. Those that differ from the first result are named.
    """
    lines = []
    for split, classes in results[0].per_class.items():
        if f"{split}/mIoU" not in results[0].scores:
            continue
        counts = [sum(v is not None for v in r.per_class[split].values()) for r in results]
        line = f"{split}: mIoU over {counts[0]} of {len(classes)} classes"
        for result, count in zip(results, counts, strict=True):
            if count != counts[0]:
                line += f"; of {result.enhancer} over {count}: its Δ is partly one of classes"
        lines.append(line)
    return lines


def weights_meant(results: Sequence[Result]) -> list[str]:
    """A line on the weights of enhancers that are named without, `sci@ours-lol162`."""
    files = (
        result.provenance["enhancer"].get("file")
        for result in results
        if not {"@", ":"} & set(result.enhancer)
    )
    meant = dict.fromkeys(Path(file).stem for file in files if file)
    return [f"names without weights mean {', '.join(meant)}"] if meant else []


def _dump(content: dict[str, Any]) -> str:
    """JSON, indented, with one line per image."""
    images = content.pop("per_image")
    head = json.dumps(content, indent=1, allow_nan=False)
    lines = ",\n  ".join(json.dumps(image) for image in images)
    return head[: head.rindex("}")].rstrip() + f',\n "per_image": [\n  {lines}\n ]\n}}\n'
