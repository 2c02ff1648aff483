"""What the nodes hold and how they are used: to tell a memory from a constant bias."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from enhancers.base import in_eval_mode
from enhancers.lfpv.attention import Memory
from enhancers.lfpv.enhancer import LFPVEnhancer
from enhancers.lfpv.store import Nodes


@dataclass(frozen=True, eq=False)
class BranchDiagnosis:
    """One branch on one batch; l nodes, queries at h×w places.

    Attributes:
        norm_mean, norm_max: of ‖C_j‖ over the nodes.
        usage: l, the share of queries whose largest weight is the node's.
        attention: l, the mean weight of each node.
        entropy: of the weights, mean over the queries, over log l: 0 one node each, 1 all alike.
        constant: ‖mean answer‖² / mean ‖answer‖² over the queries: at 1 the store is a bias.
        similarity: mean cosine between two nodes: at 1 all nodes are one.
        winners: B×h×w int64, the node with the largest weight.
    """

    norm_mean: float
    norm_max: float
    usage: Tensor
    attention: Tensor
    entropy: float
    constant: float
    similarity: float
    winners: Tensor

    @property
    def used(self) -> int:
        """How many nodes win at least a hundredth of the queries."""
        return int((self.usage >= 0.01).sum())


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Both branches; None where there is none."""

    vectors: BranchDiagnosis | None
    patches: BranchDiagnosis | None

    def scalars(self) -> dict[str, float]:
        """`vectors.norm_mean`, `patches.entropy`, … for a log."""
        names = ("norm_mean", "norm_max", "entropy", "constant", "similarity", "used")
        branches = {"vectors": self.vectors, "patches": self.patches}
        return {
            f"{branch}.{name}": float(getattr(found, name))
            for branch, found in branches.items()
            if found is not None
            for name in names
        }


@torch.no_grad()
def diagnose(model: LFPVEnhancer, image: Tensor) -> Diagnosis:
    """How `model` queries its stored nodes on B×3×H×W images, in [0, 1]; changes nothing.

    Of a network that unfolds, round 0. EnhancerError while the nodes are untrained.
    """
    with in_eval_mode(model):
        memories = model.store.recall_stored()
        weights = model.store.attend(model.encode(image)[0], memories)
    parts = zip(model.store.nodes, weights, memories, strict=True)
    return Diagnosis(*(_of_branch(*part) if part[0] is not None else None for part in parts))


def node_norms(nodes: Nodes) -> dict[str, float]:
    """`vectors.norm_mean`, `vectors.norm_max` and those of the patches, without any image."""
    norms = {
        name: value.detach().flatten(1).norm(dim=1)
        for name, value in nodes._asdict().items()
        if value is not None
    }
    return {
        f"{branch}.norm_{name}": float(of)
        for branch, found in norms.items()
        for name, of in (("mean", found.mean()), ("max", found.max()))
    }


def _of_branch(nodes: Tensor, weights: Tensor, memory: Memory) -> BranchDiagnosis:
    """Of l×… nodes and their weights, B×l×h×w."""
    norms = nodes.flatten(1).norm(dim=1)
    rows = weights.transpose(0, 1).flatten(1)
    winners = weights.argmax(1)
    count = len(nodes)
    entropy = -torch.special.xlogy(rows, rows).sum(0).mean() / torch.tensor(count).log()
    return BranchDiagnosis(
        norms.mean().item(),
        norms.max().item(),
        winners.flatten().bincount(minlength=count) / winners.numel(),
        rows.mean(1),
        entropy.item(),
        _constant(rows, memory),
        _similarity(nodes.flatten(1)),
        winners,
    )


def _similarity(nodes: Tensor) -> float:
    """Mean of C_j·C_h/(‖C_j‖‖C_h‖) over h ≠ j, of l×d nodes."""
    unit, count = F.normalize(nodes), len(nodes)
    return ((unit.sum(0).square().sum() - unit.square().sum()) / (count * (count - 1))).item()


def _constant(rows: Tensor, memory: Memory) -> float:
    """‖V·mean w‖² / mean ‖V·w‖² of the weights w, l×n: by VᵀV, without the answers themselves."""
    gram = memory.values.T @ memory.values
    mean = rows.mean(1)
    energy = (rows * (gram @ rows)).sum(0).mean()
    return ((mean @ gram @ mean) / energy.clamp_min(1e-30)).item()
