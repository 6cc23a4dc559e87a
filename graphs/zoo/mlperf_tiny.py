"""The MLPerf Tiny networks without a family of their own here: DS-CNN and the dense autoencoder."""

from __future__ import annotations

from ..build import GraphBuilder
from ..geometry import Padding
from ..ops import Conv2DAttributes
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
