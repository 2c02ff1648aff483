"""Attention over the nodes of one branch: softmax(LN(q)·LN(C)ᵀ / τ)·C, for maps of queries."""

import math
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from enhancers.lfpv.options import Options


class Memory(NamedTuple):
    """Nodes ready to be asked: `keys` K l×d, `offsets` b l×1, `values` V d×l."""

    keys: Tensor
    offsets: Tensor
    values: Tensor


class Attention(nn.Module):
    """T̂ = softmax over the l nodes of LN(q)·LN(C_j)/τ, the answer T̂·C, for queries of d values.

    The LayerNorms (learnable, one for queries, one for keys) follow the authors' code; without
    `normalize` T = q·C_j/τ, at τ = 1 the bare equation. Values are never normalised.

    With LN(q) = γ(q − μ)/σ + β and k_j = LN(C_j), LN(q)·k_j = K_j·(q − μ)/σ + b_j, where K_j = γk_j
    and b_j = β·k_j; and K_j·(q − μ) = (K_j − mean K_j)·q, so that no q is ever normalised itself.
    """

    def __init__(self, size: int, options: Options) -> None:
        super().__init__()
        self.query_norm = nn.LayerNorm(size) if options.normalize else nn.Identity()
        self.key_norm = nn.LayerNorm(size) if options.normalize else nn.Identity()
        start = 0.0 if options.temperature == "one" else math.log(size) / 2
        learnt = options.temperature == "learnt"
        self.log_temperature = nn.Parameter(torch.tensor(start)) if learnt else start

    def recall(self, nodes: Tensor, gate: Tensor | None) -> Memory:
        """K/τ, b/τ and g·C of l×d nodes."""
        keys, offsets = self.key_norm(nodes), nodes.new_zeros(len(nodes), 1)
        if isinstance(self.query_norm, nn.LayerNorm):
            offsets = (keys @ self.query_norm.bias)[:, None]
            keys = keys * self.query_norm.weight
            keys = keys - keys.mean(1, keepdim=True)
        values = nodes if gate is None else gate * nodes
        log = self.log_temperature
        factor = (-log).exp() if isinstance(log, Tensor) else math.exp(-log)
        return Memory(keys * factor, offsets * factor, values.T)

    def weights(self, queries: Tensor, memory: Memory, moments: "Moments | None") -> Tensor:
        """T̂, B×l×h×w, of B×d×h×w queries.

        `moments` are over their d values, to the right and below beyond h×w too; None without
        `normalize`.
        """
        height, width = queries.shape[2:]
        logits = torch.bmm(memory.keys.expand(len(queries), -1, -1), queries.flatten(2))
        if moments is None:
            logits = logits + memory.offsets
        else:
            variance = moments.variance[..., :height, :width].flatten(2)
            inverse = (variance + self.query_norm.eps).rsqrt()
            logits = torch.addcmul(memory.offsets, logits, inverse)
        return logits.softmax(1).unflatten(2, (height, width))

    @staticmethod
    def answer(weights: Tensor, memory: Memory, onto: Tensor | None = None) -> Tensor:
        """T̂·C, B×d×h×w, of the weights B×l×h×w; added to `onto` (B×d×h×w) where that is given."""
        values = memory.values.expand(len(weights), -1, -1)
        flat, size = weights.flatten(2), weights.shape[2:]
        if onto is None:
            return torch.bmm(values, flat).unflatten(2, size)
        return torch.baddbmm(onto.flatten(2), values, flat).unflatten(2, size)


def as_patches(feature: Tensor, size: int) -> Tensor:
    """The k×k patches of B×c×h×w, k a divisor of h and w: B×(c·k·k)×h/k×w/k.

    The order is pixel_unshuffle's, which takes three times as long.
    """
    return _blocks(feature, size).permute(0, 1, 3, 5, 2, 4).flatten(1, 3)


def add_patches(feature: Tensor, patches: Tensor, size: int) -> Tensor:
    """B×c×h×w plus its patches' answers, B×(c·k·k)×h/k×w/k, each where it was cut."""
    answers = patches.unflatten(1, (-1, size, size)).permute(0, 1, 4, 2, 5, 3)
    return (_blocks(feature, size) + answers).reshape(feature.shape)


class Moments(NamedTuple):
    """Mean and variance, B×1×h×w each, of the c values at each place of B×c×h×w."""

    mean: Tensor
    variance: Tensor

    @classmethod
    def of(cls, values: Tensor) -> "Moments":
        """Over the channels of `values`."""
        return cls(*_Moments.apply(values))

    def of_patches(self, size: int) -> "Moments":
        """Over the c·k·k values of each k×k patch."""
        mean = F.avg_pool2d(self.mean, size)
        apart = self.mean - F.interpolate(mean, scale_factor=size)
        return Moments(mean, F.avg_pool2d(self.variance + apart.square(), size))


class _Moments(torch.autograd.Function):
    """Its way back takes one pass, autograd's own four."""

    @staticmethod
    def forward(ctx, values: Tensor) -> tuple[Tensor, Tensor]:
        mean = values.mean(1, keepdim=True)
        ctx.save_for_backward(values, mean)
        return mean, (values - mean).square_().mean(1, keepdim=True)

    @staticmethod
    @once_differentiable
    def backward(ctx, to_mean: Tensor, to_variance: Tensor) -> Tensor:
        values, mean = ctx.saved_tensors
        share = 1 / values.shape[1]
        return (values - mean).mul_(2 * share * to_variance).add_(share * to_mean)


def full_precision(tensor: Tensor) -> AbstractContextManager:
    """No autocast: logits and norms overflow or lose their digits in half precision."""
    device = tensor.device.type
    if not torch.amp.is_autocast_available(device):
        return nullcontext()
    return torch.autocast(device, enabled=False)


def _blocks(feature: Tensor, size: int) -> Tensor:
    return feature.unflatten(3, (-1, size)).unflatten(2, (-1, size))
