"""`pipeline run`."""

import hashlib
from argparse import Namespace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from pipeline.errors import PipelineError
from pipeline.factory import create_task, load_enhancer
from pipeline.files import require_writable
from pipeline.names import EnhancerName, parse_enhancer
from pipeline.result import Result
from pipeline.runner import Bench, chain_options, prepare, run_loaded
from pipeline.table import print_table


def run(arguments: Namespace) -> None:
    """Measure every named enhancer; each result is written as soon as it is there."""
    names = list(dict.fromkeys(parse_enhancer(name) for name in arguments.enhancer))
    task = create_task(arguments.task, arguments.root, arguments.protocol, sample=arguments.sample)
    options = chain_options(
        task, arguments.device, arguments.amp, arguments.batch_size, arguments.workers
    )
    loaded = {name: load_enhancer(name, sample=task.sample_data) for name in names}
    bench = prepare(task, arguments.evaluator, arguments.evaluator_weights, arguments.class_map)
    parent = _folder(arguments.out, bench)
    files = {name: parent / _enhancer_folder(name, options.amp) / "result.json" for name in names}
    if len(set(files.values())) < len(names):
        raise PipelineError("two of the enhancers would share one result file; run them apart")
    for file in files.values():
        require_writable(file)
    results: list[Result] = []
    stderr = Console(stderr=True)
    with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as progress:
        bar = progress.add_task("", total=len(names))
        for name in names:
            progress.update(bar, description=f"{name} on {task.name}")
            panels = (files[name].parent / "images", arguments.save_images)
            result = run_loaded(str(name), loaded[name], bench, options, panels)
            result.write(files[name])
            results.append(result)
            progress.advance(bar)
    console = Console()
    print_table(results, console)
    console.print(f"results: {parent}", highlight=False, soft_wrap=True)


def _folder(out: Path, bench: Bench) -> Path:
    """`OUT/TASK[-sample]/PROTOCOL[-EVALUATOR]`: results that may not be compared lie apart."""
    task = _as_folder(bench.task.name, ":") + ("-sample" if bench.task.sample_data else "")
    known = bench.evaluator_provenance
    parts = [bench.task.protocol.name]
    if bench.task.kind != "restoration":
        parts += [Path(known["model"]).stem, Path(known["file"]).stem]
    if known.get("class_map"):
        parts.append(Path(known["class_map"]["file"]).stem)
    return out / task / "-".join(parts)


def _enhancer_folder(name: EnhancerName, amp: bool) -> str:
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
