"""`pipeline export`: the file through our own `onnx:FILE`, at sizes that were never traced."""

import pytest
import torch
from torch import nn

from enhancers.base import Enhancer
from enhancers.lednet_blocks import KERNEL_SIDE, PyramidPooling, filter_adaptively
from pipeline import create_enhancer
from pipeline.benchmark.subject import load_subject
from pipeline.checkpoints import write_checkpoint
from pipeline.cli import main
from pipeline.names import parse_enhancer
from pipeline.own import onnx_export
from pipeline.own.onnx_export import _Pooling, export

pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")


@pytest.fixture
def named(tmp_path):
    """named("sci+lfpv"): that network with random weights and nodes, as base@file."""

    def build(bare):
        model = load_subject(parse_enhancer(bare)).model
        path = tmp_path / "weights.safetensors"
        write_checkpoint(path, model.state_dict(), {"enhancer": bare, "lfpv": model.options})
        return f"{bare}@{path}"

    return build


@pytest.mark.parametrize("bare", ["sci", "zerodcepp+lfpv"])
def test_the_file_gives_what_torch_gives(named, tmp_path, capsys, bare):
    name, file = named(bare), tmp_path / "out" / "it.onnx"
    assert main(["export", name, "--out", str(file)]) == 0
    assert "any size" in capsys.readouterr().out
    assert [one.name for one in file.parent.iterdir()] == ["it.onnx"]
    ours, exported = create_enhancer(name), create_enhancer(f"onnx:{file}")
    for size in ((120, 167), (16, 33)):
        image = torch.rand(2, 3, *size) * 0.3
        with torch.inference_mode():
            expected, found = ours(image), exported(image)
        assert (expected - image).abs().max() > 0.01
        levels = [(one * 255).round() for one in (expected, found)]
        assert (levels[0] - levels[1]).abs().max() <= 1


class PooledAndFiltered(Enhancer):
    """What an exporter cannot take of LEDNet as it is; the whole network takes it a minute."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 3, 1)
        self.pool, self.kernels = PyramidPooling(4), nn.Conv2d(4, 4 * KERNEL_SIDE**2, 1)

    def enhance(self, image):
        x = self.pool(self.first(image))
        return self.last(filter_adaptively(x, x, self.kernels)).sigmoid()


def test_pooling_and_filters_of_any_size(tmp_path):
    model, image = PooledAndFiltered().eval(), torch.rand(1, 3, 40, 200)
    assert export(model, tmp_path / "it.onnx") < 1e-5
    with torch.inference_mode():
        found = create_enhancer(f"onnx:{tmp_path / 'it.onnx'}")(image)
        torch.testing.assert_close(found, model(image), atol=1e-5, rtol=0)


def test_pooling_of_any_size_is_torchs():
    for height, width in ((1, 1), (2, 7), (5, 6), (13, 30)):
        x = torch.rand(2, 3, height, width)
        for side in (1, 2, 3, 6):
            torch.testing.assert_close(_Pooling(side)(x), nn.AdaptiveAvgPool2d(side)(x))


def refused(capsys, name, out):
    assert main(["export", name, "--out", str(out)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert not out.exists()
    return line


def test_what_cannot_be_exported_is_refused(capsys, tmp_path, monkeypatch):
    file = tmp_path / "it.onnx"
    assert "clahe: it cannot be exported to ONNX" in refused(capsys, "clahe", file)
    assert "no network in torch" in refused(capsys, "onnx:x.onnx", file)
    assert "name it *.onnx" in refused(capsys, "sci", tmp_path / "it.pth")
    (tmp_path / "half.py").write_text("def half(x):\n    return x / 2 if x.shape[2] < 80 else x\n")
    monkeypatch.chdir(tmp_path)
    line = refused(capsys, "python:half:half", file)
    assert "gives another 144x96 image than torch" in line
    monkeypatch.setattr(onnx_export, "TOLERANCE", -1.0)
    assert "gives another 83x61 image" in refused(capsys, "identity", file)
