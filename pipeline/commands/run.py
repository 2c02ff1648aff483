"""`pipeline run`."""

import hashlib
from argparse import Namespace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from pipeline.factory import create_task, load_enhancer
from pipeline.files import require_writable
from pipeline.names import parse_enhancer
from pipeline.result import Result
from pipeline.runner import chain_options, prepare, run_loaded
from pipeline.table import print_table


def run(arguments: Namespace) -> None:
    """Measure every named enhancer; each result is written as soon as it is there."""
    names = list(dict.fromkeys(arguments.enhancer))
    parsed = [parse_enhancer(name) for name in names]
    task = create_task(arguments.task, arguments.root, arguments.protocol, sample=arguments.sample)
    options = chain_options(
        task, arguments.device, arguments.amp, arguments.batch_size, arguments.workers
    )
    folders = _folders(arguments.out, task.name, task.sample_data, names)
    for folder in folders.values():
        require_writable(folder)
    loaded = {str(name): load_enhancer(name, sample=task.sample_data) for name in parsed}
    bench = prepare(task, arguments.evaluator, arguments.evaluator_weights)
    console = Console()
    results: list[Result] = []
    stderr = Console(stderr=True)
    with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        bar = progress.add_task("", total=len(names))
        for name, enhancer in loaded.items():
            progress.update(bar, description=f"{name} on {task.name}")
            panels = (folders[name] / "images", arguments.save_images)
            result = run_loaded(name, enhancer, bench, options, panels)
            result.write(folders[name] / "result.json")
            results.append(result)
            progress.advance(bar)
    print_table(results, console)
    console.print(f"results: {folders[names[0]].parent}", highlight=False)


def _folders(out: Path, task: str, sample: bool, names: list[str]) -> dict[str, Path]:
    """A folder per enhancer, `OUT/TASK[-sample]/ENHANCER`."""
    parent = out / (_as_folder(task, ":") + ("-sample" if sample else ""))
    return {name: parent / _as_folder(name, "@") for name in names}


def _as_folder(name: str, separator: str) -> str:
    """The name itself; a path in it becomes its last part and a digest of the whole path."""
    head, found, path = name.partition(separator)
    if "/" not in path:
        return head + found.replace(":", "-") + path
    digest = hashlib.sha256(str(Path(path).resolve()).encode()).hexdigest()[:8]
    return f"{head}-{Path(path).resolve().name}-{digest}"
