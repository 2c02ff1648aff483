"""`pipeline export`: an enhancer as an ONNX file."""

from argparse import Namespace

from pipeline.errors import PipelineError
from pipeline.factory import load_enhancer
from pipeline.files import atomic, require_writable
from pipeline.names import parse_enhancer
from pipeline.own.onnx_export import CHECKED, export


def export_onnx(arguments: Namespace) -> None:
    """Write the file once it was shown to give what torch gives."""
    name = parse_enhancer(arguments.enhancer)
    if arguments.out.suffix != ".onnx":
        raise PipelineError(f"{arguments.out}: is written as ONNX; name it *.onnx")
    if name.base in ("images", "onnx"):
        raise PipelineError(f"'{name}' has no network in torch; name an enhancer that has")
    require_writable(arguments.out)
    model = load_enhancer(name).model
    try:
        with atomic(arguments.out) as temporary:
            difference = export(model, temporary)
    except PipelineError as error:
        raise PipelineError(f"{name}: {error}") from None
    sizes = " and ".join(f"{width}x{height}" for height, width in CHECKED)
    print(f"{arguments.out}: any size, differs from torch by {difference:.1e} at most ({sizes})")
