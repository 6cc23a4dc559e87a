"""The MLPerf Tiny networks without a family of their own here: DS-CNN, dense autoencoder, wake word."""

from __future__ import annotations

from ..build import GraphBuilder
from ..geometry import Padding
from ..ops import Conv2DAttributes, DepthwiseConv2DAttributes
from .blocks import RELU, classify, depthwise, pointwise
from .reference import Plan, times


def kws01(b: GraphBuilder, plan: Plan) -> int:
    """DS-CNN: 10x4 convolution of stride 2, four depthwise-separable blocks of 64 channels."""
    channels = times(plan.width, 64)
    spectrum = b.input((1, plan.resolution, 10, 1))
    x = b.conv(spectrum, channels, (10, 4), Conv2DAttributes(Padding.SAME, 2, 2, RELU))
    for _ in range(4):
        x = pointwise(b, depthwise(b, x), channels)
    return classify(b, x, channels, plan.classes)


def ad01(b: GraphBuilder, plan: Plan) -> int:
    """Autoencoder: 640 - 4 x 128 - 8 - 4 x 128 - 640, dense."""
    x = b.input((1, plan.resolution))
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = b.fully_connected(x, times(plan.width, units), RELU)
    return b.fully_connected(x, plan.resolution)


# (taps, output channels) of the blocks: a depthwise convolution over time, then a pointwise one.
_SWW_BLOCKS = ((3, 128), (5, 128), (10, 128), (15, 32))


def sww01(b: GraphBuilder, plan: Plan) -> int:
    """Streaming wake word: 30 frames of 40 features, four depthwise-separable blocks over time."""
    x = b.input((1, 30, 1, 40))
    for taps, channels in _SWW_BLOCKS:
        taken = b.depthwise(x, (taps, 1), DepthwiseConv2DAttributes(Padding.VALID))
        x = pointwise(b, taken, times(plan.width, channels))
    last = times(plan.width, _SWW_BLOCKS[-1][1])
    return b.softmax(b.fully_connected(b.reshape(x, (1, last)), plan.classes))
