"""Where results lie."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.compare.comparable import plain
from pipeline.errors import PipelineError
from pipeline.names import EnhancerName
from pipeline.result import Result
from tasks.darken import Darkening
from tasks.task import Task

if TYPE_CHECKING:
    from pipeline.runner import Bench


def bench_folder(out: Path, bench: "Bench") -> Path:
    """`task_folder` of a bench."""
    return task_folder(out, bench.task, bench.evaluator_provenance)


def task_folder(out: Path, task: Task, evaluator: Mapping[str, Any]) -> Path:
    """`OUT/TASK[-DATA]/PROTOCOL[-EVALUATOR]`: results that may not be compared lie apart.

    Args:
        evaluator: its provenance, of which model, file and the class map's file count.
    """
    data = "" if task.data == "user" else "-" + task.data.replace(" ", "-")
    parts = [task.protocol.name]
    if task.kind != "restoration":
        parts += [Path(evaluator["model"]).stem, Path(evaluator["file"]).stem]
    if evaluator.get("class_map"):
        parts.append(Path(evaluator["class_map"]["file"]).stem)
    return out / (_as_folder(task.name, ":") + data) / "-".join(parts)


def require_own(folder: Path, bench: "Bench") -> None:
    """That the results of a bench's folder are of that bench: names alone tell folders apart.

    Raises:
        PipelineError: one is of another frozen model, class map, protocol or data.
    """
    ours = _made_of(bench.evaluator_provenance, asdict(bench.task.protocol), bench.dataset)
    for file in sorted(folder.glob("*/result.json")):
        try:
            found = Result.read(file)
        except PipelineError:
            continue  # the next result of that name replaces it
        known = found.provenance
        theirs = _made_of(known["evaluator"], found.protocol, known["dataset"])
        for what in ours:
            if ours[what] != theirs[what]:
                raise PipelineError(
                    f"{file}: is of another {what}, though of the same name; give another --out, "
                    f"or remove {folder}"
                )


def _made_of(
    evaluator: Mapping[str, Any], protocol: Mapping[str, Any], dataset: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "frozen model": evaluator.get("sha256"),
        "class map": (evaluator.get("class_map") or {}).get("sha256"),
        "protocol": dict(plain(protocol)),
        "data": dataset["sha256"],
    }


def sweep_folder(out: Path, bench: "Bench") -> Path:
    """`…/SPLIT-seedN[-SETTING]` for a darkened task, with the settings that are not the default."""
    parts = [*bench.task.splits, *_settings(bench.task.darkening)]
    return bench_folder(out, bench) / "-".join(parts)


def darkened_folder(out: Path, task: Task, evaluator: Mapping[str, Any]) -> Path:
    """`task_folder`; the name of a darkened task's says how dark and by which settings."""
    folder = task_folder(out, task, evaluator)
    if task.darkening is None:
        return folder
    parts = [folder.name, f"exposure{task.darkening.exposure}", *_settings(task.darkening)]
    return folder.with_name("-".join(parts))


def enhancer_folder(name: EnhancerName, amp: bool) -> str:
    """Mixed precision changes scores a little, so its results lie apart."""
    folder = _as_folder(str(name), "@" if name.source is None else ":")
    return folder + ("-amp" if amp else "")


def _settings(darkening: Darkening) -> Iterator[str]:
    """Without the exposure."""
    yield f"seed{darkening.seed}"
    for name in ("color_cast", "shot_noise", "read_noise"):
        value = getattr(darkening, name)
        if value != getattr(Darkening, name):
            yield name + (",".join(map(str, value)) if name == "color_cast" else str(value))


def _as_folder(name: str, separator: str) -> str:
    """The name itself; a path in it becomes its last part and a digest of the whole path."""
    head, found, path = name.partition(separator)
    if "/" not in path and not (path and Path(path).exists()):
        return head + found.replace(":", "-") + path
    digest = hashlib.sha256(str(Path(path).resolve()).encode()).hexdigest()[:8]
    return f"{head}-{Path(path).resolve().name}-{digest}"
