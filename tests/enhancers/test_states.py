import pytest
import torch
from torch import nn

from enhancers import EnhancerError
from enhancers.states import drop_copies, load_below, load_strict, select


def test_load_strict_loads():
    source, target = nn.Linear(3, 2), nn.Linear(3, 2)
    load_strict(target, source.state_dict())
    assert torch.equal(source.weight, target.weight)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"weight": torch.zeros(2, 3)}, "missing bias"),
        ({"weight": torch.zeros(2, 3), "bias": torch.zeros(2), "x": torch.zeros(1)}, "pected x"),
        ({"weight": torch.zeros(2, 4), "bias": torch.zeros(2)}, r"t \(2, 4\) instead of \(2, 3"),
        ({"weight": torch.zeros(2, 3), "bias": "text"}, "bias str instead"),
    ],
)
def test_load_strict_names_what_differs_and_loads_nothing(state, said):
    layer = nn.Linear(3, 2)
    before = layer.weight.clone()
    with pytest.raises(EnhancerError, match=said) as caught:
        load_strict(layer, state)
    assert "\n" not in str(caught.value)
    assert torch.equal(layer.weight, before)


def test_only_the_first_keys_are_named():
    with pytest.raises(EnhancerError, match="k0, k1, k2 and 7 more"):
        load_strict(nn.Identity(), {f"k{i}": torch.zeros(1) for i in range(10)})


def test_select_keeps_what_lies_below_a_prefix():
    state = {"a.x": 1, "b.x": 2, "c.x": 3, "ab.x": 4}
    assert select(state, "a.") == {"a.x": 1}
    assert select(state, "c.", "a.") == {"a.x": 1, "c.x": 3}
    with pytest.raises(EnhancerError, match=r"starts with 'd\.'; the first is 'a\.x'"):
        select(state, "a.", "d.")
    with pytest.raises(EnhancerError, match="the first is None"):
        select({}, "d.")


def test_a_part_of_a_file_is_loaded():
    source, target = nn.Linear(3, 2), nn.Linear(3, 2)
    state = {f"a.{key}": value for key, value in source.state_dict().items()}
    load_below(target, state | {"b.weight": torch.zeros(1)}, "a.")
    assert torch.equal(source.weight, target.weight)
    with pytest.raises(EnhancerError, match=r"missing a\.bias; unexpected a\.x; shape of a\.wei"):
        load_below(target, {"a.weight": torch.zeros(1), "a.x": torch.zeros(1)}, "a.")


def test_keys_are_named_as_published():
    source, target = nn.Linear(3, 2), nn.Linear(3, 2)
    state = {key.upper(): value for key, value in source.state_dict().items()}
    load_strict(target, state, str.upper)
    assert torch.equal(source.bias, target.bias)
    with pytest.raises(EnhancerError, match="missing BIAS; unexpected bias"):
        load_strict(target, {"WEIGHT": source.weight, "bias": source.bias}, str.upper)


def test_copies_of_a_shared_block_are_dropped():
    block = torch.rand(3)
    state = {"conv.0": block, "blocks.0.0": block.clone(), "blocks.1.0": block.clone()}
    assert list(drop_copies(state, "conv.", "blocks.")) == ["conv.0"]


def test_a_copy_that_differs_is_refused():
    state = {"conv.0": torch.zeros(3), "blocks.0.0": torch.zeros(3), "blocks.1.0": torch.ones(3)}
    with pytest.raises(EnhancerError, match=r"blocks\.1\.0"):
        drop_copies(state, "conv.", "blocks.")
