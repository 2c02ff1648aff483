"""What rows cost."""

import pytest

from enhancers.sci import SCI
from pipeline.cost import macs, parameters
from pipeline.names import parse_enhancer
from pipeline.report.cost import Cost, costs
from pipeline.report.rows import Row

from .results import trained


def cost(name, weights=None):
    return costs([Row(parse_enhancer(name), name, weights or {})])[name]


def test_networks_are_counted_as_they_were_constructed():
    base, lfpv = cost("sci", trained("b")), cost("sci+lfpv", trained("l", lfpv=True))
    assert base.gmac == pytest.approx(macs(SCI(), 1080, 1920) / 1e9)
    assert base.parameters == parameters(SCI())
    # Nodes l·c·(1 + k²) = 16·3·17, and the norms.
    assert lfpv.lfpv == 16 * 3 * 17 + 204
    assert lfpv.parameters - lfpv.lfpv == base.parameters
    assert lfpv.gmac > base.gmac
    large, small = (
        cost("zerodcepp", trained("z") | {"options": {"scale_factor": s}}).gmac for s in (1, 12)
    )
    assert large > 100 * small


def test_baselines_cost_nothing_and_own_enhancers_are_not_known():
    assert cost("identity") == cost("gamma@0.5") == Cost(0, None, 0.0)
    unknown = Cost(None, None, None)
    assert cost("onnx:file.onnx", {"sha256": "o"}) == unknown
    assert cost("MyNet") == cost("images:folder") == unknown


def test_options_of_another_version_are_not_known():
    weights = trained("l", lfpv=True)
    weights["options"] = weights["options"] | {"samples": "mean"}
    assert cost("sci+lfpv", weights).gmac is None
    assert cost("gone", trained("g")).gmac is None
