from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from pipeline.names import EnhancerName, TaskName, parse_enhancer, parse_task


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("identity", EnhancerName("identity")),
        ("sci+lfpv", EnhancerName("sci", True)),
        ("sci+lfpv@ours-lol", EnhancerName("sci", True, "ours-lol")),
        ("gamma@0.6", EnhancerName("gamma", False, "0.6")),
        ("zerodcepp@a/b@c+lfpv.pth", EnhancerName("zerodcepp", False, "a/b@c+lfpv.pth")),
    ],
)
def test_enhancer_names(text, expected):
    assert parse_enhancer(text) == expected
    assert str(parse_enhancer(text)) == text


@pytest.mark.parametrize("text", ["", "@x", "+lfpv", "sci@", "sci+", "sci+lfvp", "sci+lfpv+lfpv"])
def test_wrong_enhancer_names(text):
    with pytest.raises(PipelineError, match="form is|only addition|nothing follows"):
        parse_enhancer(text)


def test_task_names():
    assert parse_task("darkzurich") == TaskName("darkzurich")
    assert parse_task("segmentation:a/b:c") == TaskName("segmentation", Path("a/b:c"))
    for text in ("", ":x", "segmentation:"):
        with pytest.raises(PipelineError, match="has no name or no folder"):
            parse_task(text)
