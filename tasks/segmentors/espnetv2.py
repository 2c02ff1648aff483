"""ESPNetv2 for segmentation (Mehta et al., CVPR 2019); attributes are the published keys."""

import math
from collections import OrderedDict
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

BRANCHES = 4


class ESPNetv2Encoder(nn.Module):
    """B×3×H×W, normalised → features at strides 2, 4, 8 and 16.

    Every stage but the first begins with a strided unit that also sees the image, pooled to its
    size. Dilations follow the paper's limit on a unit's receptive field, which falls with depth.

    Args:
        channels: of the four features; (32, 128, 256, 512) is s = 2.0, (16, 32, 64, 128) is 0.5.

    Parameters with the decoder, 19 classes: 0.789 M for s = 2.0, 0.080 M for 0.5.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        one, two, three, four = channels
        wide, narrow = (1, 2, 3, 4), (1, 1, 2, 3)
        self.level1 = _unit(3, one, 3, stride=2)
        self.level2_0 = StridedUnit(one, two, wide)
        self.level3_0 = StridedUnit(two, three, wide)
        self.level3 = nn.Sequential(*(EESP(three, three, wide) for _ in range(3)))
        self.level4_0 = StridedUnit(three, four, wide)
        self.level4 = nn.Sequential(*(EESP(four, four, narrow) for _ in range(7)))

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        one = self.level1(image)
        two = self.level2_0(one, image)
        three = self.level3(self.level3_0(two, image))
        four = self.level4(self.level4_0(three, image))
        return one, two, three, four


class ESPNetv2Decoder(nn.Module):
    """The encoder's features → B×K×H/2×W/2 logits.

    From the deepest level: pyramid pooling, ×2 bilinear with aligned corners, plus the next
    level's feature under channel attention.

    Args:
        in_channels: channels of the four features.
        num_classes: K.
    """

    def __init__(self, in_channels: Sequence[int], num_classes: int) -> None:
        super().__init__()
        one, two, three, four = in_channels
        self.bu_dec_l1 = PyramidPooling(four, 64)
        self.merge_enc_dec_l2 = AttendedProjection(three, 64)
        self.bu_br_l2 = _norm_act(64)
        self.bu_dec_l2 = PyramidPooling(64, 48)
        self.merge_enc_dec_l3 = AttendedProjection(two, 48)
        self.bu_br_l3 = _norm_act(48)
        self.bu_dec_l3 = PyramidPooling(48, 32)
        self.merge_enc_dec_l4 = AttendedProjection(one, 32)
        self.bu_br_l4 = _norm_act(32)
        self.bu_dec_l4 = PyramidPooling(32, num_classes, last=True)

    def forward(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        one, two, three, four = features
        x = self.bu_dec_l1(four)
        x = self.bu_dec_l2(self.bu_br_l2(_joined(self.merge_enc_dec_l2(three), x)))
        x = self.bu_dec_l3(self.bu_br_l3(_joined(self.merge_enc_dec_l3(two), x)))
        return self.bu_dec_l4(self.bu_br_l4(_joined(self.merge_enc_dec_l4(one), x)))


class EESP(nn.Module):
    """Extremely efficient spatial pyramid: grouped 1×1, four dilated depth-wise 3×3, grouped 1×1.

    Each branch adds the sum of those before it (hierarchical feature fusion). With stride 1 the
    input is added and a PReLU follows; the strided form ends before both.
    """

    def __init__(
        self, in_channels: int, out_channels: int, dilations: Sequence[int], stride: int = 1
    ) -> None:
        super().__init__()
        width = out_channels // BRANCHES
        self.proj_1x1 = _unit(in_channels, width, 1, groups=BRANCHES)
        self.spp_dw = nn.ModuleList(
            nn.Sequential(
                OrderedDict(conv=_conv(width, width, 3, stride, groups=width, dilation=dilation))
            )
            for dilation in dilations
        )
        norm, act = _norm_act(out_channels)
        self.br_after_cat = nn.Sequential(OrderedDict(bn=norm, act=act))
        self.conv_1x1_exp = _unit(out_channels, out_channels, 1, groups=BRANCHES, act=False)
        self.module_act = nn.PReLU(out_channels) if stride == 1 else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        reduced = self.proj_1x1(x)
        branches = [self.spp_dw[0](reduced)]
        for branch in self.spp_dw[1:]:
            branches.append(branch(reduced) + branches[-1])
        expanded = self.conv_1x1_exp(self.br_after_cat(torch.cat(branches, 1)))
        return expanded if self.module_act is None else self.module_act(expanded + x)


class StridedUnit(nn.Module):
    """Half the size: [average pooling, strided EESP] concatenated, plus the pooled image's part."""

    def __init__(self, in_channels: int, out_channels: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.eesp = EESP(in_channels, out_channels - in_channels, dilations, stride=2)
        self.inp_reinf = nn.Sequential(_unit(3, 3, 3), _unit(3, out_channels, 1, act=False))
        self.act = nn.PReLU(out_channels)

    def forward(self, x: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        pooled = _halved(x)
        while image.shape[-2] > pooled.shape[-2]:
            image = _halved(image)
        return self.act(torch.cat([pooled, self.eesp(x)], 1) + self.inp_reinf(image))


class PyramidPooling(nn.Module):
    """Efficient pyramid pooling: depth-wise 3×3 at five scales of the feature, then merged.

    Scales above 1 are up-sampled before the convolution and average-pooled after it, those below
    the other way round; a side is never pooled below 5.

    Args:
        last: ends in logits with bias, without norm and activation.
    """

    scales = (2.0, 1.5, 1.0, 0.5, 0.1)

    def __init__(
        self, in_channels: int, out_channels: int, width: int = 10, last: bool = False
    ) -> None:
        super().__init__()
        count = len(self.scales)
        self.projection_layer = nn.Sequential(OrderedDict(cbr=_flat_unit(in_channels, width, 1)))
        self.stages = nn.ModuleList(_conv(width, width, 3, groups=width) for _ in self.scales)
        self.merge_layer = nn.Sequential(
            nn.Sequential(OrderedDict(br=_norm_act(count * width))),
            nn.ChannelShuffle(count),
            nn.Sequential(OrderedDict(cbr=_flat_unit(count * width, width, 3, groups=width))),
            nn.Conv2d(width, out_channels, 1, bias=last),
        )
        self.br = None if last else nn.Sequential(OrderedDict(br=_norm_act(out_channels)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.projection_layer(x)
        pyramid = [
            self._at(scale, stage, x) for scale, stage in zip(self.scales, self.stages, strict=True)
        ]
        merged = self.merge_layer(torch.cat(pyramid, 1))
        return merged if self.br is None else self.br(merged)

    @staticmethod
    def _at(scale: float, stage: nn.Module, x: torch.Tensor) -> torch.Tensor:
        own = x.shape[-2:]
        size = [max(math.ceil(side * scale), 5) for side in own]
        if scale > 1:
            return F.adaptive_avg_pool2d(stage(_upsample(x, size)), own)
        if scale < 1:
            return _upsample(stage(F.adaptive_avg_pool2d(x, size)), own)
        return stage(x)


class AttendedProjection(nn.Module):
    """Grouped 3×3 projection of an encoder's feature, weighted per channel by its global mean."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        groups = math.gcd(in_channels, out_channels)
        self.wt_layer = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), _conv(in_channels, out_channels, 1), nn.Sigmoid()
        )
        self.expansion_layer = nn.Sequential(
            OrderedDict(cbr=_flat_unit(in_channels, out_channels, 3, groups=groups))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.expansion_layer(x) * self.wt_layer(x)


def _joined(feature: torch.Tensor, deeper: torch.Tensor) -> torch.Tensor:
    return feature + _upsample(deeper, feature.shape[-2:])


def _upsample(x: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    return F.interpolate(x, tuple(size), mode="bilinear", align_corners=True)


def _halved(x: torch.Tensor) -> torch.Tensor:
    return F.avg_pool2d(x, 3, stride=2, padding=1)


def _norm_act(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(channels), nn.PReLU(channels))


def _conv(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, dilation: int = 1
) -> nn.Conv2d:
    padding = dilation * (kernel // 2)
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias=False)


def _flat_unit(inputs: int, outputs: int, kernel: int, groups: int = 1) -> nn.Sequential:
    """Convolution, norm and PReLU, by number."""
    return nn.Sequential(_conv(inputs, outputs, kernel, groups=groups), *_norm_act(outputs))


def _unit(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, act: bool = True
) -> nn.Sequential:
    """Convolution, norm and, if `act`, PReLU, by name."""
    norm, prelu = _norm_act(outputs)
    parts = OrderedDict(conv=_conv(inputs, outputs, kernel, stride, groups), bn=norm)
    return nn.Sequential(parts | {"act": prelu} if act else parts)
