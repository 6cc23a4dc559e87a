"""MobileNetV2: inverted residuals (Sandler et al. 2018)."""

from __future__ import annotations

from ..build import GraphBuilder
from .blocks import NONE, RELU6, classify, conv, keras_depthwise, picture, pointwise
from .reference import Plan

# (expansion, channels, repeats, first stride) of the bottlenecks (Sandler et al. 2018, table 2).
BLOCKS = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip


def rounded_channels(channels: float) -> int:
    """The nearest multiple of 8, at least 8, and never below nine tenths of the wish.

    >>> rounded_channels(32 * 0.35), rounded_channels(24 * 0.75)
    (16, 24)
    """
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def mobilenet_v2(b: GraphBuilder, plan: Plan) -> int:
    """Expand 1x1, depthwise 3x3 (at stride 2 after a PAD), project 1x1; added where the shape stays."""
    depth = rounded_channels(32 * plan.width)
    x = conv(b, picture(b, plan), depth, stride=2, activation=RELU6)
    edge = -(-plan.resolution // 2)
    for expansion, published, repeats, first_stride in BLOCKS:
        channels = rounded_channels(published * plan.width)
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            y = x if expansion == 1 else pointwise(b, x, depth * expansion, activation=RELU6)
            y = keras_depthwise(b, y, stride=stride, activation=RELU6, edge=edge)
            edge = -(-edge // stride)
            y = pointwise(b, y, channels, activation=NONE)
            x = b.add(x, y) if stride == 1 and depth == channels else y
            depth = channels
    last = rounded_channels(1280 * max(1.0, plan.width))
    return classify(b, pointwise(b, x, last, activation=RELU6), last, plan.classes)
