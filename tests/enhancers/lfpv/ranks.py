"""Trains LFPV in float64 on a share of a batch; run as a script, one rank of several.

python ranks.py RANK RANKS RENDEZVOUS OUT
"""

import sys
from pathlib import Path

import torch
import torch.distributed as dist

from enhancers.lfpv import LFPVEnhancer
from enhancers.lfpv.sampling import Samples, gather
from enhancers.sci import SCI
from enhancers.uretinex import URetinex
from enhancers.zerodcepp import ZeroDCEpp

STEPS, BATCH, RATE = 3, 4, 0.1
# BatchNorm of a network sees the rank's own images, so it is frozen here.
CASES = {
    "zerodcepp": (lambda: ZeroDCEpp(1), {"positions": 2, "max_width": 32}),
    "uretinex": (URetinex, {"rule": "sequential", "max_width": 16}),
    "sci": (SCI, {"centre": "both"}),
}


def train(case: str, rank: int, ranks: int) -> dict[str, list]:
    """Nodes, losses and gradients of every step, and the parameters at the end."""
    build, options = CASES[case]
    torch.manual_seed(0)
    network = build()
    model = LFPVEnhancer(network.encode, network.decode, network.feature_channels, **options)
    model.double()
    model.network.eval()
    generator = torch.Generator().manual_seed(1)
    seen: dict[str, list] = {"nodes": [], "loss": [], "gradients": []}
    for step in range(STEPS):
        low, normal = torch.rand(2, BATCH, 3, 18, 17, generator=generator, dtype=torch.float64)
        indices = torch.arange(step * BATCH, (step + 1) * BATCH)
        own = slice(rank, None, ranks)
        low, normal = low[own], normal[own]
        paths = model.training_paths(low, indices[own])
        loss = sum((path(low).image - normal).square().mean() for path in paths)
        model.zero_grad()
        loss.backward()
        if ranks > 1:
            average([parameter.grad for parameter in model.parameters()], ranks)
        # Plain descent: an optimiser of torch takes seconds to import.
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= RATE * parameter.grad
        seen["nodes"].append([value.clone() for value in model.store.nodes])
        seen["loss"].append(loss.detach())
        seen["gradients"].append([parameter.grad.clone() for parameter in model.parameters()])
    seen["parameters"] = [parameter.detach() for parameter in model.parameters()]
    return seen


def gathered_order(rank: int) -> torch.Tensor:
    """The images of the gathered samples, of which rank 0 has 7 and 4 and rank 1 has 9 and 2."""
    own = torch.tensor([[7, 4], [9, 2]])[rank]
    rows = own.repeat_interleave(3)[:, None].double()
    return gather(Samples(rows, rows[..., None, None]), own).vectors[:, 0]


def average(gradients: list[torch.Tensor], ranks: int) -> None:
    """Replace each gradient by its mean over the ranks."""
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    means = (flat / ranks).split([gradient.numel() for gradient in gradients])
    for gradient, mean in zip(gradients, means, strict=True):
        gradient.copy_(mean.view_as(gradient))


def main() -> None:
    rank, ranks, rendezvous, out = sys.argv[1:]
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{rendezvous}", rank=int(rank), world_size=int(ranks)
    )
    seen = {case: train(case, int(rank), int(ranks)) for case in CASES}
    torch.save({"order": gathered_order(int(rank)), **seen}, Path(out))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
