"""Lists of class names: where they are found, and how two of them are compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from pathlib import Path

from tasks.errors import TaskError
from tasks.yaml_files import read_yaml


@dataclass(frozen=True)
class ClassList:
    """Content of a `classes.yaml`: `classes` in index order and `ignore`, the void id."""

    classes: tuple[str, ...]
    ignore: int = 255


def find_class_list(root: Path) -> ClassList | None:
    """Read `classes.yaml` in `root`, else in its parent; None when there is neither.

    Raises:
        TaskError: the file is no valid class list.
    """
    for folder in (root, root.resolve().parent):
        path = folder / "classes.yaml"
        if path.is_file():
            return _read(path)
    return None


def resolve_classes(
    of_task: tuple[str, ...] | None,
    of_evaluator: tuple[str, ...] | None,
    outputs: int,
    by_name: bool,
) -> tuple[str, ...]:
    """Decide the class names in the order of the evaluator's outputs.

    Args:
        of_task, of_evaluator: class names, None where there are none.
        outputs: number of the evaluator's outputs.
        by_name: the truth is a class name (classification), so the lists may differ in order;
            otherwise it is an id, so they may not, but a name may be spelt a little differently
            (``sign`` and ``sign_symbol``).

    Raises:
        TaskError: no list at all, or lists that do not agree.
    """
    classes = of_evaluator or of_task
    if classes is None:
        raise TaskError(
            "no class names: the evaluator's weights hold none; put a classes.yaml "
            "(classes: [first, second, ...]) into the data folder or its parent"
        )
    if of_task is not None and len(of_task) != outputs:
        raise TaskError(
            f"the evaluator has {outputs} classes, the task {len(of_task)}; a class map "
            "(--class-map) would say which is which"
        )
    if len(classes) != outputs:
        raise TaskError(f"the evaluator has {outputs} outputs but {len(classes)} class names")
    if of_task and of_evaluator:
        (_require_same_names if by_name else _require_same_order)(of_task, of_evaluator)
    return classes


def read_class_map(path: Path) -> dict[str, str | None]:
    """Read a class map: a YAML mapping of the evaluator's class names to the task's, or to null.

    Raises:
        TaskError: not such a file.
    """
    content = read_yaml(path)
    if not isinstance(content, dict) or not content:
        raise TaskError(f"{path}: a class map is lines of `evaluator's class: task's class`")
    for name in (*content, *(target for target in content.values() if target is not None)):
        if not isinstance(name, str):
            raise TaskError(f"{path}: class {name!r} is no text; quote it")
    return content


def resolve_class_map(
    mapping: Mapping[str, str | None],
    of_evaluator: tuple[str, ...] | None,
    of_task: tuple[str, ...] | None,
    file: str,
) -> tuple[tuple[str, ...], list[list[int]]]:
    """Turn a class map into the evaluator's outputs of each class of the task.

    A class mapped to None is never predicted.

    Args:
        of_evaluator: class names in output order.
        of_task: class names in the task's order; None takes the map's targets as they come.
        file: the map, for messages.

    Returns:
        The task's classes, and for each the indices of the outputs that are mapped to it.

    Raises:
        TaskError: the evaluator's names are not known; a class of the evaluator is missing in the
            map; a name is none (the nearest is offered); nothing is mapped to a class of the task.
    """
    if of_evaluator is None:
        raise TaskError(f"{file}: the evaluator's weights name no classes, so none can be mapped")
    targets = tuple(dict.fromkeys(name for name in mapping.values() if name is not None))
    of_task = of_task or targets
    for name in mapping:
        _require_known(name, of_evaluator, f"{file}: the evaluator has no class")
    for name in targets:
        _require_known(name, of_task, f"{file}: the task has no class")
    for name in of_evaluator:
        if name not in mapping:
            raise TaskError(f"{file}: the evaluator's class '{name}' is missing; null drops it")
    for name in of_task:
        if name not in targets:
            raise TaskError(f"{file}: nothing is mapped to '{name}' of the task")
    sources = [
        [index for index, name in enumerate(of_evaluator) if mapping[name] == target]
        for target in of_task
    ]
    return of_task, sources


def _require_known(name: str, known: tuple[str, ...], message: str) -> None:
    if name not in known:
        near = get_close_matches(name, known, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}"
        raise TaskError(f"{message} '{name}'; {hint}")


def _require_same_names(of_task: tuple[str, ...], of_evaluator: tuple[str, ...]) -> None:
    unknown = [name for name in of_task if name not in of_evaluator]
    if unknown:
        raise TaskError(f"class '{unknown[0]}' of the task is none of the evaluator's")


def _require_same_order(of_task: tuple[str, ...], of_evaluator: tuple[str, ...]) -> None:
    positions = {name.lower(): index for index, name in enumerate(of_evaluator)}
    for index, (name, other) in enumerate(zip(of_task, of_evaluator, strict=True)):
        if positions.get(name.lower(), index) != index:
            raise TaskError(
                f"class '{name}' is number {index} in the task but {positions[name.lower()]} in "
                "the evaluator; the two lists must have one order"
            )
        if not _alike(name, other):
            raise TaskError(
                f"class {index} is '{name}' in the task but '{other}' in the evaluator; a class "
                "map (--class-map) would say which is which"
            )


def _alike(name: str, other: str) -> bool:
    """Whether two names may be spellings of one class: `sign` and `sign_symbol`."""
    one, two = ("".join(c for c in text.lower() if c.isalnum()) for text in (name, other))
    return one in two or two in one or SequenceMatcher(None, one, two).ratio() > 0.6


def _read(path: Path) -> ClassList:
    content = read_yaml(path)
    classes = content.get("classes") if isinstance(content, dict) else None
    if not isinstance(classes, list) or not classes:
        raise TaskError(f"{path}: needs a key `classes` with a list of names")
    if unknown := set(content) - {"classes", "ignore"}:
        raise TaskError(f"{path}: unknown key '{sorted(map(str, unknown))[0]}'")
    for name in classes:
        if not isinstance(name, str):
            raise TaskError(f"{path}: class {name!r} is no text; quote it")
    if len(set(classes)) != len(classes):
        raise TaskError(f"{path}: a class name occurs twice")
    ignore = content.get("ignore", 255)
    if type(ignore) is not int or not 0 <= ignore <= 255:
        raise TaskError(f"{path}: `ignore` must be an id from 0 to 255, not {ignore!r}")
    return ClassList(tuple(classes), ignore)
