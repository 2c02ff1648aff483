"""May two results stand side by side? Same task, data, protocol, evaluator and images."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError
from pipeline.names import parse_task
from pipeline.result import Result, split_of


def require_comparable(
    results: Mapping[str, Result], score: str, one_evaluator: bool = True
) -> None:
    """Check every result against the first.

    Args:
        results: label → result.
        score: "split/metric" that is to be compared.
        one_evaluator: whether the frozen model must be the same too.

    Raises:
        PipelineError: names the first thing that differs.
    """
    for label, result in results.items():
        if score not in result.scores:
            raise PipelineError(
                f"{label}: has no score '{score}'; it has {', '.join(result.scores)}"
            )
    (first, reference), *others = results.items()
    identity = _identity if one_evaluator else _identity_of_data
    expected = identity(reference, score)
    for label, result in others:
        found = identity(result, score)
        for what in {**expected, **found}:
            one, other = expected.get(what), found.get(what)
            if one != other:
                hint = "; --over evaluators compares under each" if "evaluator" in what else ""
                raise PipelineError(
                    f"{first} and {label} cannot be compared: their {what} differs "
                    f"({_short(one)} and {_short(other)}){hint}"
                )
        _require_same_images(first, reference, label, result, split_of(score))


def ordered_images(result: Result, split: str) -> list[dict[str, Any]]:
    """The per-image entries of a split, by id."""
    return sorted((i for i in result.per_image if i["split"] == split), key=lambda i: i["id"])


def _identity(result: Result, score: str) -> dict[str, Any]:
    evaluator = result.provenance["evaluator"]
    return _identity_of_data(result, score) | {
        "evaluator": Path(evaluator["model"]).name if "model" in evaluator else None,
        "evaluator's sha256": evaluator.get("sha256"),
        "evaluator's settings": _settings(evaluator),
        "class map": (evaluator.get("class_map") or {}).get("sha256"),
        "classes": list(result.per_class[split_of(score)]),
    }


def _settings(evaluator: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON holds them; results from before there was `void_output` had none."""
    return {"void_output": False, **json.loads(json.dumps(evaluator.get("settings") or {}))}


def _identity_of_data(result: Result, score: str) -> dict[str, Any]:
    # A user's own folder may lie elsewhere; what is in it is hashed.
    identity = {"task": parse_task(result.task).base, "kind of data": result.data}
    darkening = result.provenance["dataset"].get("darkening", {})
    identity |= {f"darkening ({key})": value for key, value in plain(darkening)}
    identity |= {f"protocol ({key})": value for key, value in plain(result.protocol)}
    identity["dataset's sha256"] = result.provenance["dataset"]["sha256"]
    # Another evaluator may call a class by another name; images' truths are compared anyway.
    identity["number of classes"] = len(result.per_class[split_of(score)])
    return identity


def plain(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Settings as JSON gives them back, but for what only describes them."""
    for key, value in settings.items():
        # A description is no part of what is done; tuples come back from JSON as lists.
        if key != "about":
            yield key, list(value) if isinstance(value, tuple) else value


def _require_same_images(
    first: str, reference: Result, label: str, result: Result, split: str
) -> None:
    ours, theirs = ordered_images(reference, split), ordered_images(result, split)
    differing = {image["id"] for image in ours} ^ {image["id"] for image in theirs}
    if differing or len(ours) != len(theirs):
        name = f" ('{min(differing)}' is in one only)" if differing else ""
        raise PipelineError(
            f"{first} and {label} cannot be compared: they measured different images of {split}"
            f"{name}"
        )
    for one, other in zip(ours, theirs, strict=True):
        if _truth(one) != _truth(other):
            raise PipelineError(
                f"{first} and {label} cannot be compared: the truth of '{one['id']}' differs"
            )


def _truth(image: dict[str, Any]) -> Any:
    """The label, or the number of pixels of each class; a restoration's is hashed only."""
    if "confusion" in image:
        return [sum(row) for row in image["confusion"]]
    return image.get("label")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"
