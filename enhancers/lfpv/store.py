"""The store of LFPV nodes: query and fusion (Xu et al., ICCV 2025)."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from enhancers.errors import EnhancerError
from enhancers.lfpv.attention import (
    Attention,
    Memory,
    Moments,
    add_patches,
    as_patches,
    full_precision,
)
from enhancers.lfpv.options import Options
from enhancers.tiles import Tile, over_tiles, side_for

DIRECT_START = 0.02
# Values of a tile of the feature: what is made of it then stays in the processor's cache.
VALUES = 2**19


class Nodes(NamedTuple):
    """l nodes of c channels: `vectors` C_v, l×c, and `patches` C_p, l×c×k×k; None is no branch."""

    vectors: Tensor | None
    patches: Tensor | None


class Memories(NamedTuple):
    """What the query needs of the nodes of each branch."""

    vectors: Memory | None
    patches: Memory | None


class Store(nn.Module):
    """What stays at inference: the nodes, the parameters of the query, the number of updates o.

    `vectors` (l×c) and `patches` (l×c×k×k) are buffers, zero until the first update, or where they
    are learnt directly parameters that start from N(0, 0.02); `updates` is an int64 buffer.
    EnhancerError unless channels >= 1.
    """

    def __init__(self, channels: int, options: Options) -> None:
        super().__init__()
        if channels < 1:
            raise EnhancerError(f"LFPV needs channels >= 1, not {channels}")
        self.channels, self.count, self.patch = channels, options.nodes, options.patch
        self.direct = options.learn == "direct"
        self.vectors: Tensor | None
        self.patches: Tensor | None
        self.updates: Tensor
        shape, area = (options.nodes, channels), (options.patch, options.patch)
        self.vector_attention = Attention(channels, options) if options.has_vectors else None
        self._hold("vectors", shape if options.has_vectors else None)
        size = channels * options.patch**2
        self.patch_attention = Attention(size, options) if options.has_patches else None
        self._hold("patches", (*shape, *area) if options.has_patches else None)
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        start = 0.0 if options.gate is True else options.gate
        self.gate = nn.Parameter(torch.tensor(start)) if options.gate else None
        self.normalize, self.centred = options.normalize, options.centres_queries
        self._recalled: tuple[list, list, Memories] | None = None

    @property
    def nodes(self) -> Nodes:
        """The stored nodes; without gradient, unless they are learnt directly."""
        return Nodes(self.vectors, self.patches)

    @property
    def dtype(self) -> torch.dtype:
        """Of the nodes, in which all is computed."""
        return (self.patches if self.vectors is None else self.vectors).dtype

    @torch.no_grad()
    def keep(self, nodes: Nodes) -> None:
        """Store `nodes` without their gradient and count one update."""
        for own, new in zip(self.nodes, nodes, strict=True):
            if own is not None and own is not new:
                own.copy_(new)
        self.updates += 1

    @property
    def trained(self) -> bool:
        """Whether the nodes were ever updated: a new store holds zeros, or noise."""
        return self.updates.is_meta or bool(self.updates > 0)

    def recall(self, nodes: Nodes) -> Memories:
        """Both branches of `nodes`, ready to be asked: this step's updated ones, in training."""
        vectors = patches = None
        with full_precision(self.updates):
            if self.vector_attention is not None:
                vectors = self.vector_attention.recall(nodes.vectors, self.gate)
            if self.patch_attention is not None:
                patches = self.patch_attention.recall(nodes.patches.flatten(1), self.gate)
        return Memories(vectors, patches)

    def recall_stored(self) -> Memories:
        """The stored nodes, ready to be asked; at inference made once, until a value changes.

        EnhancerError while the nodes are untrained.
        """
        own = [*self.parameters(), *self.buffers()]
        if torch.is_grad_enabled() or any(value.is_inference() for value in own):
            return self._recall_trained()
        # A write to a tensor counts its version up; moving it elsewhere gives it other memory.
        state = [(id(value), value._version, value.data_ptr()) for value in own]
        if self._recalled is None or self._recalled[0] != state:
            self._recalled = state, own, self._recall_trained()
        return self._recalled[2]

    def train(self, mode: bool = True) -> "Store":
        """As in torch; what was made of the nodes is made anew."""
        self._recalled = None
        return super().train(mode)

    def forward(
        self,
        feature: Tensor,
        memories: Memories,
        mean: Tensor | None = None,
        spare: bool = False,
    ) -> Tensor:
        """Fusion f'_d = f̄_d + f̄'_d + f_d of a B×c×h×w feature, any h and w; the same type.

        Where `feature` is only a tile, `mean` (B×c×1×1) is that of the whole, which centred queries
        need. A `spare` feature, which nobody reads again, may be overwritten with the answer.
        EnhancerError when the feature has another number of channels.
        """
        with full_precision(feature):
            wide = self._checked(feature)
            mean = self._mean(wide) if mean is None else mean

            def run(tile: Tile) -> tuple[Tensor]:
                # Sums over channels are slow where the channels lie side by side.
                return (self._fuse(tile.cut(wide).contiguous(), mean, memories),)

            side = side_for(len(wide) * max(self.channels, self.count), VALUES)
            onto = (wide,) if spare else None
            return over_tiles(run, wide, 0, self.patch, side, onto)[0].to(feature.dtype)

    def attend(self, feature: Tensor, memories: Memories) -> Nodes:
        """T̂_v, B×l×h×w, and T̂_p, B×l×⌈h/k⌉×⌈w/k⌉: how each position or patch weighs the nodes."""
        with full_precision(feature):
            wide = self._checked(feature)
            return self._attend(wide, self._mean(wide), memories)

    def _fuse(self, feature: Tensor, mean: Tensor | None, memories: Memories) -> Tensor:
        fused, (height, width) = feature, feature.shape[-2:]
        weights = self._attend(feature, mean, memories)
        if memories.patches is not None:
            answers = Attention.answer(weights.patches, memories.patches)
            fused = add_patches(self._pad(feature), answers, self.patch)[..., :height, :width]
        if memories.vectors is not None:
            fused = Attention.answer(weights.vectors, memories.vectors, onto=fused)
        return fused

    def _attend(self, feature: Tensor, mean: Tensor | None, memories: Memories) -> Nodes:
        """T̂_v = softmax(f̂_d·C_vᵀ), f̂_d = reshape(f_d) ∈ R^{(hw)×c}: every position asks.

        T̂_p = softmax(f̂'_p·C_pᵀ): every non-overlapping k×k patch asks, with its c·k·k values.
        Queries less their `mean` (B×c×1×1) where there is one.
        """
        asked = feature if mean is None else feature - mean
        padded, vectors, patches = self._pad(asked), None, None
        moments = Moments.of(padded) if self.normalize else None
        if memories.vectors is not None:
            vectors = self.vector_attention.weights(asked, memories.vectors, moments)
        if memories.patches is not None:
            cut = as_patches(padded, self.patch)
            own = moments.of_patches(self.patch) if self.normalize else None
            patches = self.patch_attention.weights(cut, memories.patches, own)
        return Nodes(vectors, patches)

    def _mean(self, feature: Tensor) -> Tensor | None:
        return feature.mean((2, 3), keepdim=True) if self.centred else None

    def _pad(self, feature: Tensor) -> Tensor:
        """To multiples of k, the edge repeated to the right and below."""
        height, width = feature.shape[-2:]
        edge = (0, -width % self.patch, 0, -height % self.patch)
        return F.pad(feature, edge, mode="replicate") if any(edge) else feature

    def _checked(self, feature: Tensor) -> Tensor:
        self.require_fitting(feature)
        return feature.to(self.dtype)

    def require_fitting(self, feature: Tensor) -> None:
        """EnhancerError when the feature has another number of channels."""
        if feature.shape[1] != self.channels:
            raise EnhancerError(
                f"LFPV was made for {self.channels} channels, the feature has {feature.shape[1]}"
            )

    def require_trained(self) -> None:
        """EnhancerError while the nodes are untrained."""
        if not self.trained:
            raise EnhancerError("this LFPV store has no trained nodes: train it or load weights")

    def _recall_trained(self) -> Memories:
        self.require_trained()
        return self.recall(self.nodes)

    def _hold(self, name: str, shape: tuple[int, ...] | None) -> None:
        if self.direct:
            start = shape and nn.Parameter(torch.randn(shape) * DIRECT_START)
            self.register_parameter(name, start)
        else:
            self.register_buffer(name, shape and torch.zeros(shape))
