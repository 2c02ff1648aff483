"""Sample and Mutual Updater: how the nodes learn (Xu et al., ICCV 2025). Training only."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from enhancers.errors import EnhancerError
from enhancers.lfpv.store import Nodes

WIDEST = 256


def convolution_stack(inputs: int, channels: int, kernel: int) -> nn.Sequential:
    """Seven convolutions, the first six with BatchNorm and ReLU; widths 4c five times, c, c.

    4c is capped at 256: the parameters grow as c², 109 M at c = 256 without the cap.
    """
    hidden = min(4 * channels, WIDEST)
    widths = [inputs, *[hidden] * 5, channels]
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [
            nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=False),
            # Nodes must be updated under batch statistics always, so none others are kept.
            nn.BatchNorm2d(after, track_running_stats=False),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers, nn.Conv2d(channels, channels, kernel, padding=kernel // 2))


class NodeUpdater(nn.Module):
    """C^{o+1} = LN(C^o + mean Δ + mean ∧) for nodes of one kind, l×c×k×k (vectors: k = 1).

    S (`sample`) gives Δ from 3c channels, M (`mutual`) gives ∧ from 4c. The LayerNorm over a
    node's c·k·k values keeps the sum bounded: the bare equation grows without limit.
    """

    def __init__(self, channels: int, size: int, kernel: int) -> None:
        super().__init__()
        self.sample = convolution_stack(3 * channels, channels, kernel)
        self.mutual = convolution_stack(4 * channels, channels, kernel)
        self.norm = nn.LayerNorm([channels, size, size])

    def forward(self, samples: Tensor, nodes: Tensor, embedding: Tensor) -> Tensor:
        """N×c×k×k samples, l×c×k×k nodes, l×c embedding: the updated nodes, l×c×k×k."""
        identity = embedding[..., None, None].expand_as(nodes)
        delta = self.sample_update(samples, nodes, identity)
        return self.norm(nodes + delta + self.mutual_update(nodes, identity))

    def sample_update(self, samples: Tensor, nodes: Tensor, identity: Tensor) -> Tensor:
        """Δ_j = mean over the samples of S(f ⊕ C_j ⊕ e_j), l×c×k×k."""
        count, kinds = len(samples), len(nodes)
        pairs = (count, kinds, *nodes.shape[1:])
        rows = [samples[:, None].expand(pairs), nodes.expand(pairs), identity.expand(pairs)]
        return self.sample(torch.cat(rows, 2).flatten(0, 1)).unflatten(0, (count, kinds)).mean(0)

    def mutual_update(self, nodes: Tensor, identity: Tensor) -> Tensor:
        """∧_j = mean over h ≠ j of M(C_j ⊕ C_h ⊕ e_j ⊕ e_h), l×c×k×k."""
        count = len(nodes)
        own = torch.arange(count, device=nodes.device)[:, None]
        other = (own + torch.arange(1, count, device=nodes.device)) % count
        own = own.expand_as(other)
        rows = torch.cat([nodes[own], nodes[other], identity[own], identity[other]], 2)
        return self.mutual(rows.flatten(0, 1)).unflatten(0, (count, count - 1)).mean(1)


class Updaters(nn.Module):
    """S_v, M_v (1×1), S_p, M_p (3×3) and the identity embedding e, l×c, shared by both kinds.

    `positions` feature positions are drawn a step from torch's global CPU generator and shared by
    the images of the batch. EnhancerError unless positions >= 1.
    """

    def __init__(self, channels: int, nodes: int, patch: int, positions: int = 1) -> None:
        super().__init__()
        if positions < 1:
            raise EnhancerError(f"LFPV needs positions >= 1, not {positions}")
        self.patch, self.positions = patch, positions
        self.embedding = nn.Parameter(torch.randn(nodes, channels))
        self.vectors = NodeUpdater(channels, 1, 1)
        self.patches = NodeUpdater(channels, patch, 3)

    def forward(self, feature: Tensor, nodes: Nodes) -> Nodes:
        """Nodes after one step on f_d, B×c×h×w, with the gradient to S, M, e and the feature."""
        rows, columns = draw_positions(feature, self.positions)
        vectors = sample(feature, rows, columns, 1)
        patches = sample(feature, rows, columns, self.patch)
        as_maps = nodes.vectors[..., None, None]
        return Nodes(
            self.vectors(vectors, as_maps, self.embedding).flatten(1),
            self.patches(patches, nodes.patches, self.embedding),
        )


def draw_positions(feature: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """`count` rows and columns of a B×c×h×w feature, int64, uniform."""
    height, width = feature.shape[-2:]
    return torch.randint(height, (count,)), torch.randint(width, (count,))


def sample(feature: Tensor, rows: Tensor, columns: Tensor, size: int) -> Tensor:
    """The patch of the query's size×size grid around each of P positions, (B·P)×c×size×size.

    Beyond the right and lower edge the edge repeats, as in the query.
    """
    height, width = feature.shape[-2:]
    within = torch.arange(size)
    rows = (rows[:, None] // size * size + within).clamp(max=height - 1)
    columns = (columns[:, None] // size * size + within).clamp(max=width - 1)
    taken = feature[:, :, rows[:, :, None], columns[:, None, :]]
    return taken.transpose(1, 2).flatten(0, 1)
