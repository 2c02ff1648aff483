"""Every packaged recipe fits its network: options, and the objectives of its phases."""

from pathlib import Path

import pytest
import torch
import yaml

from enhancers.enlightengan import EnlightenGAN
from enhancers.lednet import LEDNet
from enhancers.lfpv import LFPVEnhancer
from enhancers.ruas import RUAS
from enhancers.sci import SCI
from enhancers.uretinex import URetinex
from enhancers.zerodcepp import ZeroDCEpp

NETWORKS = {
    "enlightengan": EnlightenGAN,
    "lednet": LEDNet,
    "ruas": RUAS,
    "sci": SCI,
    "uretinex": URetinex,
    "zerodcepp": ZeroDCEpp,
}
FILES = sorted((Path(__file__).parents[2] / "configs/enhancers").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recipe_builds_its_model(path):
    content = yaml.safe_load(path.read_text())
    with torch.device("meta"):
        network = NETWORKS[path.stem.removesuffix("_short")](**content["network"])
        model = LFPVEnhancer(
            network.encode, network.decode, network.feature_channels, **content["lfpv"]
        )
    assert model.options.items() >= content["lfpv"].items()
    assert network.options.items() >= content["network"].items()
