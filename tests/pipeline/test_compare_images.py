"""The images on which enhancers gain and lose most."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.compare.images import (
    Change,
    by_image,
    changes,
    extremes,
    gains_and_losses,
    image_scores,
)

from .compared import answered, night_streets, restored, segmented


def test_changes_are_in_order_of_their_gain(rng):
    streets = night_streets(rng)
    found = changes(streets, "identity", "night/mIoU")
    assert len(found) == 2 * 40
    scores = {name: image_scores(result, "night/mIoU") for name, result in streets.items()}
    for one in found:
        expected = scores[one.enhancer][one.image] - scores["identity"][one.image]
        assert one.gain == pytest.approx(expected)
    assert [one.gain for one in found] == sorted((one.gain for one in found), reverse=True)
    assert found[0].enhancer == "sharp"
    assert found[-1].enhancer == "broken"


def test_of_images_that_turn_right_the_surer_one_comes_first():
    """Both margins count: how wrong identity was, and how right the enhancer is."""
    labels = np.zeros(4, int)
    before = answered("identity", [False, False, False, True], labels)
    after = answered("sci", [True, True, True, False], labels)
    margins = {"identity": [1, 5, 1, 2], "sci": [1, 0.5, 2, 3]}
    before, after = (
        replace(r, per_image=[i | {"margin": m} for i, m in zip(r.per_image, of, strict=True)])
        for r, of in zip((before, after), margins.values(), strict=True)
    )
    found = changes({"identity": before, "sci": after}, "identity", "night/top1")
    assert [(c.image, c.gain, c.surer) for c in found] == [
        ("001", 100, 5.5),
        ("002", 100, 3),
        ("000", 100, 2),
        ("003", -100, -5),
    ]


def test_less_is_better_for_lpips_and_unlabelled_images_do_not_count():
    pair = {"identity": restored("identity", [1, 1], [0.5, 0.5])}
    pair["clahe"] = restored("clahe", [1, 1], [0.2, 0.9])
    found = changes(pair, "identity", "night/LPIPS")
    assert [(one.image, round(one.gain, 3)) for one in found] == [("000", 0.3), ("001", -0.4)]
    void = np.zeros((2, 3, 3), int)
    void[0, 0, 0] = 5
    streets = {name: segmented(name, void) for name in ("identity", "sci")}
    assert [one.image for one in changes(streets, "identity", "night/mIoU")] == ["000"]


def change(gain, enhancer, image):
    return Change(gain, 0.0, enhancer, image)


def test_enhancers_and_images_vary():
    ordered = [change(9 - i, name, str(i)) for i, name in enumerate("aaabc")]
    assert [c.image for c in gains_and_losses(ordered)[0]] == ["0", "3", "4"]
    assert [c.image for c in gains_and_losses(ordered[:4])[0]] == ["0", "1", "3"]
    one_image = [change(9 - i, name, "x") for i, name in enumerate("ab")]
    others = [change(5 - i, name, str(i)) for i, name in enumerate("ab")]
    gains, losses = gains_and_losses(one_image + others, 2)
    assert [(c.enhancer, c.image) for c in gains] == [("a", "x"), ("b", "1")]
    assert losses == []
    assert len(gains_and_losses(one_image + others, 9)[0]) == 4


def test_extremes_are_of_every_split():
    labels = np.zeros(3, int)
    given = {
        "identity": answered("identity", [False, True, True], labels),
        "sci": answered("sci", [True, False, True], labels),
    }
    given = {name: _by_day_too(result) for name, result in given.items()}
    assert extremes(given, "identity", 3) == {"sci": {"000", "001", "d000", "d001"}}


def _by_day_too(result):
    day = [image | {"id": f"d{image['id']}", "split": "day"} for image in result.per_image]
    scores = result.scores | {"day/top1": result.scores["night/top1"]}
    return replace(result, per_image=result.per_image + day, scores=scores)


def test_images_that_differ_are_told_in_words(rng):
    labels = np.array([0, 1, 2, 0])
    pair = {
        "identity": answered("identity", [True, False, False, True], labels),
        "sci": answered("sci", [False, True, False, True], labels),
    }
    better, worse = by_image(pair, "identity", "night/top1")
    assert (better.image, better.delta) == ("001", 100)
    assert (better.truth, better.before, better.after) == ("sky", "train", "sky")
    assert (worse.image, worse.delta) == ("000", -100)
    assert (worse.truth, worse.before, worse.after) == ("road", "road", "sky")
    streets = {name: result for name, result in night_streets(rng).items() if name != "sharp"}
    found = by_image(streets, "identity", "night/mIoU")
    assert len(found) == 40
    assert found[0].truth is None
    assert found[0].score - found[0].reference == found[0].delta
