"""Published figures stand beside what they are of, and beside nothing else."""

from dataclasses import replace

import pytest
import yaml

from pipeline.report.published import published
from pipeline.result import Score

from .results import codan, of, streets, studied, two_tasks


def test_codan_by_night_stands_beside_the_paper():
    found = two_tasks()
    assert str(found.table.heads[1]) == "[1] CODaN by night, Top-1 %: published, ResNet-18"
    table = {line.label: line.cells for line in found.table.lines}
    labels = ("identity", "sci", "sci+lfpv", "Δ sci+lfpv − sci")
    assert [str(table[label][1]) for label in labels] == ["53.32", "58.68", "59.54", "+0.86"]
    assert str(table["sci"][0]) == "58.68"
    assert any("Similarity Min-Max" in note for note in found.table.notes)


def test_nodes_without_updaters_are_not_the_papers():
    lfpv = next(row for row in two_tasks().rows.values() if row.kind == "lfpv")
    figures = published(codan()["sci"])
    assert figures.of(lfpv) == 59.54
    options = lfpv.weights["options"] | {"learn": "direct"}
    assert figures.of(replace(lfpv, weights=dict(lfpv.weights) | {"options": options})) is None


def differences(result):
    (score,) = result.scores
    return list(published(result).differences(result, score))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, []),
        ({"data": "sample"}, ["images are sample, not the dataset's"]),
        ({"data": "darkened"}, ["images are darkened, not the dataset's"]),
        ({"protocol": {"name": "other"}}, ["protocol other, published is ciconv"]),
        (
            {"evaluator": {"model": "resnet50"}},
            ["frozen model resnet50, published is ResNet-18"],
        ),
        (
            {"evaluator": {"class_map": {"file": "map.yaml"}}},
            ["frozen model resnet18, published is ResNet-18"],
        ),
        (
            {"scores": {"test_night/top1": Score(50, None, 2499)}},
            ["2499 images, published is 2500"],
        ),
        (
            {"scores": {"test_day/top1": Score(50, None, 2500)}},
            ["test_day top1, published is test_night top1"],
        ),
    ],
)
def test_in_what_a_bench_differs(change, why):
    assert differences(of(codan()["sci"], "sci", **change)) == why


def test_mixed_precision_differs():
    result = codan()["sci"]
    provenance = result.provenance | {"config": {"amp": True}}
    assert differences(replace(result, provenance=provenance)) == ["mixed precision"]


def test_dark_zurich_val_never_stands_beside_the_servers_test(rng):
    given = {
        name: of(
            result,
            name,
            result.provenance["enhancer"],
            {"model": "refinenet_r101.py"},
            protocol={"name": "similarity-minmax", "version": 1},
            scores={"val/mIoU": result.scores["night/mIoU"]},
            per_class={"val": result.per_class["night"]},
            per_image=[image | {"split": "val"} for image in result.per_image],
        )
        for name, result in streets(rng).items()
    }
    found = studied(given)
    assert len(found.table.heads) == 1
    figures, why = found.columns[0].apart
    assert why == "val mIoU, published is test mIoU; 40 images, published is 151"
    assert figures.figures["sci"] == (25.7, 26.5)


def test_own_data_has_no_published_figures(rng):
    assert published(replace(streets(rng)["sci"], task="segmentation:mine")) is None


@pytest.mark.shared
def test_every_figure_is_the_papers(shared):
    paper = yaml.safe_load((shared / "paper_tables.yaml").read_text())["downstream"]
    assert set(paper) == {"codan", "nighttime_driving", "darkzurich"}
    for task, rows in paper.items():
        figures = published(replace(codan()["sci"], task=task)).figures
        assert figures == {name: (row["base"], row["ours"]) for name, row in rows.items()}
