"""Sample and Mutual Updater: how the nodes learn (Xu et al., ICCV 2025). Training only."""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from enhancers.lfpv.convolution import convolve
from enhancers.lfpv.options import Options
from enhancers.lfpv.sampling import Samples, draw_partners
from enhancers.lfpv.store import Nodes


class Stack(nn.Module):
    """Seven convolutions, the first six with BatchNorm and ReLU; widths 4c five times, c, c.

    4c is at most `max_width`: the parameters grow as c², 109 M at c = 256 without a bound. The
    input is `parts` maps of c channels, joined (⊕). Convolution is linear, so the first one is
    computed for each part alone and summed where parts meet (`first`), and the last one of the
    mean of its rows (`last`): neither runs on every row. Maps are k²×n×c, weights taps×in×out.
    """

    def __init__(self, parts: int, channels: int, taps: int, max_width: int) -> None:
        super().__init__()
        self.parts = parts
        hidden = [min(4 * channels, max_width)] * 5
        widths = list(pairwise([parts * channels, *hidden, channels, channels]))
        self.weights = nn.ParameterList(_uniform((taps, *pair), taps * pair[0]) for pair in widths)
        self.bias = _uniform((channels,), taps * channels)
        # Nodes must be updated under batch statistics always, so none others are kept.
        self.norms = nn.ModuleList(
            nn.BatchNorm1d(width, track_running_stats=False) for _, width in widths[:-1]
        )

    def first(self, joined: Tensor, parts: slice) -> Tensor:
        """What some of the `parts`, k²×n×(c·|parts|), add to the first convolution, k²×n×4c."""
        weight = self.weights[0].unflatten(1, (self.parts, -1))[:, parts].flatten(1, 2)
        return convolve(joined, weight)

    def middle(self, rows: Tensor) -> Tensor:
        """Rows of the first convolution, k²×n×4c, through to the sixth ReLU, k²×n×c."""
        rows = _activate(self.norms[0], rows)
        for weight, norm in zip(self.weights[1:-1], self.norms[1:], strict=True):
            rows = _activate(norm, convolve(rows, weight))
        return rows

    def last(self, mean: Tensor) -> Tensor:
        """The seventh convolution, of the mean over rows of what `middle` gave."""
        return convolve(mean, self.weights[-1]) + self.bias


class NodeUpdater(nn.Module):
    """S (`sample`) and M (`mutual`) for nodes of one branch, l×c×k×k (vectors: k = 1).

    One step of the `rule`, o to o + 1, where ⊕ joins channels and e_j is node j's embedding:

    additive      C^{o+1} = LN(C^o + mean Δ + mean ∧)
    additive_raw  C^{o+1} = C^o + Δ + ∧ with sums for the means, the paper's equation
    sequential    C' = LN(mean Δ), C^{o+1} = LN(∧ of C' with one random partner), the authors' code

    ∧ is over all other nodes, or as many `partners` of each as there are to be, drawn every step.
    LN is over a node's c·k·k values: it keeps nodes bounded, as the bare sum does not. Where nodes
    are centred, their mean over j is taken away first.
    """

    def __init__(self, channels: int, size: int, taps: int, options: Options) -> None:
        super().__init__()
        self.rule, self.partners = options.rule, options.partners
        samples, mutual = options.learn != "without_su", options.learn != "without_mu"
        stack = (channels, taps, options.max_width)
        self.sample = Stack(3, *stack) if samples else None
        self.mutual = Stack(4, *stack) if mutual else None
        shape = [channels, size, size]
        self.centred = options.centres_nodes
        self.norm = nn.Identity() if self.rule == "additive_raw" else nn.LayerNorm(shape)
        twice = self.rule == "sequential" and samples and mutual
        self.sample_norm = nn.LayerNorm(shape) if twice else None

    def forward(self, samples: Tensor, nodes: Tensor, embedding: Tensor, step: Tensor) -> Tensor:
        """N×c×k×k samples, l×c×k×k nodes, l×c embedding: the updated nodes, l×c×k×k.

        `step` is o (int64).
        """
        if self.rule == "sequential":
            if self.sample:
                nodes = self.sample_update(samples, nodes, embedding)
            if self.sample_norm:
                nodes = self._settle(nodes, self.sample_norm)
            if self.mutual:
                partners = draw_partners(len(nodes), 1, step)
                nodes = self.mutual_update(nodes, embedding, partners)
            return self._settle(nodes, self.norm)
        raw, updated = self.rule == "additive_raw", nodes
        if self.sample:
            delta = self.sample_update(samples, nodes, embedding)
            updated = updated + (delta * len(samples) if raw else delta)
        if self.mutual:
            others = self._others(len(nodes), step)
            wedge = self.mutual_update(nodes, embedding, others)
            updated = updated + (wedge * (len(nodes) - 1) if raw else wedge)
        return self._settle(updated, self.norm)

    def sample_update(self, samples: Tensor, nodes: Tensor, embedding: Tensor) -> Tensor:
        """Δ_j = mean over the samples of S(f ⊕ C_j ⊕ e_j), l×c×k×k."""
        taken = self.sample.first(_flat(samples), slice(0, 1))
        own = self.sample.first(_joined(nodes, embedding), slice(1, 3))
        rows = taken[:, :, None] + own[:, None]
        out = self.sample.middle(rows.flatten(1, 2)).unflatten(1, rows.shape[1:3])
        return _as_maps(self.sample.last(out.mean(1)), nodes)

    def mutual_update(self, nodes: Tensor, embedding: Tensor, others: Tensor) -> Tensor:
        """∧_j = mean over h ≠ j of M(C_j ⊕ C_h ⊕ e_j ⊕ e_h), l×c×k×k; `others`, l×n, are the h."""
        joined = _joined(nodes, embedding)
        own, other = (self.mutual.first(joined, slice(role, None, 2)) for role in (0, 1))
        met = other.index_select(1, others.flatten()).unflatten(1, others.shape)
        out = self.mutual.middle((own[:, :, None] + met).flatten(1, 2))
        return _as_maps(self.mutual.last(out.unflatten(1, others.shape).mean(2)), nodes)

    def _others(self, count: int, step: Tensor) -> Tensor:
        if self.partners:
            return draw_partners(count, self.partners, step)
        return all_others(count, step.device)

    def _settle(self, nodes: Tensor, norm: nn.Module) -> Tensor:
        return norm(nodes - nodes.mean(0) if self.centred else nodes)


class Updaters(nn.Module):
    """S_v, M_v (1×1), S_p, M_p (3×3) and the identity embedding e, l×c, shared by both branches."""

    def __init__(self, channels: int, options: Options) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.randn(options.nodes, channels))
        self.vectors = NodeUpdater(channels, 1, 1, options) if options.has_vectors else None
        size = options.patch
        self.patches = NodeUpdater(channels, size, 9, options) if options.has_patches else None

    def forward(self, samples: Samples, nodes: Nodes, step: Tensor) -> Nodes:
        """The nodes after step o, with the gradient to S, M, e and the samples."""
        vectors = patches = None
        if self.vectors is not None:
            asked, own = samples.vectors[..., None, None], nodes.vectors[..., None, None]
            vectors = self.vectors(asked, own, self.embedding, step).flatten(1)
        if self.patches is not None:
            patches = self.patches(samples.patches, nodes.patches, self.embedding, step)
        return Nodes(vectors, patches)


def all_others(count: int, device: torch.device) -> Tensor:
    """For each of l nodes j the l − 1 nodes h ≠ j, l×(l − 1) int64."""
    own = torch.arange(count, device=device)[:, None]
    return (own + torch.arange(1, count, device=device)) % count


def _uniform(shape: tuple[int, ...], fan_in: int) -> nn.Parameter:
    """As torch starts a convolution: U(−1/√fan_in, 1/√fan_in)."""
    bound = 1 / math.sqrt(fan_in)
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound))


def _activate(norm: nn.Module, rows: Tensor) -> Tensor:
    """ReLU(BN(rows)), statistics over rows and places."""
    return F.relu(norm(rows.flatten(0, 1))).view_as(rows)


def _flat(maps: Tensor) -> Tensor:
    """n×c×k×k to k²×n×c."""
    return maps.flatten(2).permute(2, 0, 1)


def _as_maps(flat: Tensor, like: Tensor) -> Tensor:
    """k²×n×c back to n×c×k×k, the shape of `like`."""
    return flat.permute(1, 2, 0).reshape(like.shape)


def _joined(nodes: Tensor, embedding: Tensor) -> Tensor:
    """C ⊕ e, k²×l×2c."""
    flat = _flat(nodes)
    return torch.cat([flat, embedding.expand_as(flat)], 2)
