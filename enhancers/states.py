"""State dicts: strict loading with a one-line error, and the authors' repeated blocks."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from enhancers.errors import EnhancerError

NAMED_AT_MOST = 3


def check_state(
    module: nn.Module, state: Mapping[str, Tensor], published: Callable[[str], str] = str
) -> None:
    """Raise EnhancerError, naming the first keys, unless keys and shapes are the module's.

    `published` tells what the file calls a key of the module.
    """
    own = {published(key): value for key, value in module.state_dict().items()}
    wrong_shape = [
        f"{key} {_shape(state[key])} instead of {_shape(own[key])}"
        for key in own
        if key in state and _shape(state[key]) != _shape(own[key])
    ]
    groups = {
        "missing": [key for key in own if key not in state],
        "unexpected": [key for key in state if key not in own],
        "shape of": wrong_shape,
    }
    found = [f"{name} {_first(items)}" for name, items in groups.items() if items]
    if found:
        raise EnhancerError(f"these weights do not fit {type(module).__name__}: {'; '.join(found)}")


def load_strict(
    module: nn.Module, state: Mapping[str, Tensor], published: Callable[[str], str] = str
) -> None:
    """Load `state` into `module`; EnhancerError if any key or shape differs. See check_state."""
    check_state(module, state, published)
    module.load_state_dict({key: state[published(key)] for key in module.state_dict()})


def load_below(module: nn.Module, state: Mapping[str, Tensor], prefix: str) -> None:
    """Load the entries below `prefix` into `module`; EnhancerError as in load_strict."""
    load_strict(module, select(state, prefix), lambda key: prefix + key)


def select(state: Mapping[str, Tensor], *prefixes: str) -> dict[str, Tensor]:
    """The entries below any of the prefixes; EnhancerError where a prefix has none."""
    for prefix in prefixes:
        if not any(key.startswith(prefix) for key in state):
            raise EnhancerError(
                f"these weights have no key that starts with {prefix!r}; "
                f"the first is {next(iter(state), None)!r}"
            )
    return {key: value for key, value in state.items() if key.startswith(prefixes)}


def drop_copies(state: Mapping[str, Tensor], block: str, copies: str) -> dict[str, Tensor]:
    """Drop `<copies><n>.<rest>`, stored copies of the shared `<block><rest>`.

    Raises EnhancerError where a copy differs from its block: then the weights were trained
    with separate blocks, which the network here cannot hold.
    """
    kept = {key: value for key, value in state.items() if not key.startswith(copies)}
    for key in state.keys() - kept.keys():
        rest = key[len(copies) :].partition(".")[2]
        shared = state.get(block + rest)
        if shared is None or not torch.equal(shared, state[key]):
            raise EnhancerError(f"{key} should be a copy of {block + rest} and is not")
    return kept


def _shape(value: object) -> tuple[int, ...] | str:
    return tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__


def _first(items: list[str]) -> str:
    more = len(items) - NAMED_AT_MOST
    return ", ".join(items[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
