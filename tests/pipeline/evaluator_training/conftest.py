"""Colours to tell apart, streets to segment, and the command without its command line."""

from argparse import Namespace
from functools import partial

import numpy as np
import pytest
import yaml

from pipeline.commands.train_evaluator import train_evaluator
from pipeline.evaluator_training.trainer import EvaluatorRun
from tasks import cityscapes

from ..signalling import signal_in


@pytest.fixture
def colours(tmp_path, rng, save):
    """Reddish and bluish noise of 24×24: 12 images to train on, 6 to validate on."""
    root = tmp_path / "colours"
    for split, count in (("train", 6), ("val", 3)):
        for name, channel in (("blue", 2), ("red", 0)):
            for index in range(count):
                picture = rng.integers(0, 80, (24, 24, 3), dtype=np.uint8)
                picture[..., channel] += 120
                save(root / split / name / f"{index}.png", picture)
    return f"classification:{root}"


@pytest.fixture
def streets(tmp_path, rng, save):
    """Dark "road" and light "building" in blocks of 8 below a strip of void, 32×32."""
    root = tmp_path / "streets"
    for split, count in (("train", 6), ("val", 2)):
        for index in range(count):
            label = rng.choice([0, 2], (4, 4)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
            picture = np.where(label[..., None] == 2, 200, 40).repeat(3, -1).astype(np.uint8)
            label[:4] = 99
            save(root / split / f"images/{index}.png", picture)
            save(root / split / f"labels/{index}.png", label)
    classes = {"classes": list(cityscapes.CLASSES), "ignore": 99}
    (root / "classes.yaml").write_text(yaml.safe_dump(classes))
    return f"segmentation:{root}"


@pytest.fixture
def recipe(tmp_path):
    """recipe(epochs=3, training={…}): a recipe file, batches of 4, one cycle of AdamW."""

    def write(**changes):
        content = {
            "epochs": 2,
            "data": {"batch": 4, "workers": 0},
            "optimiser": {"kind": "adamw", "rate": 3e-3, "weight_decay": 0.01},
            "schedule": {"kind": "onecycle"},
            "images": {"brightness": 0.2, "contrast": 0.2},
        }
        path = tmp_path / "recipe.yaml"
        path.write_text(yaml.safe_dump(content | changes))
        return str(path)

    return write


@pytest.fixture
def train(recipe, tmp_path):
    """train("test_resnet", colours, out="a", resume=True, **recipe's changes) to a run folder."""

    def run(model, dataset, out="w", resume=False, seed=0, epochs=None, amp=False, **changes):
        path = tmp_path / f"{out}.safetensors"
        train_evaluator(
            Namespace(
                model=model,
                data=dataset,
                root=None,
                config=recipe(**changes),
                epochs=epochs,
                amp=amp,
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
    return partial(signal_in, EvaluatorRun)
