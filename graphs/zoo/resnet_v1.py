"""ResNet v1 for small pictures: three stacks of 16, 32 and 64 channels (He et al. 2015, section 4.2)."""

from __future__ import annotations

from ..build import GraphBuilder
from .blocks import NONE, RELU, classify, conv, picture, pointwise
from .reference import Plan, times


def _stacks(b: GraphBuilder, plan: Plan, blocks: int) -> int:
    """The later stacks halve the picture; there the first shortcut is a 1x1 convolution."""
    x = conv(b, picture(b, plan), times(plan.width, 16))
    for published in (16, 32, 64):
        channels = times(plan.width, published)
        for block in range(blocks):
            changes = block == 0 and published != 16
            stride = 2 if changes else 1
            main = conv(b, conv(b, x, channels, stride=stride), channels, activation=NONE)
            shortcut = pointwise(b, x, channels, stride=2, activation=NONE) if changes else x
            x = b.add(shortcut, main, RELU)
    return classify(b, x, times(plan.width, 64), plan.classes)


def resnet_v1_8(b: GraphBuilder, plan: Plan) -> int:
    """One block per stack: MLPerf Tiny's image classifier."""
    return _stacks(b, plan, 1)


def resnet_v1_32(b: GraphBuilder, plan: Plan) -> int:
    """Five blocks per stack."""
    return _stacks(b, plan, 5)
