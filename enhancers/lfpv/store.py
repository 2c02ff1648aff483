"""The store of LFPV nodes: query and fusion (Xu et al., ICCV 2025, section 2 of the spec)."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from enhancers.errors import EnhancerError


class Nodes(NamedTuple):
    """l nodes of c channels: `vectors` C_v, l×c, and `patches` C_p, l×c×k×k."""

    vectors: Tensor
    patches: Tensor


class Attention(nn.Module):
    """softmax over the l nodes of LN(q)·LN(C)ᵀ, times C, for every position of a map.

    The LayerNorms (d channels, learnable, one for queries and one for keys) follow the authors'
    code; `normalize=False` gives the bare equation T = f̂·Cᵀ. Values are never normalised.
    """

    def __init__(self, size: int, normalize: bool) -> None:
        super().__init__()
        self.query_norm = nn.LayerNorm(size) if normalize else nn.Identity()
        self.key_norm = nn.LayerNorm(size) if normalize else nn.Identity()

    def forward(self, feature: Tensor, nodes: Tensor) -> Tensor:
        """B×d×h×w feature and l×d nodes to B×d×h×w; the largest tensors are B×hw×d, B×hw×l."""
        query = self.query_norm(feature.flatten(2).transpose(1, 2))
        weights = (query @ self.key_norm(nodes).T).softmax(-1)
        return (weights @ nodes).transpose(1, 2).reshape_as(feature)


class Store(nn.Module):
    """What stays at inference: the nodes, the norm parameters, the number of updates o.

    `vectors` (l×c) and `patches` (l×c×k×k) are buffers, zero until the first update;
    `updates` is an int64 buffer. EnhancerError unless nodes >= 2, patch >= 1, channels >= 1.
    """

    def __init__(self, channels: int, nodes: int, patch: int, normalize: bool = True) -> None:
        super().__init__()
        if nodes < 2 or patch < 1 or channels < 1:
            raise EnhancerError(
                "LFPV needs nodes >= 2, patch >= 1 and channels >= 1, "
                f"not nodes={nodes}, patch={patch}, channels={channels}"
            )
        self.channels, self.patch = channels, patch
        self.vectors: Tensor
        self.patches: Tensor
        self.updates: Tensor
        self.register_buffer("vectors", torch.zeros(nodes, channels))
        self.register_buffer("patches", torch.zeros(nodes, channels, patch, patch))
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        self.vector_attention = Attention(channels, normalize)
        self.patch_attention = Attention(channels * patch * patch, normalize)

    @property
    def nodes(self) -> Nodes:
        """The stored nodes, without gradient."""
        return Nodes(self.vectors, self.patches)

    @torch.no_grad()
    def keep(self, nodes: Nodes) -> None:
        """Store `nodes` without their gradient and count one update."""
        self.vectors.copy_(nodes.vectors)
        self.patches.copy_(nodes.patches)
        self.updates += 1

    def forward(self, feature: Tensor, nodes: Nodes) -> Tensor:
        """Fusion f'_d = f̄_d + f̄'_d + f_d of a B×c×h×w feature, any h and w.

        `nodes` are the stored ones at inference, this step's updated ones (with gradient) in
        training. EnhancerError when the feature has another number of channels.
        """
        if feature.shape[1] != self.channels:
            raise EnhancerError(
                f"LFPV was made for {self.channels} channels, the feature has {feature.shape[1]}"
            )
        return feature + self.query_vectors(feature, nodes) + self.query_patches(feature, nodes)

    def query_vectors(self, feature: Tensor, nodes: Nodes) -> Tensor:
        """f̄_d: every position asks with its c channels. B×c×h×w to B×c×h×w."""
        return self.vector_attention(feature, nodes.vectors)

    def query_patches(self, feature: Tensor, nodes: Nodes) -> Tensor:
        """f̄'_d: every non-overlapping k×k patch asks with its c·k·k values. B×c×h×w, same out.

        Where k does not divide h or w the edge is repeated to the right and below, and the answer
        is cropped back.
        """
        height, width = feature.shape[-2:]
        edge = (0, -width % self.patch, 0, -height % self.patch)
        padded = F.pad(feature, edge, mode="replicate") if any(edge) else feature
        asked = F.pixel_unshuffle(padded, self.patch)
        answer = self.patch_attention(asked, nodes.patches.flatten(1))
        return F.pixel_shuffle(answer, self.patch)[..., :height, :width]
