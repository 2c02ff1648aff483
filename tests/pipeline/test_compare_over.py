"""Mean ± deviation over evaluators and over training seeds, of cases whose answer is known."""

import json
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.cli import main
from pipeline.compare import compare, compare_over
from pipeline.errors import PipelineError
from pipeline.statistics import Spread, holm

from .compared import answered, restored

LABELS = np.arange(100) % 3


def scoring(enhancer, percent):
    """Top-1 of `percent` on 100 images: the first ones are right."""
    return answered(enhancer, np.arange(100) < percent, LABELS)


def under(result, name, **more):
    evaluator = {"model": "resnet18", "file": f"{name}.pt", "sha256": f"{name}{'0' * 40}"} | more
    provenance = result.provenance | {"evaluator": evaluator, "enhancer": {}}
    return replace(result, provenance=provenance)


def trained(result, seed, recipe="short"):
    header = {} if seed is None else {"seed": seed, "recipe": recipe, "environment": str(seed)}
    return replace(result, provenance=result.provenance | {"enhancer": {"header": header}})


@pytest.fixture
def evaluators():
    """Three evaluators: identity 50, 54, 52; sci 60, 59, 70."""
    scores = {"a": (50, 60), "b": (54, 59), "c": (52, 70)}
    return [
        under(scoring(enhancer, percent), name)
        for name, pair in scores.items()
        for enhancer, percent in zip(("identity", "sci"), pair, strict=True)
    ]


@pytest.fixture
def seeds():
    """identity has no seed; sci 60, 62, 67 and sci+lfpv 61, 66, 65 under the seeds 0, 1 and 2."""
    scores = {"sci": (60, 62, 67), "sci+lfpv": (61, 66, 65)}
    return [trained(scoring("identity", 50), None)] + [
        trained(scoring(f"{name}@runs/{seed}.safetensors", percent), seed)
        for name, of in scores.items()
        for seed, percent in enumerate(of)
    ]


def test_over_evaluators(evaluators):
    report = compare_over("evaluators", evaluators)
    identity, sci = report.repeated
    assert (report.reference, report.images, report.score) == ("identity", 100, "night/top1")
    assert identity.scores == pytest.approx({"a": 50, "b": 54, "c": 52})
    assert (identity.score.mean, identity.score.deviation) == pytest.approx((52, 2))
    assert (identity.delta, identity.each) == (None, [])
    assert sci.score.mean == pytest.approx(63)
    assert sci.score.deviation == pytest.approx(statistics.stdev([60, 59, 70]))
    # The deviation of the differences is not that of the scores.
    assert [d.delta for d in sci.each] == pytest.approx([10, 5, 18])
    assert sci.delta.mean == pytest.approx(11)
    assert sci.delta.deviation == pytest.approx(statistics.stdev([10, 5, 18]))
    assert [d.name for d in sci.each] == ["a", "b", "c"]


def test_each_difference_is_that_of_one_comparison(evaluators):
    (_, sci) = compare_over("evaluators", evaluators).repeated
    for index, difference in enumerate(sci.each):
        pair = {r.enhancer: r for r in evaluators[2 * index : 2 * index + 2]}
        alone = compare(pair).comparisons[0].overall
        assert (difference.delta, difference.interval, difference.p) == (
            alone.delta,
            alone.interval,
            alone.p,
        )
    family = holm(np.array([difference.p for difference in sci.each]))
    assert [d.p_holm for d in sci.each] == pytest.approx(family.tolist())


def test_over_seeds_with_a_reference_that_has_none(seeds):
    report = compare_over("seeds", seeds)
    identity, sci, lfpv = report.repeated
    assert [one.enhancer for one in report.repeated] == ["identity", "sci", "sci+lfpv"]
    assert (identity.score.count, identity.score.deviation) == (1, None)
    assert [d.name for d in sci.each] == ["seed 0", "seed 1", "seed 2"]
    assert (sci.delta.mean, sci.delta.deviation) == pytest.approx((13, 13**0.5))
    assert lfpv.delta.mean == pytest.approx(14)


def test_over_seeds_with_a_reference_that_has_them(seeds):
    report = compare_over("seeds", seeds[::-1], reference="sci")
    sci, lfpv, identity = report.repeated
    assert (sci.enhancer, lfpv.enhancer) == ("sci", "sci+lfpv")
    assert {d.name: round(d.delta) for d in lfpv.each} == {"seed 0": 1, "seed 1": 4, "seed 2": -2}
    assert lfpv.delta.deviation == pytest.approx(3)
    assert [round(d.delta) for d in identity.each] == [-17, -12, -10]
    assert identity.score.count == 1


def test_a_seedless_enhancer_is_compared_once_with_a_seedless_reference(seeds):
    gamma = trained(scoring("gamma@0.6", 55), None)
    gamma = compare_over("seeds", [*seeds, gamma]).repeated[-1]
    assert gamma.delta == Spread(pytest.approx(5), None, 1)


def test_less_may_be_better(rng):
    values = rng.uniform(0.3, 0.5, 30)
    results = [
        under(restored(name, values, lpips), evaluator)
        for evaluator in "ab"
        for name, lpips in (("identity", values), ("sci", values - 0.1))
    ]
    (_, sci) = compare_over("evaluators", results, score="night/LPIPS").repeated
    assert [d.verdict for d in sci.each] == ["better", "better"]
    assert (sci.delta.mean, sci.delta.deviation) == pytest.approx((-0.1, 0))


def test_an_evaluator_may_call_a_class_by_another_name(evaluators):
    names = {"night": dict.fromkeys(("street", "sky", "train"), 1.0)}
    renamed = [*evaluators[:2], *(replace(r, per_class=names) for r in evaluators[2:])]
    assert compare_over("evaluators", renamed) == compare_over("evaluators", evaluators)


def test_evaluators_of_one_file_name_are_told_apart(evaluators):
    def named(result, **more):
        evaluator = result.provenance["evaluator"] | more
        return replace(result, provenance=result.provenance | {"evaluator": evaluator})

    same = [named(result, file="best.pt") for result in evaluators]
    names = [d.name for d in compare_over("evaluators", same).repeated[1].each]
    assert names == ["best resnet18 a0000000", "best resnet18 b0000000", "best resnet18 c0000000"]
    mapped = [named(r, class_map={"file": "map.yaml", "sha256": "1"}) for r in evaluators[:2]]
    names = [d.name for d in compare_over("evaluators", evaluators[:2] + mapped).repeated[1].each]
    assert names == ["a resnet18 a0000000", "a resnet18 a0000000 map.yaml"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r[:-1], "c: there is a result of identity or sci only"),
        (lambda r: [*r, r[0]], "two of the results are of identity a"),
        (lambda r: r[:2], "all results are of one evaluator"),
        (lambda r: [*r[:-1], replace(r[-1], per_class={"night": {}})], "number of classes differs"),
        (lambda r: [*r[:-1], replace(r[-1], data="darkened")], "kind of data differs"),
        (lambda r: [*r[:-1], scoring("sci", 50)], "there is a result of"),
        (lambda r: [*r[:-1], replace(r[-1], per_image=r[-1].per_image[1:])], "in one only"),
        (
            lambda r: [*r[:-1], replace(r[-1], provenance={"evaluator": {"model": "Net"}})],
            "needs evaluators with a weights file",
        ),
    ],
)
def test_wrong_results_over_evaluators(evaluators, change, message):
    with pytest.raises(PipelineError) as caught:
        compare_over("evaluators", change(evaluators))
    assert message in str(caught.value)


def test_wrong_results_over_seeds(seeds, evaluators):
    with pytest.raises(PipelineError, match="no enhancer has weights of two seeds"):
        compare_over("seeds", seeds[:2])
    with pytest.raises(PipelineError, match="seed 2: there is a result of sci or"):
        compare_over("seeds", seeds[:-1], reference="sci")
    other = trained(scoring("sci@x.safetensors", 60), 3, recipe="published")
    with pytest.raises(PipelineError, match="sci: was trained by several recipes"):
        compare_over("seeds", [*seeds, other])
    with pytest.raises(PipelineError, match="no result is of 'sci@easy'; there are identity, sci"):
        compare_over("seeds", seeds, reference="sci@easy")
    elsewhere = trained(under(scoring("sci@4.safetensors", 60), "b"), 4)
    with pytest.raises(PipelineError, match="their evaluator differs"):
        compare_over("seeds", [*seeds, elsewhere])


def test_the_command(evaluators, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "140")
    files = [str(tmp_path / f"{index}.json") for index in range(len(evaluators))]
    for file, result in zip(files, evaluators, strict=True):
        result.write(Path(file))
    assert main(["compare", *files, "--over", "evaluators", "--json", "out/over.json"]) == 0
    out = capsys.readouterr().out
    for text in ("52.00 ± 2.00 (n = 3)", "+11.00 ± 6.56 (n = 3)", "each of the evaluators"):
        assert text in out
    assert main(["compare", *files, "--over", "evaluators", "--json", files[0]]) == 2
    assert "0.json: is one of the results; name another --json" in capsys.readouterr().err
    content = json.loads(Path("out/over.json").read_text())
    assert content == json.loads(json.dumps(compare_over("evaluators", evaluators).as_dict()))
    assert content["repeated"][1]["delta"]["mean"] == pytest.approx(11)
    assert main(["compare", *files[::2], "--over", "evaluators"]) == 0
    assert "Δ to" not in capsys.readouterr().out
    assert main(["compare", *files]) == 2
    assert "--over evaluators compares under each" in capsys.readouterr().err
    assert main(["compare", *files, "--over", "evaluators", "--levels", "9"]) == 2
    assert "no bins of brightness" in capsys.readouterr().err
