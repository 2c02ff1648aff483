import json
from dataclasses import fields

import pytest

from enhancers import EnhancerError
from enhancers.lfpv import LFPVEnhancer, Options

# One value that is not the default of every option.
OTHERS = {
    "nodes": 5,
    "patch": 2,
    "positions": 3,
    "partners": 2,
    "normalize": False,
    "rule": "sequential",
    "learn": "without_su",
    "branches": "vectors",
    "temperature": "sqrt",
    "centre": "nodes",
    "gate": 0.25,
    "max_width": 7,
}


def test_the_defaults_are_the_papers():
    options = Options()
    assert (options.nodes, options.patch, options.positions) == (16, 4, 1)
    assert options.rule == "additive"
    assert options.learn == "updated"


def test_every_option_is_tested():
    assert OTHERS.keys() == {field.name for field in fields(Options)}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("updaters", [True, False])
def test_every_option_round_trips(toy_class, name, updaters):
    toy = toy_class()
    model = LFPVEnhancer(toy.encode, toy.decode, 4, updaters, **{name: OTHERS[name]})
    written = json.loads(json.dumps(model.options))
    assert written[name] == OTHERS[name]
    assert written["channels"] == 4
    again = LFPVEnhancer(toy.encode, toy.decode, updaters=updaters, **written)
    assert again.options == model.options
    assert {k: v.shape for k, v in again.state_dict().items()} == {
        k: v.shape for k, v in model.state_dict().items()
    }


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"nodes": 1}, "nodes >= 2, not 1"),
        ({"patch": 0}, "patch >= 1, not 0"),
        ({"positions": 0}, "positions >= 1, not 0"),
        ({"max_width": 0}, "max_width >= 1, not 0"),
        ({"nodes": "16"}, "nodes must be a whole number, not '16'"),
        ({"nodes": True}, "nodes must be a whole number, not True"),
        ({"normalize": "no"}, "normalize must be true or false, not 'no'"),
        ({"gate": 1}, "gate must be true, false or a number between 0 and 1, not 1"),
        ({"gate": 0.0}, "gate must be true, false or a number between 0 and 1, not 0.0"),
        ({"rule": "multiply"}, "rule is one of additive, additive_raw, sequential, not 'multiply'"),
        ({"branches": ["vectors"]}, "branches is one of both, vectors, patches, not"),
        ({"temperature": 2.0}, "temperature is one of one, sqrt, learnt, not 2.0"),
        ({"knots": 3}, "no option knots; there are nodes, patch"),
        ({"learn": "direct", "rule": "sequential"}, "learn=direct has no rule"),
        ({"learn": "direct", "positions": 2}, "learn=direct has no positions"),
        ({"learn": "without_su", "positions": 2}, "learn=without_su has no positions"),
        ({"partners": 16}, "16 nodes have 0 to 15 partners"),
        ({"learn": "without_mu", "partners": 2}, "learn=without_mu has no partners"),
        ({"rule": "sequential", "partners": 2}, "rule=sequential takes one partner"),
        ({"learn": "direct", "centre": "both"}, "learn=direct has no update that could centre"),
    ],
)
def test_wrong_options_are_told(toy_class, wrong, told):
    toy = toy_class()
    with pytest.raises(EnhancerError) as caught:
        LFPVEnhancer(toy.encode, toy.decode, 4, **wrong)
    assert told in str(caught.value)


def test_the_unbounded_rule_warns(toy_class):
    toy = toy_class()
    with pytest.warns(UserWarning, match="grow without bound"):
        LFPVEnhancer(toy.encode, toy.decode, 4, rule="additive_raw")
