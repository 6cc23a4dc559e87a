"""MnasNet-B1: inverted residuals of 3x3 and 5x5 without squeeze (Tan et al. 2019)."""

from __future__ import annotations

from ..build import GraphBuilder
from ..geometry import Padding
from ..ops import DepthwiseConv2DAttributes
from .blocks import NONE, RELU, classify, conv, depthwise, picture, pointwise
from .mobilenet_v2 import rounded_channels
from .reference import Plan

# (filter edge, expansion, channels, repeats, first stride); TF's hosted models are the B1 variant.
_BLOCKS = (
    (3, 3, 24, 3, 2), (5, 3, 40, 3, 2), (5, 6, 80, 3, 2),
    (3, 6, 96, 2, 1), (5, 6, 192, 4, 2), (3, 6, 320, 1, 1),
)  # fmt: skip
_HEAD = 1280


def mnasnet_b1(b: GraphBuilder, plan: Plan) -> int:
    """A separable convolution, the blocks (added where the shape stays), a head that no width scales."""
    x = conv(b, picture(b, plan), rounded_channels(32 * plan.width), stride=2)
    depth = rounded_channels(16 * plan.width)
    x = pointwise(b, depthwise(b, x), depth, activation=NONE)
    for edge, expansion, published, repeats, first_stride in _BLOCKS:
        channels = rounded_channels(published * plan.width)
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            attributes = DepthwiseConv2DAttributes(Padding.SAME, stride, stride, 1, RELU)
            y = b.depthwise(pointwise(b, x, depth * expansion), (edge, edge), attributes)
            y = pointwise(b, y, channels, activation=NONE)
            x = b.add(x, y) if stride == 1 and depth == channels else y
            depth = channels
    return classify(b, pointwise(b, x, _HEAD), _HEAD, plan.classes)
