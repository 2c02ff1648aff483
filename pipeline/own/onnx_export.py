"""An enhancer as an ONNX file for any H and W, that gives what torch gives."""

import copy
import warnings
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from enhancers.base import Enhancer, decode_rounds
from enhancers.errors import EnhancerError
from enhancers.lfpv import LFPVEnhancer
from pipeline.errors import PipelineError
from pipeline.own.onnx import OnnxEnhancer

# No level of a network has sides that need no padding here: what is not done is not exported.
TRACED = (70, 101)
CHECKED = ((61, 83), (96, 144))
TOLERANCE = 1e-4


def export(model: Enhancer, file: Path) -> float:
    """Write an ONNX file, 1×3×H×W float32 in [0, 1] to the same, any H and W from 16 on.

    Returns:
        The greatest difference between onnxruntime and torch on random images of two other sizes
        than the one that was traced.

    Raises:
        PipelineError: the exporter is missing or cannot export it, or the file gives another image.
    """
    try:
        import onnxscript  # noqa: F401  torch's exporter needs it
    except ImportError:
        raise PipelineError("export needs an extra: pip install 'llie-pipeline[onnx]'") from None
    try:
        _program(model).save(file, external_data=False)
    except Exception as error:  # the exporter meets whatever a model does
        reason = str(error).strip().splitlines() or [""]
        raise PipelineError(
            f"it cannot be exported to ONNX ({type(error).__name__}: {reason[0]})"
        ) from None
    return _difference(model, file)


@torch.inference_mode()
def _difference(model: Enhancer, file: Path) -> float:
    exported, generator, greatest = OnnxEnhancer.from_source(str(file)), torch.Generator(), 0.0
    for height, width in CHECKED:
        image = torch.rand(1, 3, height, width, generator=generator)
        expected = model(image)
        try:
            found = exported(image)
        except EnhancerError as error:
            raise PipelineError(f"its ONNX file does not run ({error})") from None
        if found.shape != expected.shape or not (found - expected).abs().max() <= TOLERANCE:
            raise PipelineError(
                f"its ONNX file gives another {width}x{height} image than torch, by more than "
                f"{TOLERANCE}"
            )
        greatest = max(greatest, float((found - expected).abs().max()))
    return greatest


def _program(model: Enhancer) -> torch.onnx.ONNXProgram:
    size = {2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
    # With gradients: without, networks cut large images into strips, of which a trace has a fixed
    # number.
    with warnings.catch_warnings(), torch.enable_grad():
        warnings.simplefilter("ignore")
        traced = torch.export.export(
            _Exportable(model).eval(),
            (torch.rand(1, 3, *TRACED),),
            dynamic_shapes=(size,),
            # The padding of a side that happens to need none is nothing, not another branch.
            prefer_deferred_runtime_asserts_over_guards=True,
        )
        for node in traced.graph.nodes:
            # torch 2.14's exporter stumbles over bounds of two types.
            if node.target in (torch.ops.aten.clamp.default, torch.ops.aten.clamp_.default):
                node.args = (node.args[0], *(b if b is None else float(b) for b in node.args[1:]))
        return torch.onnx.export(
            traced, input_names=["image"], output_names=["enhanced"], dynamo=True, verbose=False
        )


class _Exportable(nn.Module):
    """A copy of an enhancer without checks, its nodes as constants, pooling as products."""

    def __init__(self, model: Enhancer) -> None:
        super().__init__()
        self.model = copy.deepcopy(model).requires_grad_(False)
        _replace_pooling(self.model)
        self.memories = None
        if isinstance(model, LFPVEnhancer):
            with torch.no_grad():
                self.memories = self.model.store.recall_stored()

    def forward(self, image: Tensor) -> Tensor:
        """As the enhancer."""
        if self.memories is None:
            return self.model.enhance(image)
        fuse = partial(self.model.store, memories=self.memories)
        return decode_rounds(self.model.encode(image), self.model.decode, fuse).image


class _Pooling(nn.Module):
    """Adaptive average pooling to n×n as two matrix products, for which the size may be unknown."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: Tensor) -> Tensor:
        """B×C×h×w to B×C×n×n."""
        return self._means(x.shape[-2]) @ x @ self._means(x.shape[-1]).T

    def _means(self, length: int) -> Tensor:
        """n×length: row i averages the positions from ⌊i·length/n⌋ to ⌈(i+1)·length/n⌉ − 1."""
        row, position = torch.arange(self.side)[:, None], torch.arange(length)
        first = row * length // self.side
        end = ((row + 1) * length + self.side - 1) // self.side
        return ((position >= first) & (position < end)).float() / (end - first)


def _replace_pooling(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.AdaptiveAvgPool2d):
            setattr(module, name, _Pooling(child.output_size))
        else:
            _replace_pooling(child)
