"""Lists of class names: where they are found, and how two of them are compared."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from tasks.errors import TaskError


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
            otherwise it is an id, so they may not, but a name may be spelt differently
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
        raise TaskError(f"the evaluator has {outputs} classes, the task {len(of_task)}")
    if len(classes) != outputs:
        raise TaskError(f"the evaluator has {outputs} outputs but {len(classes)} class names")
    if of_task and of_evaluator:
        (_require_same_names if by_name else _require_same_order)(of_task, of_evaluator)
    return classes


def _require_same_names(of_task: tuple[str, ...], of_evaluator: tuple[str, ...]) -> None:
    unknown = [name for name in of_task if name not in of_evaluator]
    if unknown:
        raise TaskError(f"class '{unknown[0]}' of the task is none of the evaluator's")


def _require_same_order(of_task: tuple[str, ...], of_evaluator: tuple[str, ...]) -> None:
    positions = {name.lower(): index for index, name in enumerate(of_evaluator)}
    for index, name in enumerate(of_task):
        if positions.get(name.lower(), index) != index:
            raise TaskError(
                f"class '{name}' is number {index} in the task but {positions[name.lower()]} in "
                "the evaluator; the two lists must have one order"
            )


def _read(path: Path) -> ClassList:
    try:
        content = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, ValueError) as error:
        raise TaskError(f"{path}: not valid YAML ({str(error).splitlines()[0]})") from None
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
