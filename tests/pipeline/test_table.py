"""The comparison on the terminal: how things are called there."""

from dataclasses import replace

import pytest
from rich.console import Console

from pipeline.table import print_table, short_name

from .compared import night_streets


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("sci@medium", "sci@medium"),
        ("sci@runs/a.b.safetensors", "sci@a.b"),
        ("segmentation:sets/night.v1", "segmentation:night.v1"),
        ("onnx:mine/net.onnx", "onnx:net"),
    ],
)
def test_paths_are_shortened(name, shown):
    assert short_name(name) == shown


def test_rows_of_one_short_name_have_the_whole(rng):
    one = next(iter(night_streets(rng).values()))
    names = ["sci@a/best.pt", "sci@b/best.pt", "sci@c/last.pt"]
    console = Console(width=200, record=True)
    print_table([replace(one, enhancer=name) for name in names], console)
    text = console.export_text()
    assert "sci@a/best.pt" in text and "sci@b/best.pt" in text
    assert "sci@last" in text


def test_what_a_bare_name_means_is_told(rng):
    one = next(iter(night_streets(rng).values()))

    def named(enhancer, file):
        return replace(
            one, enhancer=enhancer, provenance=one.provenance | {"enhancer": {"file": file}}
        )

    console = Console(width=200, record=True)
    files = {"sci": "sci@ours-lol162.safetensors", "sci@easy": "easy.pt", "onnx:a.onnx": "a.onnx"}
    print_table([named(*pair) for pair in files.items()], console)
    lines = console.export_text().splitlines()
    assert "names without weights mean sci@ours-lol162" in lines
    assert "night: mIoU over 3 of 3 classes" in lines


@pytest.mark.parametrize("enhancers", [["sharp"], ["identity", "sharp"]])
def test_that_identity_is_missing_is_told(rng, enhancers):
    console, streets = Console(width=200, record=True), night_streets(rng)
    print_table([streets[name] for name in enhancers], console)
    told = "no row of identity: with it" in console.export_text()
    assert told == ("identity" not in enhancers)
