"""Float32 in full, or mixed precision, and afterwards as before."""

import pytest
import torch

from pipeline.precision import precision

CPU = torch.device("cpu")


@pytest.mark.parametrize("before", [True, False])
def test_float32_is_not_rounded_to_tf32(monkeypatch, before):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", before)
    with precision(CPU, amp=False):
        assert not torch.backends.cudnn.allow_tf32
        assert not torch.is_autocast_enabled("cpu")
    assert torch.backends.cudnn.allow_tf32 is before


def test_mixed_precision_is_as_fast_as_may_be():
    with pytest.raises(ZeroDivisionError), precision(CPU, amp=True):
        assert torch.backends.cudnn.allow_tf32
        assert torch.ones(1, 1).mm(torch.ones(1, 1)).dtype == torch.bfloat16
        _ = 1 / 0
    assert not torch.is_autocast_enabled("cpu")
