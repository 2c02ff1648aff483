"""The contract of every enhancer, and of those that split at a deep feature."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from enhancers.errors import EnhancerError
from enhancers.memory import require_memory
from enhancers.states import check_state
from enhancers.tiles import in_tiles

SMALLEST_SIDE = 16
REDUCED = (torch.float16, torch.bfloat16)


class Output(Protocol):
    """What a network gives: a NamedTuple of its own whose `image` is the enhanced image.

    Its other fields are what the network's own objective looks at.
    """

    @property
    def image(self) -> Tensor: ...


class Round(NamedTuple):
    """What `decode` of an unfolding network gives before its last round: it is asked again.

    `encode()` makes the (f_d, context) of the next round, when that of the last is let go.
    """

    encode: Callable[[], tuple[Tensor, Any]]


# Any, because each objective reads the fields of its own network besides `image`.
Run = Callable[[Tensor], Any]


@contextmanager
def in_eval_mode(model: nn.Module) -> Iterator[None]:
    """Every part of a model in eval mode, and afterwards as it was."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


class Enhancer(nn.Module, ABC):
    """Image in, enhanced image of the same shape and range out.

    `enhancer(image)`: B×3×H×W float32 RGB in [0, 1] (float64 where the parameters are), H and W
    at least 16. Padding, cropping and a value range of its own are each enhancer's own affair.
    `options` are the constructor's keyword arguments (plain JSON values), so that a checkpoint can
    record them. `keeps_size` is False only where an option reproduces a released script that crops
    at the right and the bottom. `bytes_per_pixel`: a large image takes at least so many on a CPU,
    by `bench/large.py`; 0 where that is not known.
    """

    keeps_size = True
    bytes_per_pixel = 0

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = options

    @abstractmethod
    def enhance(self, image: Tensor) -> Tensor:
        """Enhance a B×3×H×W image in [0, 1]; the same shape and range."""

    def forward(self, image: Tensor) -> Tensor:
        """Enhance `image` (B×3×H×W in [0, 1]); float32 under autocast too.

        EnhancerError for any other shape or type, and for what would not fit into memory.
        """
        check_image(image)
        require_memory(image, self.bytes_per_pixel)
        try:
            enhanced = self.enhance(image)
        except RuntimeError as error:
            # Not asked before: autocast converts the image, and so may a user's own enhancer.
            if message := self._other_type(image):
                raise EnhancerError(message) from error
            raise
        return enhanced.float() if getattr(enhanced, "dtype", None) in REDUCED else enhanced

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """As in torch, but a wrong key or shape is an EnhancerError of one line."""
        if strict:
            check_state(self, state_dict)
        return super().load_state_dict(state_dict, strict, assign)

    def _other_type(self, image: Tensor) -> str | None:
        own = {_type(parameter) for parameter in self.parameters()}
        if not own or _type(image) in own:
            return None
        return f"{type(self).__name__} computes in {min(own)}, this image is {_type(image)}"


class EncodeDecode(Enhancer):
    """A network split at its deep feature f_d, B×`feature_channels`×h×w.

    `released_files` are the authors' files where they publish more than one (a folder of them is
    then one set of weights, each file's keys below its stem), and `released_globals` the classes
    besides tensors and plain values that their pickles hold.

    `reach`, of a network whose f_d has the size of the image: how many pixels away the image looks
    at its input, so that large ones can be enhanced in tiles. None where it may look anywhere.

    `context_holds_feature` is False where `decode` finds f_d nowhere in its context: LFPV may then
    write over f_d, which of a large image saves much memory.
    """

    feature_channels: int
    reach: int | None = None
    context_holds_feature = True
    released_files: ClassVar[tuple[str, ...]] = ()
    released_globals: ClassVar[tuple[type, ...]] = ()

    @abstractmethod
    def encode(self, image: Tensor) -> tuple[Tensor, Any]:
        """(f_d, context): the deep feature, and whatever else `decode` needs."""

    @abstractmethod
    def decode(self, feature: Tensor, context: Any) -> Output | Round:
        """The network's outputs from a feature shaped like f_d and the context of its image.

        A network that unfolds gives the `Round` that comes next, until the last one.
        """

    @abstractmethod
    def load_released(self, state: Mapping[str, Tensor]) -> None:
        """Load the authors' published state dict; EnhancerError where it does not fit."""

    def run(self, image: Tensor) -> Output:
        """All outputs of the network: decode(encode(image))."""
        return decode_rounds(self.encode(image), self.decode)

    def enhance(self, image: Tensor) -> Tensor:
        """The enhanced image alone."""
        return in_tiles(
            lambda part: self.run(part).image, image, self.reach, 1, self.feature_channels
        )


def decode_rounds(
    encoded: tuple[Tensor, Any],
    decode: Callable[[Tensor, Any], Output | Round],
    fuse: Callable[[Tensor], Tensor] | None = None,
) -> Output:
    """Decode what `encode` gave, round by round; `fuse` is applied to the f_d of every round."""
    try:
        feature, context = encoded
    except ValueError:
        raise EnhancerError(
            f"encode must return (feature, context), not {type(encoded).__name__}"
        ) from None
    del encoded
    while True:
        feature = fuse(feature) if fuse else feature
        step = decode(feature, context)
        if hasattr(step, "image"):
            return step
        if not isinstance(step, Round):
            kind = type(step).__name__
            raise EnhancerError(f"decode must return a NamedTuple with `image`, not {kind}")
        # Two of them at once would be the most memory that a large image takes.
        del feature
        feature, context = step.encode()


def check_image(image: Tensor) -> None:
    """Raise EnhancerError unless `image` is floating, B×3×H×W with both sides at least 16."""
    if not isinstance(image, Tensor) or not image.is_floating_point():
        hint = "; divide by 255" if _type(image) == "uint8" else ""
        raise EnhancerError(f"an image is float32 in [0, 1], this one is {_type(image)}{hint}")
    shape = tuple(image.shape)
    if len(shape) != 4 or shape[1] != 3:
        raise EnhancerError(f"an image batch is B×3×H×W, this one is {shape}")
    if min(shape[2:]) < SMALLEST_SIDE:
        size = f"{shape[3]}x{shape[2]}"
        raise EnhancerError(f"an image needs {SMALLEST_SIDE} pixels a side, this one is {size}")


def _type(value: object) -> str:
    if isinstance(value, Tensor):
        return str(value.dtype).removeprefix("torch.")
    return type(value).__name__
