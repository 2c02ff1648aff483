"""`onnx:FILE`, with models made here."""

import numpy as np
import pytest
import torch

from enhancers.errors import EnhancerError
from pipeline import create_enhancer
from pipeline.errors import PipelineError
from pipeline.own.onnx import OnnxEnhancer, digest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture
def model(tmp_path):
    """model(shape, outputs): an ONNX file that computes √image."""

    def build(shape, outputs=1, kind=onnx.TensorProto.FLOAT):
        helper = onnx.helper
        nodes = [helper.make_node("Sqrt", ["image"], [f"out{i}"]) for i in range(outputs)]
        given = helper.make_tensor_value_info("image", kind, shape)
        made = [helper.make_tensor_value_info(f"out{i}", kind, shape) for i in range(outputs)]
        graph = helper.make_graph(nodes, "sqrt", [given], made)
        opset = [helper.make_opsetid("", 17)]
        path = tmp_path / "sqrt.onnx"
        onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
        return path

    return build


@pytest.mark.parametrize(
    "shape", [("b", 3, "h", "w"), (None, "c", None, None), (2, 3, 17, 21), (1, 3, "h", "w")]
)
def test_a_model_is_an_enhancer(model, shape):
    enhancer = create_enhancer(f"onnx:{model(shape)}")
    image = torch.rand(2, 3, 17, 21)
    assert torch.allclose(enhancer(image), image.sqrt(), atol=1e-6)
    assert len(enhancer.provenance["sha256"]) == 64


def test_a_fixed_size_refuses_others(model):
    enhancer = OnnxEnhancer.from_source(str(model((1, 3, 32, 32))))
    with pytest.raises(EnhancerError, match=r"sqrt\.onnx takes \[1, 3, 32, 32\] only"):
        enhancer(torch.rand(1, 3, 32, 40))


def test_weights_in_another_file_are_hashed(tmp_path):
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    shape = ("b", 3, "h", "w")

    def build(value):
        ends = [helper.make_tensor_value_info(name, 1, shape) for name in ("image", "out")]
        weight = numpy_helper.from_array(np.full((1, 3, 1, 1), value, np.float32), "weight")
        node = helper.make_node("Mul", ["image", "weight"], ["out"])
        graph = helper.make_graph([node], "scale", ends[:1], ends[1:], [weight])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        path = tmp_path / str(value) / "it.onnx"
        path.parent.mkdir()
        onnx.save(model, path, save_as_external_data=True, location="it.data", size_threshold=0)
        return path

    one, other = build(0.25), build(0.5)
    assert one.read_bytes() == other.read_bytes()
    assert digest(one) != digest(other)
    assert create_enhancer(f"onnx:{one}").provenance["sha256"] == digest(one)


def test_wrong_models(model, tmp_path):
    with pytest.raises(PipelineError, match="is no file"):
        OnnxEnhancer.from_source("nowhere.onnx")
    text = tmp_path / "text.onnx"
    text.write_text("not a model")
    with pytest.raises(PipelineError, match=r"text\.onnx: cannot be opened as an ONNX model"):
        OnnxEnhancer.from_source(str(text))
    with pytest.raises(PipelineError, match="1 inputs and 2 outputs"):
        OnnxEnhancer.from_source(str(model(("b", 3, "h", "w"), outputs=2)))
    with pytest.raises(PipelineError, match=r"B×3×H×W float32 is needed"):
        OnnxEnhancer.from_source(str(model(("b", 1, "h", "w"))))
    with pytest.raises(PipelineError, match=r"B×3×H×W float32 is needed"):
        OnnxEnhancer.from_source(str(model(("b", 3, "h", "w"), kind=onnx.TensorProto.DOUBLE)))
