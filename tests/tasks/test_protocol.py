"""Protocols: what ships, and a user's own file."""

from dataclasses import replace

import pytest

from tasks.errors import TaskError
from tasks.protocol import Protocol, load_card, task_cards

OWN = "version: 2\neight_bit: none\nsize: [256, 512]\nfilter: bilinear\nscore_at: input\n"


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("codan", {"ciconv", "ciconv-float", "sample"}),
        (
            "darkzurich",
            {
                "similarity-minmax",
                "similarity-minmax-float",
                "similarity-minmax-full",
                "mmseg",
                "mmseg-float",
            },
        ),
        ("darkzurich_test", {"similarity-minmax", "similarity-minmax-float", "mmseg"}),
        (
            "nighttime_driving",
            {
                "similarity-minmax",
                "similarity-minmax-float",
                "similarity-minmax-full",
                "similarity-minmax-corrected",
                "mmseg",
                "mmseg-float",
            },
        ),
        ("lol", {"round", "truncate", "float", "gt-mean"}),
    ],
)
def test_every_variant_that_published_figures_use_is_there(task, names):
    assert names <= load_card(task).protocols.keys()


def test_the_released_protocol_is_what_it_is():
    for task in ("darkzurich", "nighttime_driving"):
        protocol = load_card(task).protocol("similarity-minmax")
        assert (protocol.size, protocol.filter) == ((512, 1024), "lanczos")
        assert (protocol.score_at, protocol.eight_bit) == ("input", "round")
        full = load_card(task).protocol("similarity-minmax-full")
        assert replace(full, name=protocol.name, score_at="input", about=protocol.about) == protocol
    stored = {n: p.labels for n, p in load_card("nighttime_driving").protocols.items()}
    assert stored["similarity-minmax"] == "labelIds"
    assert stored["similarity-minmax-corrected"] == "corrected"
    assert stored["mmseg"] == "labelTrainIds"
    assert load_card("codan").splits == {"test_night": 2500, "test_day": 2500}


def test_cards_hold_together():
    for card in task_cards():
        assert card.default_protocol in card.protocols
        assert card.beside.keys() <= card.protocols.keys()
        for protocol in card.protocols.values():
            assert protocol.version >= 1
            assert not card.labels or protocol.labels in card.labels


def test_a_key_counts_once(tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text(OWN + "eight_bit: round\n")
    with pytest.raises(TaskError, match="line 6: 'eight_bit' is given twice"):
        load_card("codan").protocol(str(path))


def test_a_users_own_protocol(tmp_path):
    path = tmp_path / "half.yaml"
    path.write_text(OWN + "labels: labelTrainIds\nabout: half size\n")
    assert load_card("nighttime_driving").protocol(str(path)) == Protocol(
        "half", 2, "none", (256, 512), "bilinear", "input", "labelTrainIds", about="half size"
    )
    path.write_text("version: 1\neight_bit: round\n")
    assert load_card("nighttime_driving").protocol(str(path)).labels == "labelIds"
    path.write_text("version: 1\neight_bit: round\nmatch_brightness: true\n")
    assert load_card("restoration").protocol(str(path)).match_brightness


@pytest.mark.parametrize(
    ("task", "content", "message"),
    [
        ("darkzurich", "- a\n", "a protocol is lines of `key: value`"),
        ("darkzurich", "version: [1\n", "not valid YAML"),
        ("darkzurich", "eight_bit: round\n", "`version` is missing"),
        ("darkzurich", "version: 1\n", "`eight_bit` is missing"),
        ("darkzurich", "version: one\neight_bit: round\n", "version is a whole number, not 'one'"),
        ("darkzurich", "version: 1\neight_bit: rond\n", "eight_bit is one of round, truncate"),
        ("darkzurich", OWN.replace("filter", "fliter"), "'fliter' is no key .*did you mean filter"),
        ("darkzurich", OWN.replace("[256, 512]", "512"), r"size is \[height, width\] in pixels"),
        ("darkzurich", OWN.replace("[256, 512]", "[0, 5]"), r"size is \[height, width\] in pixels"),
        ("darkzurich", OWN.replace("bilinear", "cubic"), "filter is one of lanczos, bilinear"),
        ("darkzurich", OWN.replace("input", "half"), "score_at is one of source, input"),
        ("darkzurich", OWN + "labels: labelIds\n", "labels is one of labelTrainIds, not"),
        ("darkzurich", "version: 1\neight_bit: round\nscore_at: input\n", "need a `size`"),
        ("codan", OWN, "'score_at' is no key of a classification protocol"),
        ("codan", "version: 1\neight_bit: round\nmatch_brightness: true\n", "is no key of a class"),
        ("lol", "version: 1\neight_bit: round\nsize: [2, 2]\n", "'size' is no key of a restor"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(tmp_path, task, content, message):
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(TaskError, match=f"mine.yaml: .*{message}"):
        load_card(task).protocol(str(path))


def test_a_file_must_exist_and_have_a_name_of_its_own(tmp_path):
    with pytest.raises(TaskError, match="none.yaml: cannot be read"):
        load_card("codan").protocol(str(tmp_path / "none.yaml"))
    (tmp_path / "ciconv.yaml").write_text("version: 1\neight_bit: none\n")
    with pytest.raises(TaskError, match="has a protocol 'ciconv'; name yours otherwise"):
        load_card("codan").protocol(str(tmp_path / "ciconv.yaml"))
