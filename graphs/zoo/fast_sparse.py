"""Which networks can XNNPACK run sparse: MobileNets that pad by one on each side and end in a mean.

Fast Sparse ConvNets (arXiv 1911.09723); what the sparse path asks of them: simulator/sparse_path.py.
"""

from __future__ import annotations

from ..build import GraphBuilder
from ..geometry import Padding
from ..ops import Activation, Conv2DAttributes, DepthwiseConv2DAttributes
from .blocks import NONE, RELU6, depthwise, picture, pointwise
from .mobilenet_v1 import BLOCKS as BLOCKS_V1
from .mobilenet_v1 import scaled_channels
from .mobilenet_v2 import BLOCKS as BLOCKS_V2
from .mobilenet_v2 import rounded_channels
from .reference import Plan

_ONE_EACH = ((0, 0), (1, 1), (1, 1), (0, 0))


def fast_mobilenet_v1(b: GraphBuilder, plan: Plan) -> int:
    """MobileNetV1 of any width, channels cut to whole numbers."""
    x = _first(b, plan, scaled_channels(32, plan.width), activation=RELU6)
    for published, stride in BLOCKS_V1:
        x = _depthwise(b, x, stride=stride)
        x = pointwise(b, x, scaled_channels(published, plan.width), activation=RELU6)
    return _classify(b, x, plan.classes)


def fast_mobilenet_v2(b: GraphBuilder, plan: Plan) -> int:
    """MobileNetV2 of any width."""
    depth = rounded_channels(32 * plan.width)
    x = _first(b, plan, depth, activation=RELU6)
    for expansion, published, repeats, first_stride in BLOCKS_V2:
        channels = rounded_channels(published * plan.width)
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            y = x if expansion == 1 else pointwise(b, x, depth * expansion, activation=RELU6)
            y = pointwise(b, _depthwise(b, y, stride=stride), channels, activation=NONE)
            x = b.add(x, y) if stride == 1 and depth == channels else y
            depth = channels
    last = rounded_channels(1280 * max(1.0, plan.width))
    return _classify(b, pointwise(b, x, last, activation=RELU6), plan.classes)


def _first(b: GraphBuilder, plan: Plan, channels: int, *, activation: Activation) -> int:
    padded = b.pad(picture(b, plan), _ONE_EACH)
    return b.conv(padded, channels, (3, 3), Conv2DAttributes(Padding.VALID, 2, 2, activation))


def _depthwise(b: GraphBuilder, x: int, *, stride: int) -> int:
    if stride == 1:
        return depthwise(b, x, activation=RELU6)
    attributes = DepthwiseConv2DAttributes(Padding.VALID, stride, stride, 1, RELU6)
    return b.depthwise(b.pad(x, _ONE_EACH), (3, 3), attributes)


def _classify(b: GraphBuilder, x: int, classes: int) -> int:
    return b.softmax(b.fully_connected(b.mean(x, (1, 2)), classes))
