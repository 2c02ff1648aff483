"""Two paths through one network in a training step, with one encoder pass for both."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from enhancers.base import Enhancer, Output, Round, Run, decode_rounds
from enhancers.errors import EnhancerError

Encode = Callable[[Tensor], tuple[Tensor, Any]]
Decode = Callable[[Tensor, Any], Output | Round]


class Paths(NamedTuple):
    """The two outputs of one training step: `plain` decodes f_d (Î), `lfpv` f'_d (Ī)."""

    plain: Run
    lfpv: Run


@dataclass(frozen=True, eq=False)
class Path:
    """run(image): the outputs for any image; for `image` itself without encoding it again."""

    encode: Encode
    decode: Decode
    fuse: Callable[[Tensor], Tensor] | None
    image: Tensor
    encoded: tuple[Tensor, Any]

    def __call__(self, image: Tensor) -> Output:
        encoded = self.encoded if image is self.image else self.encode(image)
        return decode_rounds(encoded, self.decode, self.fuse)


class Joined(Enhancer):
    """Holds a network given as encoder part and decoder part, registered once as `network`.

    `encode(image) -> (feature B×c×h×w, context)` and `decode(feature, context) -> Output` (a
    NamedTuple with `image`) are bound methods of a module, or modules; EnhancerError for others.
    """

    def __init__(self, encode: Encode, decode: Decode, **options: Any) -> None:
        super().__init__(**options)
        encoder, decoder = _owner(encode), _owner(decode)
        self.network = encoder if encoder is decoder else nn.ModuleList([encoder, decoder])
        self.encode, self.decode = _unregistered(encode), _unregistered(decode)

    @property
    def bytes_per_pixel(self) -> int:
        """The network's."""
        return getattr(self.network, "bytes_per_pixel", 0)

    def _run(self, image: Tensor, fuse: Callable[[Tensor], Tensor] | None) -> Output:
        return decode_rounds(self.encode(image), self.decode, fuse)

    def _path(
        self,
        image: Tensor,
        encoded: tuple[Tensor, Any],
        fuse: Callable[[Tensor], Tensor] | None = None,
    ) -> Path:
        return Path(self.encode, self.decode, fuse, image, encoded)


class TwoPath(Joined):
    """The compute-matched control of LFPV: the network's own path twice, and no nodes.

    For a trainer as LFPVEnhancer; its image and its state for inference are the plain network's.
    """

    trained = False  # no nodes, so nothing that the second path would have learnt

    def enhance(self, image: Tensor) -> Tensor:
        """Î, the plain network's image."""
        return self._run(image, None).image

    def training_paths(self, image: Tensor, indices: Tensor | None = None) -> Paths:
        """Both paths decode f_d of `image`; one encoder pass serves both. `indices` are unread.

        BatchNorm keeps the statistics of one of them, as with LFPV.
        """
        encoded = self.encode(image)
        plain = untracked(self._path(image, encoded), self.network)
        return Paths(plain, self._path(image, encoded))

    def stored_paths(self, image: Tensor) -> Paths:
        """As `training_paths`."""
        return self.training_paths(image)

    def inference_state_dict(self) -> dict[str, Tensor]:
        """The plain network's state, under its own names."""
        return self.network.state_dict()


def untracked(run: Run, network: nn.Module) -> Run:
    """`run`, of which BatchNorm of `network` keeps no statistics: it normalises by batch as ever.

    The LFPV path runs alone at inference, on other features than the plain one has: a mean of
    both paths' statistics would fit neither.
    """

    def untracked_run(image: Tensor) -> Output:
        norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.momentum = 0.0
        try:
            return run(image)
        finally:
            for norm, momentum in zip(norms, momenta, strict=True):
                norm.momentum = momentum

    return untracked_run


def _owner(part: Callable[..., Any]) -> nn.Module:
    """The module that holds the weights of `part`."""
    owner = part if isinstance(part, nn.Module) else getattr(part, "__self__", None)
    if not isinstance(owner, nn.Module):
        raise EnhancerError(f"LFPV needs a module or a method of one, not {part!r}")
    return owner


def _unregistered(part: Callable[..., Any]) -> Callable[..., Any]:
    """`part` as a bound method, which nn.Module does not register a second time."""
    return part.__call__ if isinstance(part, nn.Module) else part
