"""Folders of results whose scores and differences are known by construction."""

from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import numpy as np

from pipeline.cost import Cost
from pipeline.report import study
from pipeline.report.collect import Collection, Found
from pipeline.result import Score

from ..compared import answered, night_streets

HOSTILE = "sci@a_b&c%d#e|f*g<b>h~i^j{k}"
RECIPE = {"network": {}, "lfpv": {"nodes": 16}, "training": {"steps": 9, "lfpv_weight": 1.0}}


def trained(digest, lfpv=False, recipe=RECIPE, **header):
    """Provenance of weights as `pipeline run` records it, of SCI on LOL."""
    header = {"recipe": recipe, "data": {"name": "lol", "sha256": "l"}, "seed": 0} | header
    weights = {"file": f"{digest}.pt", "sha256": digest * 8, "options": {}, "header": header}
    if not lfpv:
        return weights
    options = {"channels": 3, "nodes": 16, "patch": 4}
    stored = {"nodes": 816, "norms": 204}
    return weights | {"options": options, "lfpv_parameters": stored}


def of(result, enhancer, weights=None, evaluator=None, **changes):
    """A result with another name, weights, frozen model and fields."""
    provenance = result.provenance | {"enhancer": weights or {}}
    provenance["evaluator"] = provenance["evaluator"] | (evaluator or {})
    provenance["cost"] = asdict(_cost(weights))
    return replace(result, enhancer=enhancer, provenance=provenance, **changes)


def _cost(weights):
    """Of identity, of SCI, or of SCI with its nodes."""
    if not weights:
        return Cost(0, None, 0)
    lfpv = weights.get("lfpv_parameters")
    return Cost(1278, 1020, 902_016_000) if lfpv else Cost(258, None, 503_884_800)


def streets(rng):
    """mIoU of 40 images: `sci` is far below identity, `sci+lfpv` above it."""
    made = night_streets(rng)
    return {
        "identity": of(made["identity"], "identity"),
        "sci": of(made["broken"], "sci", trained("base")),
        "sci+lfpv": of(made["sharp"], "sci+lfpv", trained("lfpv", lfpv=True)),
    }


def night_objects(enhancer, right, weights=None):
    """Top-1 of CODaN's 2,500 night images by the published protocol."""
    labels = np.arange(2500) % 3
    result = answered(enhancer, np.arange(2500) < right, labels)
    images = [image | {"split": "test_night"} for image in result.per_image]
    return of(
        result,
        enhancer,
        weights,
        {"model": "resnet18"},
        task="codan",
        protocol={"name": "ciconv", "version": 1, "about": ""},
        scores={"test_night/top1": Score(100 * right / 2500, None, 2500)},
        per_class={"test_night": dict.fromkeys(("a", "b", "c"), 50.0)},
        per_image=images,
    )


def codan():
    return {
        "identity": night_objects("identity", 1333),
        "sci": night_objects("sci", 1467, trained("base")),
        "sci+lfpv": night_objects("sci+lfpv", 1488, trained("lfpv", lfpv=True)),
    }


@cache
def two_tasks():
    """The study of `codan` and `streets`, and of a name that no format takes as it is."""
    given = streets(np.random.default_rng(0))
    given["hostile"] = of(given["sci"], HOSTILE, trained("hostile", seed=7))
    return studied(given | {f"codan/{name}": result for name, result in codan().items()})


def found(results):
    """As `collect` gives them, without files."""
    return [Found(path, Path(path), result) for path, result in results.items()]


def write(folder, results):
    """Path below `folder` → result."""
    for path, result in results.items():
        result.write(folder / path / "result.json")
    return folder


def studied(results):
    """The study of a folder of these, without files."""
    return study(Collection(found(results), []))
