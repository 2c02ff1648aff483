"""Panels show what was scored: the chain's own images and predictions, or nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline import create_task, extremes
from pipeline.chain import ChainOptions, measure
from pipeline.factory import Loaded, load_enhancer
from pipeline.names import parse_enhancer
from pipeline.panels import panel_file
from pipeline.runner import prepare, run_loaded

from .conftest import NIGHT, SEGMENTOR


@pytest.fixture
def streets(dark_zurich, segmentor):
    task = create_task("darkzurich", dark_zurich, "mmseg")
    return prepare(task, SEGMENTOR, segmentor), ChainOptions(torch.device("cpu"))


@pytest.fixture
def objects(signs, classifier):
    """In batches of four, of pictures of two sizes."""
    task = create_task(f"classification:{signs}")
    bench = prepare(task, "test_resnet", classifier)
    return bench, ChainOptions(torch.device("cpu"), batch_size=4)


@pytest.fixture
def gamma():
    return load_enhancer(parse_enhancer("gamma@0.3"))


@pytest.mark.parametrize("kind", ["streets", "objects"])
def test_images_and_predictions_are_those_of_the_chain(request, gamma, kind, tmp_path, monkeypatch):
    bench, options = request.getfixturevalue(kind)
    result = run_loaded("gamma@0.3", gamma, bench, options, {})
    first = {one.record.id: one for one in measure(gamma.model, bench.evaluator, options)}
    again = {}

    def keep(folder, one, evaluator):
        again[one.record.id] = one

    monkeypatch.setattr(extremes, "save_panel", keep)
    wanted = {*list(first)[::2]}
    assert list(extremes.draw(result, wanted, tmp_path, gamma, bench, options)) == []
    assert again.keys() == wanted
    for name, one in again.items():
        assert torch.equal(one.enhanced, first[name].enhanced)
        assert np.array_equal(one.record.confusion, first[name].record.confusion)
        assert one.record == replace(first[name].record, confusion=one.record.confusion)


def test_the_picture_holds_the_enhanced_image_pixel_by_pixel(streets, gamma, tmp_path):
    bench, options = streets
    result = run_loaded("gamma@0.3", gamma, bench, options, {})
    one = next(measure(gamma.model, bench.evaluator, options))
    assert list(extremes.draw(result, {one.record.id}, tmp_path, gamma, bench, options)) == []
    sheet = np.asarray(Image.open(panel_file(tmp_path, one.record.id)))
    expected = np.round(one.enhanced.numpy() * 255).astype(np.uint8).transpose(1, 2, 0)
    # Pictures of 64 pixels are shown four times as large, in two rows, four pixels apart.
    height = sheet.shape[0] // 2
    shown = sheet[height - 4 * 48 : height : 4, 4 * 64 + 4 :: 4]
    assert np.array_equal(shown, expected)


def test_a_prediction_that_was_not_scored_is_refused(objects, gamma, tmp_path):
    bench, options = objects
    result = run_loaded("gamma@0.3", gamma, bench, options, {})
    one, other, *rest = result.per_image
    one = one | {"prediction": (one["prediction"] + 1) % 3}
    result = replace(result, per_image=[one, other, *rest])
    images = {one["id"], other["id"]}
    (line,) = extremes.draw(result, images, tmp_path / "images", gamma, bench, options)
    assert line.endswith(f"{one['id']}: another prediction than the one that was scored")
    assert list((tmp_path / "images").iterdir()) == [panel_file(tmp_path / "images", other["id"])]


def test_what_is_missing_is_said_in_a_line(streets, gamma, dark_zurich, tmp_path):
    bench, options = streets
    result = run_loaded("gamma@0.3", gamma, bench, options, {})
    images = [image["id"] for image in result.per_image]
    (dark_zurich / NIGHT.format(2)).unlink()
    lines = list(extremes.draw(result, images, tmp_path, gamma, bench, options))
    assert len(lines) == 1
    assert "no panels of gamma@0.3 on darkzurich: " in lines[0]
    assert "frame_000002" in lines[0]
    # The one before it is there.
    assert extremes.undrawn(tmp_path, images) == set(images[1:])
    other = Loaded(gamma.model, {"sha256": "of another file"})
    (line,) = extremes.draw(result, images, tmp_path, other, bench, options)
    assert "the weights of the enhancer changed meanwhile" in line
