import argparse
import os
import pickle

import pytest
import torch

from pipeline.checkpoints import read_checkpoint, write_checkpoint
from pipeline.errors import PipelineError
from pipeline.files import sha256

STATE = {"a.weight": torch.arange(6.0).view(2, 3), "n": torch.tensor(3)}


class Hostile:
    """A pickle that would make a file when loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_our_files_come_back_with_their_header(tmp_path):
    path = tmp_path / "deep" / "w.safetensors"
    header = {"enhancer": "sci", "options": {"a": [1, 2]}, "note": "x"}
    write_checkpoint(path, STATE, header)
    checkpoint = read_checkpoint(path)
    assert checkpoint.ours
    assert checkpoint.header == header
    assert checkpoint.sha256 == sha256(path)
    assert all(torch.equal(checkpoint.state[key], value) for key, value in STATE.items())
    assert [p.name for p in path.parent.iterdir()] == ["w.safetensors"]


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s, "meta": {"k": 1}}])
def test_torch_files_with_the_usual_wrappings(tmp_path, wrap):
    path = tmp_path / "w.pth"
    torch.save(wrap({f"module.{key}": value for key, value in STATE.items()}), path)
    checkpoint = read_checkpoint(path)
    assert not checkpoint.ours
    assert set(checkpoint.state) == set(STATE)


@pytest.mark.parametrize("suffix", ["pt", "pkl"])
def test_a_hostile_pickle_is_refused_and_not_run(tmp_path, suffix):
    path, trace = tmp_path / f"w.{suffix}", tmp_path / "was-run"
    if suffix == "pt":
        torch.save({"a": Hostile(trace)}, path)
    else:
        path.write_bytes(pickle.dumps({"a": Hostile(trace)}))
    with pytest.raises(PipelineError, match=r"w\.p.*refused, since loading it could run code"):
        read_checkpoint(path)
    assert not trace.exists()


def test_any_other_object_is_refused_and_named(tmp_path):
    path = tmp_path / "w.pth"
    torch.save({"state_dict": STATE, "opts": argparse.Namespace(lr=1)}, path)
    with pytest.raises(PipelineError, match="argparse.Namespace"):
        read_checkpoint(path)


def test_broken_files_are_named(tmp_path):
    path = tmp_path / "w.pth"
    torch.save(STATE, path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"hello"):
        path.write_bytes(content)
        with pytest.raises(PipelineError, match=r"w\.pth: "):
            read_checkpoint(path)
    ours = tmp_path / "w.safetensors"
    write_checkpoint(ours, STATE, {})
    ours.write_bytes(ours.read_bytes()[:-3])
    with pytest.raises(PipelineError, match="not a whole safetensors file"):
        read_checkpoint(ours)
    with pytest.raises(PipelineError, match="no such weights file"):
        read_checkpoint(tmp_path / "none.pth")


def test_values_that_are_not_finite_are_refused(tmp_path):
    path = tmp_path / "w.pth"
    torch.save({"a": torch.tensor([1.0, float("nan")])}, path)
    with pytest.raises(PipelineError, match="'a' holds values that are not finite"):
        read_checkpoint(path)


@pytest.mark.parametrize("content", [{}, {"a": 1}, [1, 2], {"state_dict": {"a": "text"}}])
def test_a_file_without_a_state_dict(tmp_path, content):
    path = tmp_path / "w.pth"
    torch.save(content, path)
    with pytest.raises(PipelineError, match="holds no state dict"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    "value", [torch.zeros(2, 2).to_sparse(), torch.zeros(2, dtype=torch.complex64)]
)
def test_only_plain_tensors_of_real_numbers(tmp_path, value):
    path = tmp_path / "w.pth"
    torch.save({"a": value}, path)
    with pytest.raises(PipelineError, match=r"w\.pth: 'a' is no plain tensor of real numbers"):
        read_checkpoint(path)


def test_a_dict_that_contains_itself(tmp_path):
    content = {"a": torch.zeros(1)}
    content["self"] = content
    path = tmp_path / "w.pth"
    torch.save(content, path)
    with pytest.raises(PipelineError, match="contains itself"):
        read_checkpoint(path)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(PipelineError, match="is a folder; name the weights file"):
        read_checkpoint(tmp_path)
