"""`pipeline compare`."""

import json
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pipeline.compare import compare as compare_results
from pipeline.compare import compare_over
from pipeline.compare.tables import print_repeats, print_report
from pipeline.console import stdout
from pipeline.errors import PipelineError
from pipeline.files import atomic, require_writable
from pipeline.result import Result


def compare(arguments: Namespace) -> None:
    """Read results, compare each with the reference, print and write what is shown."""
    # A file that is named again, as a pattern does with the first one, counts once.
    files = list(dict.fromkeys(file for given in arguments.results for file in _files(given)))
    if arguments.json:
        if arguments.json.resolve() in {file.resolve() for file in files}:
            raise PipelineError(f"{arguments.json}: is one of the results; name another --json")
        require_writable(arguments.json)
    if arguments.over and arguments.levels:
        raise PipelineError("--levels has no use beside --over, which shows no bins of brightness")
    chosen = (arguments.reference, arguments.score)
    if arguments.over:
        results = [Result.read(file) for file in files]
        report = compare_over(arguments.over, results, *chosen, arguments.interval)
    else:
        labelled = _read(files)
        report = compare_results(labelled, *chosen, arguments.levels, arguments.interval)
    if arguments.json:
        with atomic(arguments.json) as temporary:
            temporary.write_text(json.dumps(report.as_dict(), indent=1, allow_nan=False) + "\n")
    show = print_repeats if arguments.over else print_report
    show(report, stdout())


def _files(given: Path) -> list[Path]:
    """The file, a folder's own result, or all that lie below it, no enhancement first.

    Raises:
        PipelineError: a folder without any.
    """
    own = given / "result.json"
    if not given.is_dir() or own.is_file():
        return [own if given.is_dir() else given]
    found = sorted(given.rglob("result.json"), key=lambda f: (f.parent.name != "identity", f))
    if not found:
        raise PipelineError(f"{given}: holds no result of `pipeline run`")
    return found


def _read(files: Sequence[Path]) -> dict[str, Result]:
    """Label → result. The label is the enhancer's name, with its file where two have one name."""
    results = [(file, Result.read(file)) for file in files]
    names = Counter(result.enhancer for _, result in results)
    labelled: dict[str, Result] = {}
    for file, result in results:
        label = result.enhancer if names[result.enhancer] == 1 else f"{result.enhancer} ({file})"
        labelled[label] = result
    return labelled
