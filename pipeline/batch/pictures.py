"""The panels of a batch: of each bench the images on which an enhancer gains and loses most."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.batch.benches import Benches
from pipeline.batch.plan import Planned
from pipeline.compare.images import SHOWN, extremes
from pipeline.errors import one_line, user_errors
from pipeline.extremes import REFERENCE, draw, undrawn
from pipeline.factory import load_enhancer
from pipeline.panels import PANELS
from pipeline.result import Result
from pipeline.runner import chain_options

Done = tuple[Planned, Result]


def draw_missing(done: Sequence[Done], device: str, workers: int) -> Iterator[str]:
    """Save the panels that are not there yet; says in a line each what could not be drawn."""
    benches: dict[tuple[Path, bool], dict[str, Done]] = {}
    for one, result in done:
        bench = benches.setdefault((one.folder.parent, one.cell.amp), {})
        bench[str(one.cell.enhancer)] = one, result
    loaded = Benches()
    for bench in benches.values():
        if REFERENCE in bench:
            yield from _of_bench(bench, loaded, device, workers)


def _of_bench(done: dict[str, Done], loaded: Benches, device: str, workers: int) -> Iterator[str]:
    chosen = extremes({name: result for name, (_, result) in done.items()}, REFERENCE, SHOWN)
    missing = {
        name: images
        for name in chosen
        if (images := undrawn(done[name][0].folder / PANELS, chosen[name]))
    }
    for name, images in missing.items():
        one, result = done[name]
        options = chain_options(one.bed.task, device, one.cell.amp, one.chunk, workers)
        try:
            bench = loaded.of(one)
            sample = one.bed.task.sample_data
            enhancer = load_enhancer(one.cell.enhancer, sample=sample, **one.cell.options)
        except (*user_errors(), OSError) as error:
            yield f"no panels of {one}: {one_line(error)}"
            continue
        yield from draw(result, images, one.folder / PANELS, enhancer, bench, options)
