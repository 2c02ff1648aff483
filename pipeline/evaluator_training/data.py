"""Which model and which labelled images a command line means."""

from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.factory import dataset_root
from pipeline.names import parse_task
from pipeline.sample import sample_folder
from tasks.labelled_sets import NAMED, OWN, LabelledSet

# Where another command keeps the same dataset.
ROOTS = {"codan_day": "codan", "camvid_day": "camvid"}
FITTING = {
    "classification": "a timm model, e.g. resnet18",
    "segmentation": "refinenet, refinenet_r18 or an mmsegmentation config (*.py)",
}
SAMPLE = {"segmentation": "street_day", "classification": "codan/data"}


def kind_of(model: str) -> str:
    """The kind of task that a model, a timm name or an mmsegmentation config, is for."""
    return "segmentation" if model.endswith(".py") else "classification"


def find_labelled(name: str, root: str | Path | None, kind: str) -> LabelledSet:
    """The set of a name: a published one, NAME:DIR, or the sample scenes.

    Raises:
        PipelineError, TaskError: unknown, of another kind than the model, not there, not complete.
    """
    parsed = parse_task(name)
    own, folder = parsed.base, parsed.folder
    if name == "sample":
        own, folder = kind, sample_folder("train") / SAMPLE[kind]
    if name in NAMED:
        data = NAMED[name](Path(root) if root else dataset_root(ROOTS.get(name, name)))
    elif own not in OWN or not folder:
        known = ", ".join((*NAMED, *(f"{one}:DIR" for one in OWN), "sample"))
        raise PipelineError(f"unknown training data '{name}'; there are {known}")
    elif root:
        raise PipelineError(f"--data {name} brings its own data; leave --root out")
    else:
        data = OWN[own](folder)
    if data.train.kind != kind:
        raise PipelineError(f"--data {name} is for {data.train.kind}: {FITTING[data.train.kind]}")
    return data
