"""Rows, and which of them are base and +lfpv of one training."""

import pytest

from pipeline.report.rows import pairs, rows

from .results import RECIPE, found, of, streets, studied, trained


@pytest.fixture
def given(rng):
    return streets(rng)


def labels(given):
    return [row.label for row in rows(found(given)).values()]


def paired(given):
    """Labels of the pairs, and why there are no others."""
    made, reasons = pairs(list(rows(found(given)).values()))
    return [pair.label for pair in made], reasons


def test_identity_is_first_and_bases_stand_before_their_lfpv(given):
    more = {
        "uretinex": of(given["sci"], "uretinex", trained("u")),
        "clahe": of(given["sci"], "clahe"),
        "own": of(given["sci"], "python:mine:f", {"callable": "mine:f"}),
        "module": of(given["sci"], "MyNet"),
    }
    expected = ["identity", "clahe", "sci", "sci+lfpv", "uretinex", "python:mine:f", "MyNet"]
    assert labels(given | more) == expected


def test_a_name_with_other_weights_is_another_row(given):
    other = of(given["sci"], "sci", trained("late"), task="codan")
    paths = {n: of(given["sci"], f"sci@{n}/best.pt", trained("same")) for n in ("a", "b")}
    assert labels(given | {"later": other} | paths) == [
        "identity",
        "sci (basebase)",
        "sci (latelate)",
        "sci@a/best.pt (samesame)",
        "sci@b/best.pt (samesame)",
        "sci+lfpv",
    ]


def test_base_and_lfpv_of_one_training_are_a_pair(given):
    assert paired(given) == (["sci+lfpv − sci"], [])


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        (trained("b", seed=1), "sci: seed of their trainings differs"),
        (trained("b", data={"name": "lol", "sha256": "m"}), "sci: data.sha256 of their"),
        (trained("b", recipe=RECIPE | {"network": {"a": 1}}), "sci: recipe.network.a of their"),
        (trained("b", steps=5), "sci: steps of their trainings differs"),
        ({"options": {}, "sha256": "b"}, "the weights of sci do not say how they were trained"),
    ],
)
def test_other_trainings_are_no_pair_and_the_page_says_why(given, weights, reason):
    made, (line,) = paired(given | {"sci": of(given["sci"], "sci", weights)})
    assert made == []
    assert line.startswith("no difference of sci+lfpv to its base: ")
    assert reason in line


def test_what_concerns_lfpv_alone_may_differ(given):
    recipe = RECIPE | {"lfpv": {"nodes": 4}, "training": {"steps": 9, "lfpv_weight": 0.5}}
    recipe["phases"] = [{"steps": 9, "nodes": "learn"}]
    plain = RECIPE | {"phases": [{"steps": 9, "nodes": "none"}]}
    given["sci"] = of(given["sci"], "sci", trained("b", recipe=plain))
    given["sci+lfpv"] = of(given["sci+lfpv"], "sci+lfpv", trained("l", True, recipe))
    assert paired(given) == (["sci+lfpv − sci"], [])


def test_seeds_are_paired_with_their_own(given):
    more = {
        "again": of(given["sci"], "sci@s1.pt", trained("s1", seed=1)),
        "again+lfpv": of(given["sci+lfpv"], "sci+lfpv@s1.pt", trained("l1", True, seed=1)),
    }
    assert paired(given | more) == (["sci+lfpv − sci", "sci+lfpv@s1.pt − sci@s1.pt"], [])


def test_without_its_base_and_with_several_others(given):
    lonely = {name: given[name] for name in ("identity", "sci+lfpv")}
    assert paired(lonely)[1][0].endswith("there is no result of sci")
    others = {s: of(given["sci"], f"sci@{s}", trained(s, seed=s)) for s in ("8", "9")}
    _, (line,) = paired(lonely | others)
    assert line.endswith("none of sci@8, sci@9 is of its recipe, data and seed")


def test_the_control_is_labelled_and_paired(given):
    control = trained("c", recipe=RECIPE | {"control": "two_path"})
    given["control"] = of(given["sci"], "sci@control.pt", control)
    study = studied(given)
    assert [row.kind for row in study.rows.values()] == ["identity", "base", "control", "lfpv"]
    assert any("without nodes" in note for note in study.table.notes)
    lines = [line.label for line in study.table.lines]
    assert lines == [
        "identity",
        "sci",
        "sci@control.pt (compute-matched control)",
        "sci+lfpv",
        "Δ sci+lfpv − sci",
        "Δ sci+lfpv − sci@control.pt (compute-matched control)",
    ]
