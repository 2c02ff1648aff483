"""RefineNet's decoder (Lin et al., CVPR 2017), as released for Similarity Min-Max and CIConv."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn


class RefineNetDecoder(nn.Module):
    """Four features, shallow to deep → logits, refined from the deepest one upwards.

    One block a level (see `RefineBlock`); dropout .5 on the two deepest features and before the
    3×3 classifier.

    Args:
        in_channels: channels of the features at strides 4, 8, 16 and 32.
        num_classes: K.
        width: channels of a block; the deepest has twice as many. 256 as published; less is the
            light variant.
        full_size: the classifier sees the last feature up-sampled ×4 (bilinear, aligned corners),
            as in the release for the night benchmarks; DrSleep's and the paper's sees it at
            stride 4.

    Parameters without the backbone, 19 classes: 75.5 M for ResNet-101, width 256; 4.7 M for
    ResNet-18, width 64.
    """

    def __init__(
        self, in_channels: Sequence[int], num_classes: int, width: int = 256, full_size: bool = True
    ) -> None:
        super().__init__()
        deepest, *middle, shallowest = reversed(range(len(in_channels)))
        self.blocks = nn.ModuleList(
            RefineBlock(
                in_channels[level],
                2 * width if level == deepest else width,
                joins=level != deepest,
                out_channels=width if level != shallowest else None,
            )
            for level in (deepest, *middle, shallowest)
        )
        self.classify = nn.Conv2d(width, num_classes, 3, padding=1)
        self.dropout = nn.Dropout(0.5)
        self.full_size = full_size

    def forward(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        """B×c×H/s×W/s for s = 4, 8, 16, 32 → B×K×H/4×W/4 logits, or B×K×H×W when `full_size`."""
        deep_first = list(reversed(features))
        deep_first[:2] = [self.dropout(feature) for feature in deep_first[:2]]
        refined = None
        for block, feature in zip(self.blocks, deep_first, strict=True):
            refined = block(feature, refined)
        if self.full_size:
            height, width = refined.shape[-2:]
            refined = _upsample(refined, (4 * height, 4 * width))
        return self.classify(self.dropout(refined))


class RefineBlock(nn.Module):
    """Adapt a feature, join the deeper level's, pool, refine.

    reduce (3×3) → 2 RCUs → [join (3×3), + up-sampled deeper level] → ReLU → chained residual
    pooling → 3 RCUs → [out (3×3)]. All but the first convolution of an RCU are without bias.

    Args:
        joins: there is a deeper level.
        out_channels: of the last convolution; None leaves it out.
    """

    def __init__(self, in_channels: int, width: int, joins: bool, out_channels: int | None) -> None:
        super().__init__()
        self.reduce = _conv(in_channels, width)
        self.adapt = nn.Sequential(ResidualConvUnit(width), ResidualConvUnit(width))
        self.join = _conv(width, width) if joins else None
        self.pool = ChainedResidualPooling(width)
        self.refine = nn.Sequential(*(ResidualConvUnit(width) for _ in range(3)))
        self.out = _conv(width, out_channels) if out_channels else None

    def forward(self, feature: torch.Tensor, deeper: torch.Tensor | None) -> torch.Tensor:
        x = self.adapt(self.reduce(feature))
        if self.join is not None:
            x = self.join(x) + _upsample(deeper, x.shape[-2:])
        x = self.refine(self.pool(F.relu(x)))
        return x if self.out is None else self.out(x)


class ResidualConvUnit(nn.Module):
    """RCU: x + conv2(ReLU(conv1(ReLU(x)))), 3×3 convolutions, only the first with bias."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = _conv(width, width, bias=True)
        self.conv2 = _conv(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


class ChainedResidualPooling(nn.Module):
    """x + Σ p_i with p_0 = x and p_i = conv_i(max-pool 5×5, stride 1, of p_{i-1}), i = 1…4."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(_conv(width, width) for _ in range(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled = x
        for conv in self.convs:
            pooled = conv(F.max_pool2d(pooled, 5, stride=1, padding=2))
            x = x + pooled
        return x


def _conv(in_channels: int, out_channels: int, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=bias)


def _upsample(x: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    return F.interpolate(x, tuple(size), mode="bilinear", align_corners=True)
