"""The keys of a config and the types of their values."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pipeline.batch.source import Key, Source

TEXT, FLAG, NUMBER = "text", "true or false", "a whole number above 0"
MAPPING, LIST = "a mapping", "a list"
TOP = {
    "include": None,
    "enhancers": LIST,
    "seeds": LIST,
    "tasks": LIST,
    "exclude": LIST,
    "overrides": LIST,
    "amp": FLAG,
    "chunk": NUMBER,
    "slurm": MAPPING,
}
TASK = {
    "task": TEXT,
    "root": TEXT,
    "sample": FLAG,
    "protocol": None,
    "evaluator": None,
    "evaluator_weights": TEXT,
    "class_map": TEXT,
    "darken": MAPPING,
}
CHOOSE = {"enhancer": TEXT, "task": TEXT}
OVERRIDE = CHOOSE | {"weights": TEXT, "options": MAPPING, "amp": FLAG, "chunk": NUMBER}
# As submitit and sbatch name them; `additional_parameters` holds any other option of sbatch.
SLURM = {
    "timeout_min": NUMBER,
    "partition": TEXT,
    "account": TEXT,
    "qos": TEXT,
    "constraint": TEXT,
    "gres": TEXT,
    "gpus_per_node": NUMBER,
    "cpus_per_task": NUMBER,
    "mem_gb": NUMBER,
    "nodes": NUMBER,
    "tasks_per_node": NUMBER,
    "array_parallelism": NUMBER,
    "setup": LIST,
    "additional_parameters": MAPPING,
}


def check(source: Source, values: Mapping[str, Any], known: Mapping[str, Any], key: Key) -> None:
    """Note the keys that are not known and the values of another type."""
    for name, value in values.items():
        if name not in known:
            source.wrong((*key, name), f"is no known key; {nearest(name, list(known))}")
        elif not right(known, name, value):
            source.wrong((*key, name), f"must be {known[name]}, not {value!r}")


def right(known: Mapping[str, Any], name: str, value: Any) -> bool:
    return name in known and (known[name] is None or is_kind(value, known[name]))


def is_kind(value: Any, kind: str) -> bool:
    if kind == NUMBER:
        return type(value) is int and value > 0
    if kind == TEXT:
        # An empty one would mean a default that nobody asked for.
        return type(value) is str and bool(value.strip())
    return type(value) is {FLAG: bool, MAPPING: dict, LIST: list}[kind]


def nearest(name: str, known: list[str]) -> str:
    """The end of a message about a name that is not known."""
    near = get_close_matches(name, known, 1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"


def listed(source: Source, name: str) -> list[Any]:
    """The list at a key of the top; empty where there is none."""
    value = source.content.get(name)
    return value if isinstance(value, list) else []
