from pathlib import Path

import pytest
import torch
import yaml

from enhancers.lfpv import LFPVEnhancer
from enhancers.sci import SCI
from enhancers.training import TrainingConfig
from enhancers.zerodcepp import ZeroDCEpp

FOLDER = Path(__file__).parents[2] / "configs/enhancers"


@pytest.mark.parametrize(("name", "network"), [("sci", SCI), ("zerodcepp", ZeroDCEpp)])
def test_a_config_builds_its_model_and_training(name, network):
    config = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    assert set(config) == {"network", "lfpv", "objective", "data", "training"}
    assert config["objective"] in ("own", "paired")
    built = network(**config["network"])
    model = LFPVEnhancer(built.encode, built.decode, built.feature_channels, **config["lfpv"])
    assert model.options.items() >= config["lfpv"].items()
    assert TrainingConfig(**config["training"]).learning_rate > 0
    side = config["data"]["crop"]
    model.training_paths(torch.rand(config["data"]["batch"], 3, side, side))
    assert model.trained
