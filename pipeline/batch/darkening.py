"""The key `darken` of a task's entry: day images that are darkened as they are read."""

from pathlib import Path
from typing import Any

from pipeline.batch.source import Key, Source
from pipeline.errors import PipelineError
from pipeline.recipes import fill
from tasks.darken import Darkening

KEY = "darken"


def darkenings(source: Source, entry: dict[str, Any], key: Key) -> list[Darkening | None]:
    """One for each value of its `exposure`; [None] where the entry does not darken.

    What is wrong with it is noted in `source`.
    """
    values = entry.get(KEY)
    if values is None:
        return [None]
    found: list[Darkening | None] = []
    for settings in _by_exposure(values):
        try:
            found.append(fill(Darkening, settings, Path(KEY)))
        except PipelineError as error:
            source.wrong((*key, KEY), str(error).removeprefix(f"{KEY}: "))
    if values.get("exposure") == []:
        source.wrong((*key, KEY), "exposure names none; a number or a list of them is needed")
    return found


def _by_exposure(values: dict[str, Any]) -> list[dict[str, Any]]:
    exposures = values.get("exposure")
    if not isinstance(exposures, list):
        return [values]
    return [values | {"exposure": exposure} for exposure in exposures]
