"""What a config says of its model as a frozen evaluator, beside mmsegmentation's own keys."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from tasks import cityscapes
from tasks.errors import TaskError

SCORE_BY = ("bilinear", "nearest")


@dataclass(frozen=True)
class EvaluatorSettings:
    """The `evaluator` of an mmsegmentation config; part of a result's identity.

    Attributes:
        classes: class names in output order; a checkpoint's own list comes before it.
        input_size: (H, W) to which the image is resized (bilinear, antialiased); None keeps it.
        eight_bit: resize as an 8-bit image, as Pillow does: rounded after each of its two passes.
        score_by: the way back from `input_size` to the image's size: "bilinear" resizes the
            logits before the argmax, "nearest" the prediction, by nearest neighbour.
        first_outputs: of a checkpoint with more outputs than the model, use the first ones.
        void_output: the model's last output is void: no class, and a miss where it is predicted.
    """

    classes: tuple[str, ...] | None = None
    input_size: tuple[int, int] | None = None
    eight_bit: bool = False
    score_by: str = "bilinear"
    first_outputs: bool = False
    void_output: bool = False


def settings_from(values: Mapping[str, Any], file: str) -> EvaluatorSettings:
    """Read the `evaluator` of a config; `classes` may be "cityscapes".

    Raises:
        TaskError: an unknown key (the nearest one is offered) or a wrong value; `file` is named.
    """
    known = [field.name for field in fields(EvaluatorSettings)]
    for key in values:
        if key not in known:
            near = get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise TaskError(f"{file}: `evaluator` has no key '{key}'; {hint}")
    read = dict(values)
    if read.get("classes") == "cityscapes":
        read["classes"] = cityscapes.CLASSES
    for key, kind in (("classes", str), ("input_size", int)):
        if read.get(key) is not None:
            read[key] = _listed(read[key], kind, f"{file}: evaluator.{key}")
    for key in ("eight_bit", "first_outputs", "void_output"):
        if not isinstance(read.get(key, False), bool):
            raise TaskError(f"{file}: evaluator.{key} is True or False, not {read[key]!r}")
    settings = EvaluatorSettings(**read)
    size = settings.input_size
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise TaskError(f"{file}: evaluator.input_size is (height, width), not {size}")
    if settings.score_by not in SCORE_BY:
        raise TaskError(f"{file}: evaluator.score_by is one of {', '.join(SCORE_BY)}")
    return settings


def _listed(value: Any, kind: type, what: str) -> tuple:
    if not isinstance(value, list | tuple) or not all(isinstance(one, kind) for one in value):
        raise TaskError(f"{what} is no list of {kind.__name__}")
    return tuple(value)
