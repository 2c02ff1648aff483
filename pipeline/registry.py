"""Named factories, our own and those of installed plug-ins, imported when they are asked for."""

from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from pipeline.errors import PipelineError


class Registry:
    """Maps a name to `module:attribute`.

    A plug-in adds names through the entry-point group; it cannot replace one of ours.

    Args:
        what: the word for error messages, e.g. "enhancer".
        group: entry-point group, e.g. "pipeline.enhancers".
        own: our own names.
    """

    def __init__(self, what: str, group: str, own: dict[str, str]) -> None:
        self.what = what
        self.group = group
        self._own = own

    def names(self) -> list[str]:
        """All names, ours first."""
        return list(self._all())

    def get(self, name: str) -> Callable[..., Any]:
        """Import and return the factory of that name.

        Raises:
            PipelineError: unknown name (the nearest is offered), or its module cannot be imported.
        """
        # Those of plug-ins are asked for only where they matter: looking for them is slow.
        known = self._own if name in self._own else self._all()
        if name not in known:
            near = get_close_matches(name, known, 1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise PipelineError(f"unknown {self.what} '{name}'; {hint}")
        module, _, attribute = known[name].partition(":")
        try:
            return getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise PipelineError(f"{self.what} '{name}' cannot be imported ({error})") from error

    def _all(self) -> dict[str, str]:
        plugins = {point.name: point.value for point in entry_points(group=self.group)}
        return {**self._own, **{k: v for k, v in plugins.items() if k not in self._own}}


ENHANCERS = Registry(
    "enhancer",
    "pipeline.enhancers",
    {
        "identity": "enhancers.baselines:Identity",
        "gamma": "enhancers.baselines:Gamma",
        "clahe": "enhancers.baselines:CLAHE",
        "enlightengan": "enhancers.enlightengan:EnlightenGAN",
        "lednet": "enhancers.lednet:LEDNet",
        "zerodcepp": "enhancers.zerodcepp:ZeroDCEpp",
        "ruas": "enhancers.ruas:RUAS",
        "sci": "enhancers.sci:SCI",
        "uretinex": "enhancers.uretinex:URetinex",
        "images": "pipeline.own.images:ImageFolder",
        "onnx": "pipeline.own.onnx:OnnxEnhancer",
        "python": "pipeline.own.python:PythonEnhancer",
    },
)

TASKS = Registry(
    "task",
    "pipeline.tasks",
    {
        "codan": "tasks.classification:codan",
        "nighttime_driving": "tasks.segmentation:nighttime_driving",
        "darkzurich": "tasks.segmentation:dark_zurich",
        "darkzurich_test": "tasks.segmentation:dark_zurich_test",
        "classification": "tasks.classification:folder",
        "lol": "tasks.restoration:lol",
        "segmentation": "tasks.segmentation:folder",
        "restoration": "tasks.restoration:folder",
    },
)

OBJECTIVES = Registry(
    "training objective",
    "pipeline.objectives",
    {
        "paired": "enhancers.losses.paired:Paired",
        "sci": "enhancers.losses.sci:SCIObjective",
        "zerodcepp": "enhancers.losses.zerodcepp:ZeroDCEppObjective",
        "ruas": "enhancers.losses.ruas:RUASObjective",
        "ruas_pretraining": "enhancers.losses.denoising:DenoiserPretraining",
        "ruas_denoiser": "enhancers.losses.ruas:RUASDenoiserObjective",
        "uretinex_decomposition": "enhancers.losses.uretinex:DecompositionObjective",
        "uretinex_unfolding": "enhancers.losses.uretinex:UnfoldingObjective",
        "uretinex_adjustment": "enhancers.losses.uretinex:AdjustmentObjective",
        "enlightengan": "enhancers.losses.enlightengan:EnlightenGANObjective",
        "lednet": "enhancers.losses.lednet:LEDNetObjective",
    },
)
