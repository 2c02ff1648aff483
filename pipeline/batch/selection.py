"""`exclude` and `overrides`: entries that choose cells by patterns."""

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from pipeline.batch.cells import Cell
from pipeline.batch.checks import enhancer_problem, options_problem
from pipeline.batch.schema import CHOOSE, OVERRIDE, check, listed, nearest
from pipeline.batch.source import Key, Source


def kept(source: Source, cells: list[Cell]) -> list[Cell]:
    """The cells that `exclude` leaves."""
    for index, entry in enumerate(listed(source, "exclude")):
        chosen = _chosen(source, entry, CHOOSE, ("exclude", index), cells)
        cells = [cell for cell in cells if cell not in chosen]
    return cells


def overridden(source: Source, cells: list[Cell]) -> list[Cell]:
    """The cells with `overrides`; of two that meet in a cell the later one counts."""
    for index, entry in enumerate(listed(source, "overrides")):
        key: Key = ("overrides", index)
        chosen = _chosen(source, entry, OVERRIDE, key, cells)
        if chosen and not entry.keys() - CHOOSE.keys():
            source.wrong(key, "changes nothing; give weights, options, amp or chunk")
        cells = [_changed(source, cell, entry, key) if cell in chosen else cell for cell in cells]
    return cells


def _changed(source: Source, cell: Cell, entry: dict[str, Any], key: Key) -> Cell:
    if "weights" in entry:
        name = replace(cell.enhancer, weights=entry["weights"], source=None)
        if problem := enhancer_problem(name):
            source.wrong((*key, "weights"), problem)
        cell = replace(cell, enhancer=name)
    if "options" in entry:
        cell = replace(cell, options=cell.options | entry["options"])
        if problem := options_problem(cell.enhancer, cell.options):
            source.wrong((*key, "options"), problem)
    return replace(cell, **{name: entry[name] for name in ("amp", "chunk") if name in entry})


def _chosen(
    source: Source, entry: Any, known: Mapping[str, Any], key: Key, cells: list[Cell]
) -> list[Cell]:
    """The cells that the patterns `enhancer` and `task` of an entry match; none if it is wrong."""
    if not isinstance(entry, dict):
        source.wrong(key, "must be a mapping with `enhancer`, `task` or both")
        return []
    before = len(source.problems)
    check(source, entry, known, key)
    if not entry.keys() & CHOOSE.keys():
        source.wrong(key, "must say which `enhancer` or `task`; * stands for any")
    if len(source.problems) > before:
        return []
    names = _names(source, cells)
    for name in CHOOSE.keys() & entry.keys():
        if not any(fnmatchcase(one, entry[name]) for one in names[name]):
            source.wrong((*key, name), f"matches none; {nearest(entry[name], names[name])}")
    enhancer, task = entry.get("enhancer", "*"), entry.get("task", "*")
    chosen = [
        cell
        for cell in cells
        if fnmatchcase(str(cell.enhancer), enhancer) and fnmatchcase(cell.task.task, task)
    ]
    if not chosen and not source.problems:
        source.wrong(key, "matches no cell that is left")
    return chosen


def _names(source: Source, cells: list[Cell]) -> dict[str, list[str]]:
    """What patterns can match: the names of cells, and those of entries that are wrong."""
    tasks = [t.get("task") if isinstance(t, dict) else t for t in listed(source, "tasks")]
    found = {
        "enhancer": [*listed(source, "enhancers"), *(str(cell.enhancer) for cell in cells)],
        "task": [*tasks, *(cell.task.task for cell in cells)],
    }
    return {key: list(dict.fromkeys(map(str, names))) for key, names in found.items()}
