"""Day images that a batch darkens: what a config may say, and that it is what was measured."""

from pathlib import Path

import pytest
from PIL import Image

from pipeline import create_task
from pipeline.batch import benches
from pipeline.batch.config import read_batch
from pipeline.batch.source import ConfigErrors
from tasks.darken import Darkening
from tasks.images import read_rgb

ENTRY = """
enhancers: [identity]
tasks:
- task: segmentation:day
  evaluator: espnetv2-s2
"""


@pytest.fixture
def tasks(tmp_path):
    """tasks(text): the entries that a config with these keys of its task expands to."""

    def read(text):
        file = tmp_path / "dark.yaml"
        file.write_text(ENTRY + text)
        return [cell.task for cell in read_batch(file).cells]

    return read


def test_exposures_are_multiplied_out(tasks):
    found = tasks("  darken: {exposure: [0.3, 0.1], seed: 4, color_cast: [1, 0.9, 0.8]}\n")
    assert [one.darken for one in found] == [
        Darkening(exposure, seed=4, color_cast=(1.0, 0.9, 0.8)) for exposure in (0.3, 0.1)
    ]
    (one,) = tasks("  darken: {exposure: 0.3, shot_noise: 1e-3}\n")
    assert one.darken == Darkening(0.3, shot_noise=0.001)


@pytest.mark.parametrize(
    ("darken", "message"),
    [
        ("0.1", "darken: must be a mapping"),
        ("{}", "darken: exposure is missing"),
        ("{exposure: []}", "darken: exposure names none"),
        ("{exposure: [0.1, dark]}", "darken: exposure must be a number, not 'dark'"),
        ("{exposure: 0}", "darken: exposure must be a number above 0, not 0"),
        ("{exposure: 0.1, seed: -1}", "darken: seed must be at least 0, not -1"),
        ("{exposure: 0.1, noise: 1}", "darken: noise is no known key"),
        ("{exposur: 0.1}", "darken: exposur is no known key"),
        ("{exposure: [0.1, 0.1]}", "the same as an entry above"),
    ],
)
def test_what_can_be_wrong(tasks, darken, message):
    with pytest.raises(ConfigErrors) as caught:
        tasks(f"  darken: {darken}\n")
    (problem,) = caught.value.problems
    assert "dark.yaml:" in problem
    assert message in problem


def test_restoration_is_dark_already(tmp_path):
    file = tmp_path / "dark.yaml"
    file.write_text("enhancers: [identity]\ntasks: [{task: lol, darken: {exposure: 0.1}}]\n")
    with pytest.raises(ConfigErrors, match="lol has dark images already; leave darken out"):
        read_batch(file)


def test_the_images_are_measured_as_if_darkened_on_disk(yard, signs, exits, tmp_path, monkeypatch):
    """Beside the day images themselves: neither may take the other's enhanced images or place."""
    (day,) = yard.config["tasks"]
    darken = Darkening(0.3, seed=3)
    for sample in create_task(day["task"]).samples:
        dark = tmp_path / "dark" / sample.image.relative_to(signs)
        dark.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(darken(read_rgb(sample.image), sample.id)).save(dark)
    entries = [
        day,
        day | {"darken": {"exposure": [0.3, 0.1], "seed": 3}},
        day | {"task": f"classification:{tmp_path / 'dark'}"},
    ]
    loaded = []
    real = benches.prepare
    monkeypatch.setattr(benches, "prepare", lambda *given: loaded.append(given) or real(*given))
    exits(0, yard.run, enhancers=["identity", "gamma@0.5"], tasks=entries)
    # One frozen model for the day images, bright and darkened, and one for the other folder; both
    # once more for the panels.
    assert len(loaded) == 2 + 2
    for name in ("identity", "gamma@0.5"):
        found = {
            _exposure(one) or Path(one["task"]).name: _images(one)
            for one in yard.results().values()
            if one["enhancer"] == name
        }
        assert sorted(found, key=str) == [0.1, 0.3, "dark", "signs"]
        assert found[0.3] == found["dark"]
        assert found[0.3] != found["signs"] != found[0.1] != found[0.3]
    exits(0, yard.run, "--dry-run", enhancers=["identity", "gamma@0.5"], tasks=entries)


def test_another_darkening_is_another_cell(yard, exits):
    (day,) = yard.config["tasks"]
    for seed in (0, 1):
        entry = day | {"darken": {"exposure": 0.3, "seed": seed}}
        out = exits(0, yard.run, enhancers=["identity"], tasks=[entry]).out
        assert "1 of 1 cells done" in out
    (first, second) = yard.results().values()
    assert _images(first) != _images(second)


def _exposure(result):
    return result["provenance"]["dataset"].get("darkening", {}).get("exposure")


def _images(result):
    """Of each image, what the frozen model said and how bright it was."""
    images = ((one["id"].partition("/")[2], one) for one in result["per_image"])
    return {(name, i["prediction"], i["margin"], i["mean_level"]) for name, i in images}
