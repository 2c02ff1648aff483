"""Sample and Mutual Updater: how the nodes learn (Xu et al., ICCV 2025). Training only."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from enhancers.lfpv.options import Options
from enhancers.lfpv.sampling import Samples, draw_partners
from enhancers.lfpv.store import Nodes, Store


class Stack(nn.Module):
    """Seven convolutions, the first six with BatchNorm and ReLU; widths 4c five times, c, c.

    4c is at most `max_width`: the parameters grow as c², 109 M at c = 256 without a bound. The
    input is `parts` maps of c channels, joined (⊕). Convolution is linear, so the first one is
    computed for each part alone and summed where parts meet (`first`), and the last one after the
    mean over rows (`last`): neither runs on every row.
    """

    def __init__(self, parts: int, channels: int, kernel: int, max_width: int) -> None:
        super().__init__()
        widths = [parts * channels, *[min(4 * channels, max_width)] * 5, channels]
        self.padding = kernel // 2
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, kernel, padding=self.padding, bias=False)
            for before, after in pairwise(widths)
        )
        # Nodes must be updated under batch statistics always, so none others are kept.
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(after, track_running_stats=False) for after in widths[1:]
        )
        self.final = nn.Conv2d(channels, channels, kernel, padding=self.padding)

    def first(self, joined: Tensor, parts: list[int]) -> Tensor:
        """What the n×(|parts|·c)×k×k maps of some `parts` add to the first convolution."""
        weight = self.convolutions[0].weight
        of_parts = weight.unflatten(1, (-1, self.final.out_channels))[:, parts].flatten(1, 2)
        return F.conv2d(joined, of_parts, padding=self.padding)

    def middle(self, rows: Tensor) -> Tensor:
        """Rows of the first convolution through to the sixth ReLU, n×c×k×k."""
        rows = F.relu(self.norms[0](rows))
        for convolution, norm in zip(self.convolutions[1:], self.norms[1:], strict=True):
            rows = F.relu(norm(convolution(rows)))
        return rows

    def last(self, mean: Tensor) -> Tensor:
        """The mean over rows of their seventh convolution, of the mean of the sixth ReLU."""
        return self.final(mean)


class NodeUpdater(nn.Module):
    """S (`sample`) and M (`mutual`) for nodes of one branch, l×c×k×k (vectors: k = 1).

    One step of the `rule`, o to o + 1, where ⊕ joins channels and e_j is node j's embedding:

    additive      C^{o+1} = LN(C^o + mean Δ + mean ∧)
    additive_raw  C^{o+1} = C^o + Δ + ∧ with sums for the means, the paper's equation
    sequential    C' = LN(mean Δ), C^{o+1} = LN(∧ of C' with one random partner), the authors' code

    LN is over a node's c·k·k values: it keeps nodes bounded, as the bare sum does not.
    """

    def __init__(self, channels: int, size: int, kernel: int, options: Options) -> None:
        super().__init__()
        self.rule = options.rule
        samples, mutual = options.learn != "without_su", options.learn != "without_mu"
        stack = (channels, kernel, options.max_width)
        self.sample = Stack(3, *stack) if samples else None
        self.mutual = Stack(4, *stack) if mutual else None
        shape = [channels, size, size]
        self.norm = nn.Identity() if self.rule == "additive_raw" else nn.LayerNorm(shape)
        twice = self.rule == "sequential" and samples and mutual
        self.sample_norm = nn.LayerNorm(shape) if twice else nn.Identity()

    def forward(
        self,
        samples: Tensor,
        nodes: Tensor,
        embedding: Tensor,
        step: Tensor,
        weights: Tensor | None = None,
    ) -> Tensor:
        """N×c×k×k samples, l×c×k×k nodes, l×c embedding: the updated nodes, l×c×k×k.

        `step` is o (int64); `weights`, N×l, weigh the samples of each node and sum to 1.
        """
        identity = embedding[..., None, None].expand_as(nodes)
        if self.rule == "sequential":
            if self.sample:
                nodes = self.sample_norm(self.sample_update(samples, nodes, identity, weights))
            if self.mutual:
                partners = draw_partners(len(nodes), step)[:, None]
                nodes = self.mutual_update(nodes, identity, partners)
            return self.norm(nodes)
        raw, count = self.rule == "additive_raw", len(nodes)
        updated = nodes
        if self.sample:
            delta = self.sample_update(samples, nodes, identity, weights)
            updated = updated + (delta * len(samples) if raw else delta)
        if self.mutual:
            wedge = self.mutual_update(nodes, identity, all_others(count, nodes.device))
            updated = updated + (wedge * (count - 1) if raw else wedge)
        return self.norm(updated)

    def sample_update(
        self, samples: Tensor, nodes: Tensor, identity: Tensor, weights: Tensor | None = None
    ) -> Tensor:
        """Δ_j = mean over the samples of S(f ⊕ C_j ⊕ e_j), l×c×k×k; `weights` are instead of 1/N."""
        ours = self.sample.first(torch.cat([nodes, identity], 1), [1, 2])
        rows = self.sample.first(samples, [0])[:, None] + ours
        out = self.sample.middle(rows.flatten(0, 1)).unflatten(0, rows.shape[:2])
        mean = out.mean(0) if weights is None else torch.einsum("nl,nl...->l...", weights, out)
        return self.sample.last(mean)

    def mutual_update(self, nodes: Tensor, identity: Tensor, others: Tensor) -> Tensor:
        """∧_j = mean over h ≠ j of M(C_j ⊕ C_h ⊕ e_j ⊕ e_h), l×c×k×k; `others`, l×n, are the h."""
        joined = torch.cat([nodes, identity], 1)
        own, other = self.mutual.first(joined, [0, 2]), self.mutual.first(joined, [1, 3])
        rows = own[:, None] + other[others]
        out = self.mutual.middle(rows.flatten(0, 1)).unflatten(0, rows.shape[:2])
        return self.mutual.last(out.mean(1))


class Updaters(nn.Module):
    """S_v, M_v (1×1), S_p, M_p (3×3) and the identity embedding e, l×c, shared by both branches."""

    def __init__(self, channels: int, options: Options) -> None:
        super().__init__()
        self.attended = options.samples == "attended"
        self.embedding = nn.Parameter(torch.randn(options.nodes, channels))
        self.vectors = NodeUpdater(channels, 1, 1, options) if options.has_vectors else None
        size = options.patch
        self.patches = NodeUpdater(channels, size, 3, options) if options.has_patches else None

    def forward(self, samples: Samples, store: Store) -> Nodes:
        """The nodes of `store` after its step o, with the gradient to S, M, e and the samples."""
        vectors = patches = None
        # Copies, for the store is overwritten before the gradient is computed.
        if self.vectors is not None:
            own, asked = store.vectors.clone(), samples.vectors.to(store.vectors.dtype)
            shares = store.vector_attention.shares(asked, own) if self.attended else None
            maps = (asked[..., None, None], own[..., None, None])
            vectors = self.vectors(*maps, self.embedding, store.updates, shares).flatten(1)
        if self.patches is not None:
            own, asked = store.patches.clone(), samples.patches.to(store.patches.dtype)
            flat = (asked.flatten(1), own.flatten(1))
            shares = store.patch_attention.shares(*flat) if self.attended else None
            patches = self.patches(asked, own, self.embedding, store.updates, shares)
        return Nodes(vectors, patches)


def all_others(count: int, device: torch.device) -> Tensor:
    """For each of l nodes j the l − 1 nodes h ≠ j, l×(l − 1) int64."""
    own = torch.arange(count, device=device)[:, None]
    return (own + torch.arange(1, count, device=device)) % count
