"""Where LEDNet's trainings of docs/results.md begin: random weights that pass colour on.

    python bench/lednet_start.py OUT.safetensors

Convolutions are drawn as He et al. (ICCV 2015) for PReLU's .25, without biases; the last of every
residual branch is a tenth of that (of a resampling, three tenths), so that a block begins near the
identity; a dynamic filter begins as its middle tap, the two output convolutions at half. With
torch's own initial weights, as the authors', images are still grey after 2,800 steps of 4×96².
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from enhancers.lednet import LEDNet
from enhancers.lednet_blocks import Curve, DecoderBlock, Down, EncoderBlock, Up

SEED = 0
SLOPE = 0.25  # PReLU's at its start
TAPS = 25


def main() -> None:
    """Write the weights."""
    parser = argparse.ArgumentParser(description="Write what LEDNet's trainings start from")
    parser.add_argument("out", type=Path, metavar="OUT.safetensors")
    torch.manual_seed(SEED)
    save_file(started(LEDNet()).state_dict(), parser.parse_args().out)


@torch.no_grad()
def started(net: LEDNet) -> LEDNet:
    """`net`, changed in place."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            _draw(module)
    for module in net.modules():
        if isinstance(module, EncoderBlock):
            _last(module.body1).weight.mul_(0.1)
        elif isinstance(module, DecoderBlock):
            _last(module.body1).weight.mul_(0.1)
            _last(module.body2).weight.mul_(0.1)
        elif isinstance(module, Down | Up):
            _last(module.top).weight.mul_(0.3)
        elif isinstance(module, Curve):
            _last(module.predict_a).weight.mul_(0.1)
    for branch in (net.conv_fac_k1, net.conv_fac_k2, net.conv_fac_k3):
        _last(branch).weight.mul_(0.1)
        _last(branch).bias.view(-1, TAPS)[:, TAPS // 2] = 1
    for convolution in (net.side_out, _last(net.D_block0)):
        convolution.weight.mul_(0.5)
    return net


def _draw(convolution: nn.Conv2d | nn.ConvTranspose2d) -> None:
    transposed = isinstance(convolution, nn.ConvTranspose2d)
    mode = "fan_out" if transposed else "fan_in"
    nn.init.kaiming_normal_(convolution.weight, a=SLOPE, mode=mode)
    if transposed:
        convolution.weight.mul_(2)  # at stride 2 only a quarter of the taps meets a pixel
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)


def _last(branch: nn.Module) -> nn.Conv2d:
    return [module for module in branch.modules() if isinstance(module, nn.Conv2d)][-1]


if __name__ == "__main__":
    main()
