"""`python:package.module:callable`: any Python function or module as enhancer."""

import hashlib
import sys
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

import torch
from torch import nn

from enhancers.base import Enhancer
from enhancers.errors import EnhancerError
from pipeline.errors import PipelineError
from pipeline.files import sha256


class PythonEnhancer(Enhancer):
    """The user's callable, B×3×H×W float32 RGB in [0, 1] to the same."""

    def __init__(self, name: str, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        # A module becomes a submodule here, so that it moves to the device with the rest.
        self.name, self.function = name, function

    @classmethod
    def from_source(cls, text: str) -> "PythonEnhancer":
        """Import `package.module:callable`; the working folder is searched first.

        A class is instantiated without arguments.

        Raises:
            PipelineError: it cannot be imported, or is not callable.
        """
        module, colon, attribute = text.partition(":")
        if not (module and colon and attribute):
            raise PipelineError(f"python:{text}: the form is python:package.module:callable")
        if (here := str(Path.cwd())) not in sys.path:
            sys.path.insert(0, here)
        try:
            found = getattr(import_module(module), attribute)
            function = found() if isinstance(found, type) else found
        except Exception as error:  # whatever the user's own code raises
            raise PipelineError(f"python:{text}: cannot be imported: {_told(error)}") from error
        if not callable(function):
            raise PipelineError(f"python:{text}: {attribute} is not callable")
        if isinstance(function, nn.Module):
            function.eval()
        return cls(text, function)

    @property
    def provenance(self) -> dict[str, str]:
        """The callable, the file that defines it, and a hash of a module's weights."""
        file = getattr(sys.modules[self.name.partition(":")[0]], "__file__", None)
        known = {"callable": self.name} | ({"sha256": sha256(Path(file))} if file else {})
        weights = self.state_dict()
        return known | ({"weights": _hash(weights)} if weights else {})

    def enhance(self, image: torch.Tensor) -> torch.Tensor:
        """What the callable gives for B×3×H×W in [0, 1]; EnhancerError where it raises."""
        try:
            # It may write over what it is given, by whose pixels a cache finds its result.
            return self.function(image.clone())
        except Exception as error:
            raise EnhancerError(f"python:{self.name} failed: {_told(error)}") from error


def _hash(state: Mapping[str, torch.Tensor]) -> str:
    digest = hashlib.sha256()
    for key, value in state.items():
        flat = value.detach().cpu().contiguous().flatten()
        digest.update(f"{key} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(flat.view(torch.uint8).numpy())
    return digest.hexdigest()


def _told(error: Exception) -> str:
    """Type, text and place of an exception of the user's code."""
    *_, place = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__}: {error} ({Path(place.filename).name}, line {place.lineno})"
