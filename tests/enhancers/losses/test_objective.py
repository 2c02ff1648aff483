import pytest
import torch

from enhancers.losses.objective import summed


def test_terms_are_summed_with_gradient_and_reported_as_floats():
    first, second = torch.tensor([0.25, 0.5], requires_grad=True).unbind()
    loss, parts = summed({"first": first, "second": 3 * second})
    assert parts == {"first": 0.25, "second": 1.5}
    assert all(type(part) is float for part in parts.values())
    assert loss.item() == pytest.approx(1.75)
    assert [g.item() for g in torch.autograd.grad(loss, (first, second))] == [1.0, 3.0]
