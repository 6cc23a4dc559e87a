"""Which pieces do the networks share: a picture, convolutions with SAME padding, the classifier."""

from __future__ import annotations

from ..build import GraphBuilder
from ..geometry import Padding
from ..ops import Activation, Conv2DAttributes, DepthwiseConv2DAttributes
from .reference import Plan

RELU, RELU6, NONE = Activation.RELU, Activation.RELU6, Activation.NONE


def picture(b: GraphBuilder, plan: Plan) -> int:
    """The input, NHWC."""
    return b.input((1, plan.resolution, plan.resolution, plan.picture_channels))


def conv(b: GraphBuilder, x: int, channels: int, *, stride: int = 1, activation: Activation = RELU) -> int:
    """3x3."""
    return b.conv(x, channels, (3, 3), Conv2DAttributes(Padding.SAME, stride, stride, activation))


def pointwise(
    b: GraphBuilder, x: int, channels: int, *, stride: int = 1, activation: Activation = RELU
) -> int:
    return b.conv(x, channels, (1, 1), Conv2DAttributes(Padding.SAME, stride, stride, activation))


def depthwise(b: GraphBuilder, x: int, *, stride: int = 1, activation: Activation = RELU) -> int:
    """3x3."""
    attributes = DepthwiseConv2DAttributes(Padding.SAME, stride, stride, 1, activation)
    return b.depthwise(x, (3, 3), attributes)


def keras_depthwise(b: GraphBuilder, x: int, *, stride: int, activation: Activation, edge: int) -> int:
    """3x3; at stride 2 as Keras exports it: ZeroPadding2D, then a VALID convolution.

    Args:
        edge: the input picture's edge. Rows before: 0 if it is even, else 1; after: 1.
    """
    if stride == 1:
        return depthwise(b, x, activation=activation)
    before = edge % 2
    padded = b.pad(x, ((0, 0), (before, 1), (before, 1), (0, 0)))
    attributes = DepthwiseConv2DAttributes(Padding.VALID, stride, stride, 1, activation)
    return b.depthwise(padded, (3, 3), attributes)


def classify(b: GraphBuilder, x: int, channels: int, classes: int) -> int:
    """Mean over the picture, dense, softmax."""
    pooled = b.reshape(b.pool("AVERAGE_POOL_2D", x), (1, channels))
    return b.softmax(b.fully_connected(pooled, classes))
