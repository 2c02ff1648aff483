"""The frozen downstream model of a task, from its name and checkpoint."""

from pathlib import Path

import configs
from pipeline import zoo
from pipeline.checkpoints import Checkpoint, read_checkpoint
from pipeline.errors import PipelineError
from pipeline.factory import Loaded
from pipeline.files import sha256
from pipeline.own.onnx_evaluator import OnnxModel
from tasks import mm
from tasks.classes import read_class_map, resolve_class_map
from tasks.models import ClassMapped, DownstreamModel, MMSegmentor, ModelInfo, TimmClassifier
from tasks.task import Task

ALIASES = {"refinenet": "refinenet_r101"}


def load_evaluator(
    name: str | None,
    weights: str | Path | None,
    task: Task,
    class_map: str | Path | None = None,
) -> Loaded:
    """Create the frozen downstream model of a task.

    Args:
        name: a timm model, an mmsegmentation config (ours by its stem, e.g. refinenet),
            `onnx:FILE`, or an entry under `evaluators` in
            `configs/weights.yaml`; None is the task's default.
        weights: checkpoint; None for a listed entry and for `onnx:FILE`.
        class_map: YAML file, yours or one of configs/evaluators, that maps the evaluator's class
            names to the task's; None where they are the same.

    Raises:
        PipelineError: unknown name, no weights, or an unsafe or broken file.
        TaskError: the checkpoint does not fit the model, or the map does not fit the classes.
    """
    name, weights = resolve_evaluator(name, weights, task)
    if name.startswith("onnx:"):
        if weights is not None:
            raise PipelineError(f"{name} holds its weights; leave the evaluator's weights out")
        model = OnnxModel.from_source(name.removeprefix("onnx:"))
        provenance = model.provenance
    else:
        checkpoint = read_checkpoint(Path(weights))
        model = _downstream_model(name, checkpoint)
        provenance = {"model": name, "file": checkpoint.path.name, "sha256": checkpoint.sha256}
        provenance["header"] = checkpoint.header
    provenance["settings"] = dict(model.settings)
    if class_map is not None:
        model, provenance["class_map"] = _mapped(model, Path(class_map), task)
    return Loaded(model.eval(), provenance)


def evaluator_config(name: str) -> Path:
    """A config file: the user's own path, one of ours, or one that mmsegmentation ships."""
    own = configs.ROOT / "evaluators" / name
    if Path(name).is_file():
        return Path(name)
    if own.is_file():
        return own
    return mm.packaged_config(name) or Path(name)


def model_name(text: str) -> str:
    """A config of ours by its stem or alias, e.g. refinenet_r18; any other name as it is."""
    name = ALIASES.get(text, text)
    config = f"{name}.py"
    return config if evaluator_config(config).is_file() else name


def resolve_evaluator(
    name: str | None, weights: str | Path | None, task: Task, fetch: bool = True
) -> tuple[str, str | Path | None]:
    """The model and the checkpoint that a name stands for; None for the one of `onnx:FILE`.

    A listed checkpoint that is not here is downloaded, or with `fetch` False an error; errors as
    `load_evaluator`.
    """
    listed = zoo.entries("evaluators")
    chosen = name or _default_evaluator(task)
    if chosen in listed:
        entry = listed[chosen]
        try:
            return entry.model, weights or zoo.locate(entry, fetch)
        except PipelineError as error:
            raise type(error)(f"{error}{'' if name else _or_quick(task)}") from None
    if weights is None and not chosen.startswith("onnx:"):
        raise PipelineError(
            f"evaluator '{chosen}' needs a checkpoint (--evaluator-weights FILE), or is one of "
            f"{', '.join(listed)}, or onnx:FILE"
        )
    return model_name(chosen), weights


def find_class_map(path: Path) -> Path:
    """The user's own file, or one of configs/evaluators; PipelineError where there is none."""
    own = configs.ROOT / "evaluators" / path
    found = path if path.is_file() or not own.is_file() else own
    if not found.is_file():
        raise PipelineError(f"{path}: no such class map")
    return found


def _default_evaluator(task: Task) -> str:
    if name := zoo.default_evaluator(task.name, task.sample_data):
        return name
    raise PipelineError(
        f"task {task.name} needs a frozen model: --evaluator MODEL --evaluator-weights FILE "
        f"(a timm name, or an mmsegmentation config), or --evaluator onnx:FILE{_or_quick(task)}"
    )


def _or_quick(task: Task) -> str:
    """The end of a message, where the task's card names a small evaluator."""
    quick = task.card.quick_evaluator if task.card else ""
    return f"; or take the small one: --evaluator {quick}" if quick else ""


def _downstream_model(name: str, checkpoint: Checkpoint) -> DownstreamModel:
    info = _model_info(checkpoint)
    if not name.endswith(".py"):
        return TimmClassifier(name, checkpoint.state, info)
    return MMSegmentor(evaluator_config(name), checkpoint.state, info)


def _mapped(
    model: DownstreamModel, path: Path, task: Task
) -> tuple[ClassMapped, dict[str, object]]:
    """The model under the task's class names, and the map for the record."""
    path = find_class_map(path)
    mapping = read_class_map(path)
    classes, sources = resolve_class_map(mapping, model.info.classes, task.classes, str(path))
    record = {"file": path.name, "sha256": sha256(path), "map": mapping}
    return ClassMapped(model, sources, classes), record


def _model_info(checkpoint: Checkpoint) -> ModelInfo:
    """Class names and input size from our header, or mmsegmentation's of either age."""
    header = checkpoint.header
    meta = header.get("dataset_meta")
    meta = meta if isinstance(meta, dict) else {}
    named = (found.get(key) for found in (header, meta) for key in ("classes", "CLASSES"))
    classes = next(filter(None, named), None)
    size = header.get("input_size")
    for key, value, kind in (("classes", classes, str), ("input_size", size, int)):
        listed = isinstance(value, list | tuple) and all(isinstance(v, kind) for v in value)
        if value is not None and not listed:
            raise PipelineError(f"{checkpoint.path}: its header's `{key}` is no list")
    if size and (len(size) != 2 or min(size) < 1):
        raise PipelineError(f"{checkpoint.path}: its header's `input_size` is no [height, width]")
    return ModelInfo(
        tuple(classes) if classes else None, tuple(size) if size else None, str(checkpoint.path)
    )
