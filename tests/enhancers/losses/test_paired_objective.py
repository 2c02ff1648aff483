from types import SimpleNamespace

import pytest
import torch

from enhancers import EnhancerError
from enhancers.losses import Paired


def run(image):
    return SimpleNamespace(image=image)


def test_charbonnier_of_a_known_difference():
    low, normal = torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 0.3)
    loss, parts = Paired()(run, low, normal)
    assert loss.item() == pytest.approx((0.09 + 1e-6) ** 0.5, rel=1e-6)
    assert parts == {"charbonnier": loss.item()}


def test_a_missing_normal_light_image_is_told():
    with pytest.raises(EnhancerError, match="normal-light"):
        Paired()(run, torch.zeros(1, 3, 4, 4), None)
