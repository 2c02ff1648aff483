"""The page as a parser sees it: whole, escaped, without a network, told in words."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pipeline.report import collect, study
from pipeline.report.page import page

from ..compared import restored
from .results import of, streets, studied, trained, two_tasks, write

VOID = {"meta", "br", "img", "link", "input", "hr"}
HOSTILE = '<script>alert("x")</script><img src=x onerror=1>'


class Seen(HTMLParser):
    """Tags, attributes and text; every tag must be closed in its order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text, self.open = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)

    @property
    def words(self):
        return " ".join("".join(self.text).split())


def fail(file, reason):
    raise AssertionError(file, reason)


@pytest.fixture
def given(rng):
    return streets(rng)


def render(given):
    return page(studied(given), fail)


def test_the_page_needs_no_network_and_runs_no_script():
    text = page(two_tasks(), fail)
    seen = Seen(text)
    assert "script" not in seen.tags
    assert "link" not in seen.tags
    addresses = [v for k, v in seen.attributes if k in ("src", "href", "srcset", "action", "data")]
    assert addresses
    assert all(address.startswith(("#", "data:image/")) for address in addresses)
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org)", text)
    policy = next(v for k, v in seen.attributes if k == "content" and "default-src" in v)
    assert policy.startswith("default-src 'none'")


def test_everything_from_files_is_escaped(given):
    weights = trained("h") | {"file": HOSTILE}
    dirty = of(given["sci"], HOSTILE, weights, {"model": HOSTILE, "file": HOSTILE})
    names = dict.fromkeys((HOSTILE, "sky", "train"), 1.0)
    dirty = replace(
        dirty,
        task=HOSTILE,
        notes=[HOSTILE],
        protocol={"name": HOSTILE, "about": HOSTILE, "version": HOSTILE},
        per_class={"night": names},
        per_image=[image | {"id": HOSTILE + image["id"]} for image in dirty.per_image],
    )
    dirty = replace(dirty, provenance=dirty.provenance | {"packages": {HOSTILE: HOSTILE}})
    found = render({"dirty": dirty, "identity": of(dirty, "identity", {}, {"model": HOSTILE})})
    seen = Seen(found)
    assert not {"script", "img"} & set(seen.tags)
    assert not any(key.startswith("on") for key, _ in seen.attributes)
    assert seen.words.count(HOSTILE) > 8


def test_the_table_charts_and_tests_are_there(given):
    text = render(given)
    seen = Seen(text)
    for words in (
        "3 results of 3 enhancers on 1 bench:",
        "Δ sci+lfpv − sci",
        "Δ to identity: worse sci; no difference shown sci+lfpv",
        "Δ of +lfpv to the base of its training: better sci+lfpv − sci",
        "No panels: pipeline batch and pipeline run --save-images N",
        "By brightness of the input",
        "IoU of each class",
        "Environment 1",
        "learnt parameters",
    ):
        assert words in seen.words, words
    # Two of differences, one of brightness, three of cost.
    assert seen.tags.count("svg") == 6
    assert seen.tags.count("title") == 1 + 6
    assert ("lang", "en") in seen.attributes


def test_cost_that_is_not_known_is_a_dash(given):
    old = given["sci"].provenance | {"cost": None}
    foreign = given["identity"].provenance | {"cost": {"parameters": 12}}
    given["sci"] = replace(given["sci"], provenance=old)
    given["foreign"] = replace(given["identity"], enhancer="onnx:mine.onnx", provenance=foreign)
    given["done"] = replace(
        given["identity"], enhancer="images:done", seconds_p90=given["sci"].seconds
    )
    text = render(given).partition("All scores, and cost")[2].partition("<section")[0]
    rows = re.findall(r"<span>(.*?)</span></th>(.*?)</tr>", text, re.DOTALL)
    times = {label: re.findall(r"<td>(.*?)</td>", row)[-2:] for label, row in rows}
    # What was enhanced before took a time that nobody knows.
    assert times["images:done"] == ["–", "300.0 <small>300.0</small>"]
    assert times["sci"] == ["200.0", "300.0"]
    cells = {label: re.findall(r"<td>(.*?)</td>", row)[-5:-2] for label, row in rows}
    assert cells["sci"] == ["–", "", "–"]
    assert cells["onnx:mine.onnx"] == ["12", "", "–"]
    assert cells["identity"] == ["0", "", "0"]
    assert cells["sci+lfpv"] == ["1,278", "1,020", "0.902"]


def test_sample_scenes_are_said_to_be_such(given):
    sample = {n: replace(r, data="sample") for n, r in given.items()}
    words = Seen(render(sample)).words
    assert "darkzurich — SAMPLE SCENES: not the images of the dataset of that name" in words
    assert "Published" not in words
    assert "26.5" not in words


def test_published_figures_that_stand_apart_say_why(given):
    words = Seen(render(given)).words
    assert "Published figures that do not stand beside these results" in words
    assert "frozen model net, published is RefineNet-ResNet-101" in words
    assert "26.5" in words


def test_files_left_out_are_named(tmp_path, given):
    write(tmp_path, given)
    (tmp_path / "old").mkdir()
    (tmp_path / "old/result.json").write_text('{"schema": 0}')
    words = Seen(page(study(collect(tmp_path)), fail)).words
    assert "Left out, 1 file: old/result.json: is no result of schema 1" in words


def test_without_identity_the_page_says_so(given):
    del given["identity"]
    words = Seen(render(given)).words
    assert "to the base of its training: better sci+lfpv − sci" in words
    assert "Δ to identity" not in words
    words = Seen(render({"sci": given["sci"]})).words
    assert "only one result" in words


def test_restoration_has_no_classes():
    given = {
        "identity": restored("identity", range(10, 30), range(20)),
        "clahe": restored("clahe", range(12, 32), range(20)),
    }
    words = Seen(render({name: of(result, name) for name, result in given.items()})).words
    assert "By class" not in words
    assert "+2.00 [+2.00, +2.00]" in words
    assert "night LPIPS" in words


def test_the_page_is_the_same_every_time(tmp_path, given):
    one, other = (
        page(study(collect(write(tmp_path / name, chosen))), fail)
        for name, chosen in (("a", given), ("b", dict(reversed(given.items()))))
    )
    assert one == other
    assert str(tmp_path) not in one
