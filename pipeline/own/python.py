"""`python:package.module:callable`: any Python function or module as enhancer."""

import hashlib
import sys
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

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
        """The callable, a hash of the user's own files behind it, and one of a module's weights.

        A file counts that the named module, or one of these, imports at its top.
        """
        files = sorted(_own_files(self.name.partition(":")[0]))
        parts = [sha256(file) for file in files]
        joined = hashlib.sha256("".join(parts).encode()).hexdigest()
        known = {"callable": self.name}
        if files:
            known["sha256"] = parts[0] if len(parts) == 1 else joined
        weights = self.state_dict()
        return known | ({"weights": state_digest(weights)} if weights else {})

    def enhance(self, image: torch.Tensor) -> torch.Tensor:
        """What the callable gives for B×3×H×W in [0, 1]; EnhancerError where it raises."""
        try:
            # It may write over what it is given, by whose pixels a cache finds its result.
            return self.function(image.clone())
        except Exception as error:
            raise EnhancerError(f"python:{self.name} failed: {_told(error)}") from error


def _own_files(name: str) -> set[Path]:
    """Files of a module and of those that it leads to, in its package or its folder."""
    package = name.partition(".")[0]
    top = Path(getattr(sys.modules[package], "__file__", None) or "")
    # An installed package has many neighbours that are not the user's.
    alone = "site-packages" in top.parts
    folder = top.parent.parent if top.stem == "__init__" else top.parent
    waiting: list[str] = [name]
    found: dict[ModuleType, Path] = {}
    while waiting:
        module = sys.modules.get(waiting.pop())
        file = Path(getattr(module, "__file__", None) or "")
        if module is None or module in found or file.suffix != ".py":
            continue
        within = file.is_relative_to(folder) and "site-packages" not in file.parts
        if module.__name__.partition(".")[0] == package or (within and not alone):
            found[module] = file
            waiting += [
                value.__name__ if isinstance(value, ModuleType) else str(value.__module__)
                for value in vars(module).values()
                if isinstance(value, ModuleType) or hasattr(value, "__module__")
            ]
    return set(found.values())


def state_digest(state: Mapping[str, torch.Tensor]) -> str:
    """Hash of the tensors of a module's state, with their names."""
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
