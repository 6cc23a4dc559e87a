"""MobileNetV1: depthwise-separable blocks (Howard et al. 2017)."""

from __future__ import annotations

from ..build import GraphBuilder
from ..geometry import Padding
from ..ops import DepthwiseConv2DAttributes
from .blocks import NONE, RELU, RELU6, classify, conv, depthwise, keras_depthwise, picture, pointwise
from .reference import Plan

# (channels, stride) of the blocks (Howard et al. 2017, table 1).
BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip


def scaled_channels(published: int, width: float) -> int:
    """width x published, cut to an integer, at least 8."""
    return max(8, int(published * width))


def mobilenet_v1(b: GraphBuilder, plan: Plan) -> int:
    """As Keras exports it: RELU6, a PAD before every depthwise convolution of stride 2."""
    x = conv(b, picture(b, plan), scaled_channels(32, plan.width), stride=2, activation=RELU6)
    edge = -(-plan.resolution // 2)
    for published, stride in BLOCKS:
        x = keras_depthwise(b, x, stride=stride, activation=RELU6, edge=edge)
        edge = -(-edge // stride)
        x = pointwise(b, x, scaled_channels(published, plan.width), activation=RELU6)
    return classify(b, x, scaled_channels(1024, plan.width), plan.classes)


def vww01(b: GraphBuilder, plan: Plan) -> int:
    """As MLPerf Tiny has it: RELU, SAME padding everywhere."""
    x = conv(b, picture(b, plan), scaled_channels(32, plan.width), stride=2, activation=RELU)
    for published, stride in BLOCKS:
        x = depthwise(b, x, stride=stride, activation=RELU)
        x = pointwise(b, x, scaled_channels(published, plan.width), activation=RELU)
    return classify(b, x, scaled_channels(1024, plan.width), plan.classes)


# Output channels of the pointwise convolutions that have a weight other than zero in MLPerf Tiny's
# vww_96_int8.tflite, counted from the file.
_VWW_LIVE = (16, 32, 32, 64, 60, 107, 57, 30, 19, 19, 27, 32, 22)


def vww01_live(b: GraphBuilder, plan: Plan) -> int:
    """vww01 as a runtime leaves it that drops the channels whose published weights are all zero."""
    x = conv(b, picture(b, plan), 8, stride=2, activation=RELU)
    for channels, (_, stride) in zip(_VWW_LIVE, BLOCKS, strict=True):
        x = pointwise(b, depthwise(b, x, stride=stride, activation=RELU), channels, activation=RELU)
    return classify(b, x, _VWW_LIVE[-1], plan.classes)


def person_detect(b: GraphBuilder, plan: Plan) -> int:
    """As tflite-micro's example has it: the first block is depthwise on one channel, the last a 1x1."""
    first = DepthwiseConv2DAttributes(Padding.SAME, 2, 2, scaled_channels(32, plan.width), RELU6)
    x = b.depthwise(picture(b, plan), (3, 3), first)
    for published, stride in BLOCKS:
        x = depthwise(b, x, stride=stride, activation=RELU6)
        x = pointwise(b, x, scaled_channels(published, plan.width), activation=RELU6)
    scores = pointwise(b, b.pool("AVERAGE_POOL_2D", x), plan.classes, activation=NONE)
    return b.softmax(b.reshape(scores, (1, plan.classes)))
