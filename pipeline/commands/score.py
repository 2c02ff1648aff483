"""`pipeline score`."""

from argparse import Namespace
from pathlib import Path

from pipeline.batch.records import Records
from pipeline.batch.rescoring import rescored
from pipeline.batch.state import RECORDS, RESULT, locked, mark_again, read_status
from pipeline.console import stdout
from pipeline.errors import PipelineError
from pipeline.result import Result
from pipeline.table import print_table


def score(arguments: Namespace) -> None:
    """Compute the scores of finished cells from their records; results that differ are replaced.

    Raises:
        PipelineError: the folder holds no records.
    """
    folders = sorted(path.parent for path in arguments.folder.rglob(RECORDS))
    if not folders:
        raise PipelineError(f"{arguments.folder}: holds no records of `pipeline batch`")
    console = stdout()
    tables: dict[Path, list[Result]] = {}
    lines = []
    for folder in folders:
        status = read_status(folder)
        if status is None or status["state"] != "done":
            lines.append(f"{folder}: is not done; `pipeline batch` finishes it")
            continue
        result, differs = _rescore(folder, status["identity"])
        tables.setdefault(folder.parent, []).append(result)
        lines += [f"{folder}: {difference}" for difference in differs]
    for results in tables.values():
        print_table(results, console)
    for line in lines or ["all scores are those that the results hold"]:
        print(line)


def _rescore(folder: Path, identity: dict) -> tuple[Result, list[str]]:
    """The result of a cell from its records, written if it differs, and what differs."""
    with locked(folder) as free:
        if not free:
            raise PipelineError(f"{folder}: another process works on it")
        before = Result.read(folder / RESULT)
        with Records.open(folder, identity) as records:
            images = records.images()
        after = rescored(before, images)
        if after == before:
            return after, []
        after.write(folder / RESULT)
        mark_again(folder)
    scores = {*before.scores, *after.scores}
    differs = [
        f"{name} was {_value(before, name)}, is {_value(after, name)}"
        for name in sorted(scores)
        if before.scores.get(name) != after.scores.get(name)
    ]
    return after, differs or ["written again; the scores are the same"]


def _value(result: Result, name: str) -> str:
    return f"{result.scores[name].value:.4f}" if name in result.scores else "not there"
