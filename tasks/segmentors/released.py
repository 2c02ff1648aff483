"""Published checkpoints of these networks, renamed to our models' keys."""

import re
from collections.abc import Mapping

import torch

from tasks.errors import TaskError

State = Mapping[str, torch.Tensor]

_RCU = {"conv": "conv1", "conv_relu_varout_dimred": "conv2"}

# DrSleep's names; n counts the levels from the deepest, i the units of a level.
_REFINENET = (
    (r"p_ims1d2_outl(?P<n>\d)_dimred", "reduce"),
    (r"adapt_stage(?P<n>\d)_b\.0\.(?P<i>\d)_(?P<rcu>conv\w*)", "adapt.{i}.{rcu}"),
    (r"adapt_stage(?P<n>\d)_b2_joint_varout_dimred", "join"),
    (r"mflow_conv_g(?P<n>\d)_pool\.0\.(?P<i>\d)_outvar_dimred", "pool.convs.{i}"),
    (r"mflow_conv_g(?P<n>\d)_b\.0\.(?P<i>\d)_(?P<rcu>conv\w*)", "refine.{i}.{rcu}"),
    (r"mflow_conv_g(?P<n>\d)_b3_joint_varout_dimred", "out"),
)


def from_released(state: State, file: str) -> State:
    """A published checkpoint's state dict under our models' keys; any other one as it is.

    Known are RefineNet with DrSleep's names, whose backbone is torchvision's ResNet, bare or
    below `resnet.`; and ESPNetv2 as its authors published it.

    Args:
        file: for messages.

    Raises:
        TaskError: Light-Weight RefineNet, which shares some of the names.
    """
    if "clf_conv.weight" in state:
        reduction = state.get("p_ims1d2_outl1_dimred.weight")
        if reduction is not None and reduction.shape[-1] == 1:
            raise TaskError(
                f"{file}: is Light-Weight RefineNet (1x1 convolutions), another network than "
                "RefineNet"
            )
        # torchvision's ImageNet classifier, which the release carries along.
        used = (key for key in state if not re.match(r"(resnet\.)?fc\.", key))
        return {_refinenet_key(key): state[key] for key in used}
    if "base_net.level1.conv.weight" in state:
        # The strided units hold an activation that the network never reaches: it decayed to zero.
        unused = re.compile(r"base_net\.level\d_0\.eesp\.module_act\.")
        return {_espnet_key(key): value for key, value in state.items() if not unused.match(key)}
    return state


def first_outputs(state: State, own: State, count: int) -> State:
    """Cut the classifiers of a checkpoint to the `count` outputs that the model `own` has."""

    def cut(key: str, value: torch.Tensor) -> torch.Tensor:
        wanted = own[key].shape if key in own else ()
        return value[:count] if value.ndim and wanted == (count, *value.shape[1:]) else value

    return {key: cut(key, value) for key, value in state.items()}


def _refinenet_key(key: str) -> str:
    layer, _, parameter = key.rpartition(".")
    if layer == "clf_conv":
        return f"decode_head.decoder.classify.{parameter}"
    for pattern, name in _REFINENET:
        if match := re.fullmatch(pattern, layer):
            found = match.groupdict()
            unit = int(found.get("i", 1)) - 1
            ours = name.format(i=unit, rcu=_RCU.get(found.get("rcu", ""), ""))
            return f"decode_head.decoder.blocks.{int(found['n']) - 1}.{ours}.{parameter}"
    return f"backbone.timm_model.{key.removeprefix('resnet.')}"


def _espnet_key(key: str) -> str:
    if key.startswith("base_net."):
        return f"backbone.{key.removeprefix('base_net.')}"
    return f"decode_head.decoder.{key}"
