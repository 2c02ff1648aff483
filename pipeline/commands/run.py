"""`pipeline run`."""

import sys
from argparse import Namespace

from pipeline.console import progress, stdout
from pipeline.errors import PipelineError
from pipeline.extremes import draw, pictures
from pipeline.factory import create_task, load_enhancer
from pipeline.files import require_writable
from pipeline.folders import bench_folder, enhancer_folder, require_own
from pipeline.names import parse_enhancer
from pipeline.panels import PANELS, forget_panels
from pipeline.provenance import as_given
from pipeline.result import Result
from pipeline.runner import chain_options, prepare, run_loaded
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
    parent = bench_folder(arguments.out, bench)
    files = {name: parent / enhancer_folder(name, options.amp) / "result.json" for name in names}
    if len(set(files.values())) < len(names):
        raise PipelineError("two of the enhancers would share one result file; run them apart")
    for file in files.values():
        require_writable(file)
    require_own(parent, bench)
    given = as_given(vars(arguments))
    results: list[Result] = []
    with progress() as shown:
        bar = shown.add_task("", total=len(names))
        for name in names:
            shown.update(bar, description=f"{name} on {task.name}")
            result = run_loaded(str(name), loaded[name], bench, options, given)
            forget_panels(files[name].parent / PANELS)
            result.write(files[name])
            results.append(result)
            shown.advance(bar)
        pictured = pictures(results, arguments.save_images)
        if arguments.save_images and not any(pictured.values()):
            print("no panels: no image gains or loses", file=sys.stderr)
        for name, result in zip(names, results, strict=True):
            folder, images = files[name].parent / PANELS, pictured[result.enhancer]
            shown.update(bar, description=f"pictures of {name}")
            for line in draw(result, images, folder, loaded[name], bench, options):
                print(line, file=sys.stderr)
    print_table(results, stdout())
    print(f"results: {parent}")
