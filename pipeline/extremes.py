"""Panels of the images on which an enhancer gains and loses most, measured again as they were."""

import math
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.chain import ChainOptions, Measured, cut, measure
from pipeline.compare.images import extremes
from pipeline.errors import is_out_of_memory, one_line, user_errors
from pipeline.factory import Loaded
from pipeline.panels import panel_file, save_panel
from pipeline.result import Result
from pipeline.runner import Bench
from pipeline.summary import image_entry, without_pixels

REFERENCE = "identity"


def pictures(results: Sequence[Result], count: int) -> dict[str, set[str]]:
    """Enhancer → so many images that gain and that lose most of all; where no result is of
    identity, or of anything else, the first of each."""
    named = {result.enhancer: result for result in results}
    if REFERENCE in named and len(named) > 1:
        return {name: set() for name in named} | extremes(named, REFERENCE, count)
    return {name: first_images(result, count) for name, result in named.items()}


def first_images(result: Result, count: int) -> set[str]:
    """The first so many."""
    return {image["id"] for image in result.per_image[:count]}


def undrawn(folder: Path, images: Collection[str]) -> set[str]:
    """Those without a panel in a result's folder of panels."""
    return {image for image in images if not panel_file(folder, image).is_file()}


def draw(
    result: Result,
    images: Collection[str],
    folder: Path,
    enhancer: Loaded,
    bench: Bench,
    options: ChainOptions,
) -> Iterator[str]:
    """Save panels of some images of a result; says in a line each what could not be.

    The whole batches of these images go through the chain again, so that its enhanced images are
    those that were scored, to the last bit on one device. A prediction other than the one that was
    scored has no panel.
    """
    if not images:
        return
    where = f"no panels of {result.enhancer} on {result.task}"
    for what, loaded in (("enhancer", enhancer.weights), ("evaluator", bench.evaluator_provenance)):
        if loaded.get("sha256") != result.provenance[what].get("sha256"):
            yield f"{where}: the weights of the {what} changed meanwhile"
            return
    entries = {image["id"]: image for image in result.per_image}
    try:
        for one in _measured(images, enhancer, bench, options):
            if _same(image_entry(without_pixels(one)), entries[one.record.id]):
                save_panel(folder, one, bench.evaluator)
            else:
                yield f"{where}, {one.record.id}: another prediction than the one that was scored"
    except Exception as error:
        if not (isinstance(error, (*user_errors(), OSError)) or is_out_of_memory(error)):
            raise
        yield f"{where}: {one_line(error)}"


def _measured(
    images: Collection[str], enhancer: Loaded, bench: Bench, options: ChainOptions
) -> Iterator[Measured]:
    """The images again, each in the batch in which it was."""
    samples = bench.task.samples
    batches = [
        batch
        for batch in cut(len(samples), options.batch_size)
        if any(samples[index].id in images for index in batch)
    ]
    model = enhancer.model.to(options.device)
    bench.evaluator.to(options.device)
    for one in measure(model, bench.evaluator, options, batches):
        if one.record.id in images:
            yield one


def _same(again: dict[str, Any], scored: dict[str, Any]) -> bool:
    keys = ("label", "prediction", "confusion")
    first, second = again.get("values") or {}, scored.get("values") or {}
    return (
        all(again.get(key) == scored.get(key) for key in keys)
        and first.keys() == second.keys()
        and all(math.isclose(first[key], second[key], rel_tol=1e-5) for key in first)
    )
