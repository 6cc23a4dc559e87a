"""The MLPerf Tiny networks without a family of their own here: DS-CNN, dense autoencoder, wake word."""

from __future__ import annotations

from ..build import GraphBuilder
from ..geometry import Padding
from ..ops import Conv2DAttributes, DepthwiseConv2DAttributes
from .blocks import RELU, classify, depthwise, pointwise
from .reference import Plan


def kws01(b: GraphBuilder, plan: Plan) -> int:
    """DS-CNN: 10x4 convolution of stride 2, four depthwise-separable blocks of 64 channels."""
    x = b.conv(b.input((1, 49, 10, 1)), 64, (10, 4), Conv2DAttributes(Padding.SAME, 2, 2, RELU))
    for _ in range(4):
        x = pointwise(b, depthwise(b, x), 64)
    return classify(b, x, 64, plan.classes)


def ad01(b: GraphBuilder, _: Plan) -> int:
    """Autoencoder: 640 - 4 x 128 - 8 - 4 x 128 - 640, dense."""
    x = b.input((1, 640))
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = b.fully_connected(x, units, RELU)
    return b.fully_connected(x, 640)


# (taps, output channels) of the blocks: a depthwise convolution over time, then a pointwise one.
_SWW_BLOCKS = ((3, 128), (5, 128), (10, 128), (15, 32))


def sww01(b: GraphBuilder, plan: Plan) -> int:
    """Streaming wake word: 30 frames of 40 features, four depthwise-separable blocks over time."""
    x = b.input((1, 30, 1, 40))
    for taps, channels in _SWW_BLOCKS:
        x = pointwise(b, b.depthwise(x, (taps, 1), DepthwiseConv2DAttributes(Padding.VALID)), channels)
    return b.softmax(b.fully_connected(b.reshape(x, (1, 32)), plan.classes))
