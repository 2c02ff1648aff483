"""`pipeline protocols`."""

import pytest

from pipeline.cli import main
from tasks.protocol import task_cards


def printed(capsys, *arguments):
    assert main(["protocols", *arguments]) == 0
    return capsys.readouterr().out


def test_every_protocol_of_every_task_is_listed(capsys):
    lines = printed(capsys).splitlines()
    for card in task_cards():
        for protocol in card.protocols.values():
            mark = "*" if protocol.name == card.default_protocol else ""
            heading = f"{card.name}  {protocol.name}{mark} v{protocol.version}: {protocol.about}"
            assert heading in lines


def test_one_protocol_in_words(capsys):
    text = printed(capsys, "nighttime_driving", "similarity-minmax")
    for words in (
        "similarity-minmax v1 (default)",
        "rounded to the nearest of 256 levels",
        "1024x512 pixels (width x height), Lanczos",
        "at 1024x512, the label reduced by nearest neighbour",
        "labelIds: gtCoarse_daytime_trainvaltest/test/night/*_gtCoarse_labelIds.png",
        "19: road, sidewalk,",
        "void is not scored",
        "pspnet-r50 (default, not here yet), espnetv2-s2 (small and quick, not here yet)",
        "test with 50 images",
        "34.3",
    ):
        assert words in text


@pytest.mark.parametrize("card", task_cards(), ids=lambda card: card.name)
def test_all_protocols_of_a_task_can_be_explained(card, capsys):
    text = printed(capsys, card.name)
    for name in card.protocols:
        assert f"{card.name}  {name} v" in text
    assert text.count("published figures: ") == len(card.protocols)


def test_a_users_own_file_is_explained(capsys, tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text("version: 3\neight_bit: none\nsize: [64, 128]\n")
    text = printed(capsys, "darkzurich", str(path))
    assert "darkzurich  small v3\n" in text
    assert "in floating point" in text
    assert "at the size of the label, logits enlarged bilinearly" in text
    assert "published figures: it stands beside none" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dark"], "no task 'dark'; there are"),
        (["codan", "cicon"], "did you mean ciconv?"),
        (["codan", "none.yaml"], "none.yaml: cannot be read"),
    ],
)
def test_wrong_names(arguments, message, capsys):
    assert main(["protocols", *arguments]) == 2
    assert message in capsys.readouterr().err
