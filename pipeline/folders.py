"""Where results lie."""

import hashlib
from pathlib import Path

from pipeline.names import EnhancerName
from pipeline.runner import Bench
from tasks.darken import Darkening


def bench_folder(out: Path, bench: Bench) -> Path:
    """`OUT/TASK[-DATA]/PROTOCOL[-EVALUATOR]`: results that may not be compared lie apart."""
    data = "" if bench.task.data == "user" else "-" + bench.task.data.replace(" ", "-")
    task = _as_folder(bench.task.name, ":") + data
    known = bench.evaluator_provenance
    parts = [bench.task.protocol.name]
    if bench.task.kind != "restoration":
        parts += [Path(known["model"]).stem, Path(known["file"]).stem]
    if known.get("class_map"):
        parts.append(Path(known["class_map"]["file"]).stem)
    return out / task / "-".join(parts)


def sweep_folder(out: Path, bench: Bench) -> Path:
    """`…/SPLIT-seedN[-SETTING]` for a darkened task, with the settings that are not the default."""
    darkening = bench.task.darkening
    parts = [*bench.task.splits, f"seed{darkening.seed}"]
    for name in ("color_cast", "shot_noise", "read_noise"):
        value = getattr(darkening, name)
        if value != getattr(Darkening, name):
            parts.append(name + (",".join(map(str, value)) if name == "color_cast" else str(value)))
    return bench_folder(out, bench) / "-".join(parts)


def enhancer_folder(name: EnhancerName, amp: bool) -> str:
    """Mixed precision changes scores a little, so its results lie apart."""
    folder = _as_folder(str(name), "@" if name.source is None else ":")
    return folder + ("-amp" if amp else "")


def _as_folder(name: str, separator: str) -> str:
    """The name itself; a path in it becomes its last part and a digest of the whole path."""
    head, found, path = name.partition(separator)
    if "/" not in path and not (path and Path(path).exists()):
        return head + found.replace(":", "-") + path
    digest = hashlib.sha256(str(Path(path).resolve()).encode()).hexdigest()[:8]
    return f"{head}-{Path(path).resolve().name}-{digest}"
