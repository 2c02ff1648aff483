"""Joins the LFPV store to any network given as encoder part and decoder part."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor, nn

from enhancers.base import Enhancer, Output, Round, Run, decode_rounds
from enhancers.errors import EnhancerError
from enhancers.lfpv.store import Nodes, Store
from enhancers.lfpv.updaters import Updaters

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


class LFPVEnhancer(Enhancer):
    """A network whose deep feature is enriched from learnt nodes (Xu et al., ICCV 2025).

    `encode(image) -> (feature B×c×h×w, context)` and `decode(feature, context) -> Output` (a
    NamedTuple with `image`) are bound methods of a module, registered once as `network`, or
    modules. Called on an image it gives Ī = decode(f'_d) from the stored nodes.

    nodes l, patch k, channels c: l·c·(1 + k²) values in the store. `positions` a step feed the
    Sample Updater; `normalize` puts LayerNorm on queries and keys; `updaters=False` builds the
    model for inference, without S and M. EnhancerError for wrong options.
    """

    def __init__(
        self,
        encode: Encode,
        decode: Decode,
        channels: int,
        nodes: int = 16,
        patch: int = 4,
        positions: int = 1,
        normalize: bool = True,
        updaters: bool = True,
    ) -> None:
        super().__init__(
            channels=channels, nodes=nodes, patch=patch, positions=positions, normalize=normalize
        )
        encoder, decoder = _owner(encode), _owner(decode)
        self.network = encoder if encoder is decoder else nn.ModuleList([encoder, decoder])
        self._encode, self._decode = _unregistered(encode), _unregistered(decode)
        self.store = Store(channels, nodes, patch, normalize)
        self.updaters = Updaters(channels, nodes, patch, positions) if updaters else None

    @property
    def trained(self) -> bool:
        """Whether the nodes were ever updated: a new store holds zeros."""
        return bool(self.store.updates > 0)

    def enhance(self, image: Tensor) -> Tensor:
        """Ī from the stored nodes; updates nothing. EnhancerError while nodes are untrained."""
        if not self.trained:
            raise EnhancerError("this LFPV store has no trained nodes: train it or load weights")
        fuse = self._fuse_with(self.store.nodes)
        return decode_rounds(self._encode(image), self._decode, fuse).image

    def training_paths(self, image: Tensor) -> Paths:
        """Update the nodes once on `image` (B×3×H×W) and give both paths of this step.

        The updated nodes carry gradient to S, M, e and the encoder through the LFPV path, and are
        stored without it. One encoder pass serves both paths. EnhancerError without updaters.
        """
        if self.updaters is None:
            raise EnhancerError("this LFPV model was built for inference, without updaters")
        encoded = self._encode(image)
        nodes = self.updaters(encoded[0], self.store.nodes)
        self.store.keep(nodes)
        return Paths(
            Path(self._encode, self._decode, None, image, encoded),
            Path(self._encode, self._decode, self._fuse_with(nodes), image, encoded),
        )

    def inference_state_dict(self) -> dict[str, Tensor]:
        """Network and store only, for a model built with `updaters=False`."""
        state = self.state_dict()
        return {key: value for key, value in state.items() if not key.startswith("updaters.")}

    def extra_parameters(self) -> dict[str, int]:
        """What the store adds at inference: `nodes`, l·c·(1 + k²), and `norms`."""
        return {
            "nodes": self.store.vectors.numel() + self.store.patches.numel(),
            "norms": sum(parameter.numel() for parameter in self.store.parameters()),
        }

    def _fuse_with(self, nodes: Nodes) -> Callable[[Tensor], Tensor]:
        return lambda feature: self.store(feature, nodes)


def _owner(part: Callable[..., Any]) -> nn.Module:
    """The module that holds the weights of `part`."""
    owner = part if isinstance(part, nn.Module) else getattr(part, "__self__", None)
    if not isinstance(owner, nn.Module):
        raise EnhancerError(f"LFPV needs a module or a method of one, not {part!r}")
    return owner


def _unregistered(part: Callable[..., Any]) -> Callable[..., Any]:
    """`part` as a bound method, which nn.Module does not register a second time."""
    return part.__call__ if isinstance(part, nn.Module) else part
