"""Paired comparison of results whose differences are known by construction."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.compare import compare
from pipeline.compare.differences import with_holm
from pipeline.errors import PipelineError
from pipeline.result import Score
from pipeline.statistics import Confusions, Values, paired_bootstrap
from tasks.metrics import mean_iou

from .compared import answered, night_streets, restored, segmented


@pytest.fixture
def streets(rng):
    return night_streets(rng)


@pytest.fixture
def dark_helps_bright_hurts(rng):
    """Brightening is right on the darker half of 120 images, the identity on the brighter."""
    labels = np.arange(120) % 3
    dark = np.arange(120) < 60
    return {
        "identity": answered("identity", ~dark | (rng.random(120) < 0.2), labels),
        "bright": answered("bright", dark | (rng.random(120) < 0.2), labels),
    }


def test_where_it_helps_and_where_it_hurts(dark_helps_bright_hurts):
    (one,) = compare(dark_helps_bright_hurts).comparisons
    assert one.overall.verdict == "no difference shown"
    assert [d.verdict for d in one.by_level] == ["better", "better", "worse", "worse"]
    assert [d.images for d in one.by_level] == [30] * 4
    assert one.by_level[0].name == "< 29.75"
    assert one.overall.better + one.overall.same + one.overall.worse == 120
    assert one.overall.test == "mcnemar"


def test_bins_may_have_fixed_edges(dark_helps_bright_hurts):
    (one,) = compare(dark_helps_bright_hurts, edges=[3, 60, 500]).comparisons
    assert [(d.name, d.images) for d in one.by_level] == [
        ("< 3", 3),
        ("3 to 60", 57),
        ("60 to 500", 60),
    ]
    few, *_ = one.by_level
    assert (few.verdict, few.interval, few.p) == ("too few images", None, None)
    assert few.delta is not None
    with pytest.raises(PipelineError, match="must rise"):
        compare(dark_helps_bright_hurts, edges=[60, 3])


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_a_difference_is_the_paired_bootstraps(streets, method):
    report = compare(streets, method=method)
    stored = {
        name: Confusions(np.array([i["confusion"] for i in result.per_image]), mean_iou)
        for name, result in streets.items()
    }
    for one in report.comparisons:
        expected = paired_bootstrap(
            stored["identity"].scores, stored[one.enhancer].scores, 40, method
        )
        found = one.overall
        scores = [streets[name].headline[1].value for name in ("identity", one.enhancer)]
        assert [found.reference, found.score] == pytest.approx(scores)
        assert found.delta == pytest.approx(scores[1] - scores[0])
        assert found.interval == pytest.approx([100 * end for end in expected.interval])
        assert (found.method, found.test) == (method, "bootstrap")
        assert found.p == expected.p
        assert found.p <= found.p_holm


def test_classes_gain_and_lose(streets):
    sharp, broken = compare(streets).comparisons
    road, sky, train = sharp.by_class
    assert sky.verdict == "better"
    assert sky.images == 40
    assert sky.score - sky.reference == pytest.approx(sky.delta)
    # Its IoU falls by a lot, on three images.
    assert train.delta < -30
    assert (train.images, train.verdict, train.p) == (3, "too few images", None)
    assert {broken.by_class[0].verdict, broken.by_class[1].verdict} == {"worse"}
    assert road.name == "road"


def test_a_class_that_counts_for_one_only_is_no_difference(streets):
    """No image has a train; only one of the two predicts some."""
    images = [np.array(i["confusion"])[:2] for i in streets["identity"].per_image]
    none = np.stack([np.vstack([i[:, :3] * [1, 1, 0], [[0, 0, 0]]]) for i in images])
    some = none.copy()
    some[:, 0, 0] -= 5
    some[:, 0, 2] += 5
    one = compare({"a": segmented("a", none), "b": segmented("b", some)}).comparisons[0]
    train = one.by_class[2]
    assert (train.reference, train.score, train.delta) == (None, 0, None)
    assert train.verdict == "does not count for both"
    # The protocol's mIoU counts it for one all the same.
    assert one.overall.delta < -15


def _psnr(result):
    return Values(np.array([image["values"]["PSNR"] for image in result.per_image]))


def test_less_is_better_for_lpips(rng):
    psnr = rng.normal(20, 2, 30)
    lpips = rng.uniform(0.3, 0.5, 30)
    results = {
        "a": restored("a", psnr, lpips),
        "b": restored("b", psnr + 1 + rng.normal(0, 0.1, 30), lpips - 0.1),
    }
    headline = compare(results)
    assert (headline.score, headline.unit, headline.class_score) == ("night/PSNR", "dB", "")
    assert headline.comparisons[0].overall.verdict == "better"
    (one,) = compare(results, score="night/LPIPS").comparisons
    assert one.overall.delta == pytest.approx(-0.1)
    assert one.overall.interval == pytest.approx((-0.1, -0.1))
    assert one.overall.verdict == "better"
    assert (one.overall.better, one.overall.worse) == (30, 0)
    assert one.by_class == []
    (back,) = compare(results, reference="b", score="night/LPIPS").comparisons
    assert back.overall.verdict == "worse"
    values = [_psnr(result) for result in results.values()]
    expected = paired_bootstrap(values[0].scores, values[1].scores, 30)
    assert headline.comparisons[0].overall.interval == pytest.approx(expected.interval)


def test_holm_takes_back_what_alone_would_be_shown(dark_helps_bright_hurts):
    (one,) = compare(dark_helps_bright_hurts).comparisons
    shown = replace(one.overall, interval=(0.1, 3), delta=1.0, p=0.03)
    assert with_holm([shown], lower=False)[0].verdict == "better"
    family = with_holm([shown, shown], lower=False)
    assert [d.p_holm for d in family] == pytest.approx([0.06, 0.06])
    assert {d.verdict for d in family} == {"no difference shown (Holm)"}
    untested = replace(shown, p=None, interval=None)
    assert with_holm([shown, untested], lower=False)[0].verdict == "better"


def test_all_enhancers_are_one_family(streets):
    alone = compare({name: streets[name] for name in ("identity", "broken")}).comparisons[0]
    (_, broken) = compare(streets).comparisons
    assert alone.overall.p_holm == alone.overall.p == broken.overall.p
    assert broken.overall.p_holm == pytest.approx(2 * broken.overall.p)


def test_the_order_of_the_images_does_not_matter(streets):
    sharp = streets["sharp"]
    turned = replace(sharp, per_image=sharp.per_image[::-1])
    assert compare(streets | {"sharp": turned}) == compare(streets)


def relabelled(result):
    first, *others = result.per_image
    return replace(result, per_image=[first | {"confusion": [[9] * 3] * 3}, *others])


def of(result, **changes):
    """The result with some keys of its provenance's parts changed."""
    provenance = {key: value | changes.get(key, {}) for key, value in result.provenance.items()}
    return replace(result, provenance=provenance)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: replace(r, task="nighttime_driving"), "their task differs"),
        (lambda r: replace(r, data="sample"), "kind of data differs (user and sample)"),
        (lambda r: replace(r, protocol=r.protocol | {"version": 2}), "protocol (version) differs"),
        (lambda r: replace(r, protocol=r.protocol | {"eight_bit": "none"}), "(None and none)"),
        (lambda r: of(r, evaluator={"sha256": "f" * 64}), "evaluator's sha256 differs"),
        (lambda r: of(r, evaluator={"model": "other"}), "evaluator differs (net and other)"),
        (lambda r: of(r, dataset={"sha256": "0" * 64}), "dataset's sha256 differs"),
        (lambda r: replace(r, per_class={"night": {"road": 1.0}}), "classes differs"),
        (lambda r: replace(r, per_image=r.per_image[:-1]), "'039' is in one only"),
        (lambda r: replace(r, scores={"day/mIoU": Score(1, None, 1)}), "it has day/mIoU"),
        (
            lambda r: replace(
                r, per_image=[r.per_image[0] | {"confusion": [[9] * 3] * 3}, *r.per_image[1:]]
            ),
            "the truth of '000' differs",
        ),
    ],
)
def test_what_cannot_be_compared_is_named(streets, change, message):
    with pytest.raises(PipelineError) as caught:
        compare(streets | {"sharp": change(streets["sharp"])})
    assert message in str(caught.value)
    assert "sharp" in str(caught.value)


def test_what_may_differ(streets):
    """Where a folder of one's own lies, and how a protocol is described."""
    moved = {
        name: replace(r, task=f"segmentation:/{name}/x", protocol=r.protocol | {"about": name})
        for name, r in streets.items()
    }
    assert len(compare(moved).comparisons) == 2


def test_a_difference_of_two_trainings_is_told(streets):
    def named(name, result, seed):
        header = {"recipe": {"lfpv": name}, "data": {"name": "lol"}, "seed": seed, "steps": 9}
        weights = {"header": header}
        return replace(result, enhancer=name, provenance=result.provenance | {"enhancer": weights})

    base = named("sci@a", streets["identity"], 0)
    same, other = (named("sci+lfpv@b", streets["sharp"], seed) for seed in (0, 1))
    noted = "sci+lfpv@b and sci@a differ in more than LFPV: seed of their trainings differs"
    for reference in ("base", "lfpv"):
        assert noted in compare({"base": base, "lfpv": other}, reference).notes
        assert not any("LFPV" in n for n in compare({"base": base, "lfpv": same}, reference).notes)
    untold = replace(base, provenance=base.provenance | {"enhancer": {}})
    assert (
        "sci+lfpv@b and sci@a differ in more than LFPV: the weights of sci@a do not say how they "
        "were trained"
    ) in compare({"base": untold, "lfpv": same}).notes


def test_what_a_bare_name_means_is_noted(streets):
    sharp = streets["sharp"]
    weights = {"enhancer": {"file": "sci@ours-lol.safetensors"}}
    named = replace(sharp, enhancer="sci", provenance=sharp.provenance | weights)
    assert "names without weights mean sci@ours-lol" in compare(streets | {"sharp": named}).notes


def test_notes_say_what_is_not_known(streets):
    assert any(
        "fewer than 100 images are often too narrow" in note for note in compare(streets).notes
    )
    in_memory = {
        name: replace(r, provenance=r.provenance | {"evaluator": {"model": "Net"}})
        for name, r in streets.items()
    }
    assert any("given in memory" in note for note in compare(in_memory).notes)
    mixed = streets | {"sharp": of(streets["sharp"], config={"amp": True})}
    assert any("mixed precision" in note for note in compare(mixed).notes)
