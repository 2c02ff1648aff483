"""Recipes of a few steps, and `pipeline train` without its command line."""

import copy
from argparse import Namespace
from functools import partial

import pytest
import yaml

import configs
from enhancers import enlightengan
from enhancers.losses import discriminators
from pipeline.commands.train import train_enhancer
from pipeline.training.phase import PhaseRun

from ..signalling import signal_in


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Networks as deep as ever, but thin: what is tested here does not depend on the width."""
    monkeypatch.setattr(enlightengan, "WIDTHS", (2, 4, 8, 16, 32))
    monkeypatch.setattr(enlightengan.EnlightenGAN, "feature_channels", 32)
    monkeypatch.setattr(discriminators, "FIRST_WIDTH", 2)
    monkeypatch.setattr(discriminators, "LAST_WIDTH", 4)


@pytest.fixture
def recipe(tmp_path):
    """recipe("sci", supervision="paired", training={…}): a short recipe, 2 crops of 32, no VGG.

    Sections are merged; `phase` goes into every phase.
    """

    def write(base, phase=None, **changes):
        content = yaml.safe_load((configs.ROOT / "enhancers" / f"{base}_short.yaml").read_text())
        content["data"] |= {"batch": 2, "crop": 32, "workers": 0}
        content["perceptual"] = "none"
        content["lfpv"] = {"max_width": 8}
        for key, value in changes.items():
            merges = isinstance(value, dict) and isinstance(content.get(key), dict)
            content[key] = content[key] | value if merges else value
        for phases in content["phases"].values() if phase else ():
            phases[:] = [one | copy.deepcopy(phase) for one in phases]
        path = tmp_path / f"{base}.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    return write


@pytest.fixture
def train(lol, recipe, tmp_path):
    """train("sci+lfpv", out="a", steps=4, resume=True, **recipe's changes) to a run folder."""

    def run(name, out="w", steps=4, resume=False, seed=0, data_name="lol", root=None, **changes):
        path = tmp_path / f"{out}.safetensors"
        train_enhancer(
            Namespace(
                enhancer=name,
                data=data_name,
                root=str(root or lol),
                config=recipe(name.split("+")[0], **changes),
                supervision=None,
                steps=steps,
                amp=False,
                seed=seed,
                device="cpu",
                tensorboard=None,
                resume=resume,
                out=path,
            )
        )
        return path.with_suffix(".training")

    return run


@pytest.fixture
def signal_at():
    """`with signal_at(step, SIGTERM):` send this process a signal in that step."""
    return partial(signal_in, PhaseRun)
