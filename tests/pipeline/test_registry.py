from importlib.metadata import EntryPoint

import pytest

from enhancers.baselines import Identity
from pipeline import registry
from pipeline.errors import PipelineError
from pipeline.registry import ENHANCERS, OBJECTIVES, TASKS


@pytest.mark.parametrize("known", [ENHANCERS, TASKS, OBJECTIVES])
def test_every_own_name_can_be_imported(known):
    for name in known.names():
        assert callable(known.get(name))


def test_the_nearest_name_is_offered():
    with pytest.raises(PipelineError, match="unknown enhancer 'zerodce'; did you mean zerodcepp"):
        ENHANCERS.get("zerodce")
    with pytest.raises(PipelineError, match="unknown task 'xyz'; there are codan, "):
        TASKS.get("xyz")


def test_a_plugin_adds_names_and_replaces_none(monkeypatch):
    points = [
        EntryPoint("mine", "enhancers.baselines:Identity", "pipeline.enhancers"),
        EntryPoint("sci", "enhancers.baselines:Identity", "pipeline.enhancers"),
        EntryPoint("broken", "no.such.module:Thing", "pipeline.enhancers"),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    assert ENHANCERS.get("mine") is Identity
    assert ENHANCERS.get("sci") is not Identity
    with pytest.raises(PipelineError, match="enhancer 'broken' cannot be imported"):
        ENHANCERS.get("broken")
