"""What may stand in one column, and what may not."""

from dataclasses import replace

import pytest

from pipeline.errors import PipelineError

from .results import of, streets, studied


@pytest.fixture
def given(rng):
    return streets(rng)


def other(result, **provenance):
    return replace(result, provenance=result.provenance | provenance)


def test_one_bench_is_one_column(given):
    found = studied(given)
    (bench,) = found.benches
    assert [row.label for row in bench.results] == ["identity", "sci", "sci+lfpv"]
    assert [str(head) for head in found.table.heads] == [
        "[1] darkzurich: night mIoU %, protocol mmseg, net"
    ]


@pytest.mark.parametrize(
    ("change", "heading"),
    [
        (lambda r: of(r, "sci", evaluator={"sha256": "f" * 64}), "darkzurich"),
        (lambda r: of(r, "sci", protocol=r.protocol | {"version": 2}), "darkzurich"),
        (lambda r: of(r, "sci", protocol=r.protocol | {"name": "whole"}), "protocol whole"),
        (lambda r: of(r, "sci", data="sample"), "darkzurich — SAMPLE SCENES"),
        (lambda r: of(r, "sci", data="darkened"), "darkzurich — DARKENED IMAGES"),
        (lambda r: other(of(r, "sci"), config={"amp": True}), "mixed precision"),
        (lambda r: other(of(r, "sci"), dataset={"sha256": "c"}), "darkzurich"),
        (lambda r: of(r, "sci", per_image=r.per_image[:-1]), "darkzurich"),
    ],
)
def test_another_bench_is_another_column(given, change, heading):
    found = studied(given | {"sci": change(given["identity"])})
    assert len(found.benches) == 2
    assert heading in str(found.table.heads[1]) + str(found.table.heads[0])
    sci = next(line for line in found.table.lines if line.label == "sci")
    assert sum(cell is not None for cell in sci.cells) == 1
    assert not any(line.kind == "difference" for line in found.table.lines)


def test_real_data_comes_before_the_sample_and_tasks_in_their_order(given):
    kinds = (("darkzurich", "user"), ("codan", "sample"), ("mine", "user"), ("codan", "user"))
    every = {
        f"{task}-{data}": replace(given["identity"], task=task, data=data) for task, data in kinds
    }
    found = studied(every)
    assert [(bench.number, bench.title) for bench in found.benches] == [
        (1, "codan"),
        (2, "darkzurich"),
        (3, "mine"),
        (4, "codan — SAMPLE SCENES"),
    ]


def test_darkened_images_say_how_dark(given):
    dataset = given["sci"].provenance["dataset"] | {"darkening": {"exposure": 0.25, "seed": 0}}
    dark = {n: other(replace(r, data="darkened"), dataset=dataset) for n, r in given.items()}
    (bench,) = studied(dark).benches
    assert bench.title == "darkzurich — DARKENED IMAGES, exposure 0.25"
    assert ("darkening", "exposure 0.25, seed 0") in list(bench.facts())


def test_one_enhancer_twice_on_one_bench_is_refused(given):
    with pytest.raises(PipelineError) as error:
        studied(given | {"copy/sci": given["sci"]})
    line = str(error.value)
    assert "sci and copy/sci are both of sci on one bench" in line
