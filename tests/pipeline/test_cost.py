"""What enhancers cost. `test_list` compares multiply-adds with those of the authors' code."""

import sys
from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch import nn

from enhancers.base import Enhancer
from enhancers.lfpv import LFPVEnhancer
from enhancers.sci import SCI
from pipeline import create_enhancer
from pipeline.cost import Cost, cost, in_giga, macs, parameters


@pytest.fixture
def joined():
    """joined(**options): SCI with a store of trained nodes."""

    def make(**options):
        network = SCI()
        parts = network.encode, network.decode, network.feature_channels
        model = LFPVEnhancer(*parts, updaters=False, **options).eval()
        model.store.updates += 1
        return model

    return make


@pytest.mark.parametrize("learn", ["updated", "direct"])
def test_nodes_count_once_whether_buffers_or_parameters(joined, learn):
    base, found = cost(SCI()), cost(joined(learn=learn, centre="none"))
    # l·c·(1 + k²) values of nodes; of each branch a LayerNorm of keys and one of queries.
    assert found.lfpv == 16 * 3 * 17 + 2 * 2 * (3 + 3 * 16)
    assert found.parameters == base.parameters + found.lfpv
    assert found.macs > base.macs == macs(SCI(), 1080, 1920)
    assert asdict(base)["size"] == (1080, 1920)


def test_counting_leaves_the_enhancer_as_it_is(joined):
    model, image = joined(), torch.rand(1, 3, 24, 40)
    with torch.no_grad():
        before = model(image)
        cost(model)
        assert torch.equal(model(image), before)
    assert {value.device.type for value in model.parameters()} == {"cpu"}


@pytest.mark.parametrize("name", ["identity", "gamma@0.5", "clahe"])
def test_baselines_cost_nothing(name):
    assert cost(create_enhancer(name)) == Cost(0, None, 0)


def test_what_cannot_be_counted_is_none(tmp_path, save, monkeypatch):
    save(tmp_path / "done/0.png", np.zeros((16, 16, 3), np.uint8))
    assert cost(create_enhancer(f"images:{tmp_path}/done")) == Cost()
    own = type(sys)("own_enhancers")
    own.function, own.module = (lambda image: image), nn.Conv2d(3, 3, 1)
    monkeypatch.setitem(sys.modules, "own_enhancers", own)
    assert cost(create_enhancer("python:own_enhancers:function")) == Cost()
    # torch sees its parameters, but not all that it may compute.
    assert cost(create_enhancer("python:own_enhancers:module")) == Cost(12)


def test_a_plugins_enhancer_is_not_taken_for_one_without_cost():
    class Plugin(Enhancer):
        def enhance(self, image):
            return image

    class Looks(SCI):
        def encode(self, image):
            return super().encode(image * float(image.max()))

    assert cost(Plugin()) == Cost()
    assert cost(Looks()) == Cost(parameters(SCI()))


def test_in_giga():
    counts = (None, 0, 145_080_000, 20_900_000_000, 1_801_012_839_936)
    assert [in_giga(count) for count in counts] == ["–", "0", "0.145", "20.9", "1,801"]
