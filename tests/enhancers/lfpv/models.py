"""Models with LFPV for the tests."""

import torch

from enhancers.lfpv import LFPVEnhancer
from enhancers.lfpv.store import Nodes


def join(network, **options):
    channels = getattr(network, "feature_channels", 4)
    return LFPVEnhancer(network.encode, network.decode, channels, **options)


def random_nodes(model):
    return Nodes(*(torch.randn_like(nodes) for nodes in model.store.nodes))


def image(size=(24, 26)):
    return torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(3))


def trained(toy_class, **options):
    """A model after two updates of its nodes."""
    torch.manual_seed(0)
    made = join(toy_class(stride=2), **options)
    for index in range(2):
        made.training_paths(image(), torch.tensor([index, 1 - index]))
    return made


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}


def named(model, prefix):
    return {name for name, _ in model.named_parameters() if name.startswith(prefix)}
