"""MobileNetV3: inverted residuals with squeeze-and-excite and hard-swish (Howard et al. 2019)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..build import GraphBuilder
from ..geometry import Padding
from ..ops import Activation, DepthwiseConv2DAttributes
from .blocks import NONE, RELU, RELU6, conv, picture, pointwise
from .mobilenet_v2 import rounded_channels
from .reference import Plan


class Block(NamedTuple):
    """One bottleneck: filter edge, expansion as a factor of its input, channels, and what it has."""

    edge: int
    expansion: float
    channels: int
    has_squeeze: bool
    has_hard_swish: bool
    stride: int


class Network(NamedTuple):
    """The bottlenecks, then the channels of the last two convolutions (the last one is not scaled)."""

    blocks: tuple[Block, ...]
    last: int
    head: int


# (Howard et al. 2019, table 1); expansions are the table's sizes over the input's channels.
_LARGE = Network(
    (
        Block(3, 1, 16, False, False, 1), Block(3, 64 / 16, 24, False, False, 2),
        Block(3, 72 / 24, 24, False, False, 1), Block(5, 72 / 24, 40, True, False, 2),
        Block(5, 120 / 40, 40, True, False, 1), Block(5, 120 / 40, 40, True, False, 1),
        Block(3, 240 / 40, 80, False, True, 2), Block(3, 200 / 80, 80, False, True, 1),
        Block(3, 184 / 80, 80, False, True, 1), Block(3, 184 / 80, 80, False, True, 1),
        Block(3, 480 / 80, 112, True, True, 1), Block(3, 672 / 112, 112, True, True, 1),
        Block(5, 672 / 112, 160, True, True, 2), Block(5, 960 / 160, 160, True, True, 1),
        Block(5, 960 / 160, 160, True, True, 1),
    ), 960, 1280,
)  # fmt: skip
# (Howard et al. 2019, table 2)
_SMALL = Network(
    (
        Block(3, 1, 16, True, False, 2), Block(3, 72 / 16, 24, False, False, 2),
        Block(3, 88 / 24, 24, False, False, 1), Block(5, 96 / 24, 40, True, True, 2),
        Block(5, 240 / 40, 40, True, True, 1), Block(5, 240 / 40, 40, True, True, 1),
        Block(5, 120 / 40, 48, True, True, 1), Block(5, 144 / 48, 48, True, True, 1),
        Block(5, 288 / 48, 96, True, True, 2), Block(5, 576 / 96, 96, True, True, 1),
        Block(5, 576 / 96, 96, True, True, 1),
    ), 576, 1024,
)  # fmt: skip


def mobilenet_v3_large(b: GraphBuilder, plan: Plan) -> int:
    return _network(b, plan, _LARGE)


def mobilenet_v3_small(b: GraphBuilder, plan: Plan) -> int:
    return _network(b, plan, _SMALL)


def mobilenet_v3_large_minimalistic(b: GraphBuilder, plan: Plan) -> int:
    return _network(b, plan, _minimalistic(_LARGE))


def mobilenet_v3_small_minimalistic(b: GraphBuilder, plan: Plan) -> int:
    return _network(b, plan, _minimalistic(_SMALL))


def _minimalistic(network: Network) -> Network:
    """3x3 filters, RELU, no squeeze: the table without what an accelerator lacks."""
    blocks = tuple(
        block._replace(edge=3, has_squeeze=False, has_hard_swish=False) for block in network.blocks
    )
    return network._replace(blocks=blocks)


def _network(b: GraphBuilder, plan: Plan, network: Network) -> int:
    """Hard-swish is an op of its own behind a linear convolution, as TFLite's converter leaves it."""
    swish = any(block.has_hard_swish for block in network.blocks)
    depth = rounded_channels(16 * plan.width)
    x = conv(b, picture(b, plan), depth, stride=2, activation=_fused(swish))
    x = _swished(b, x, swish)
    for block in network.blocks:
        channels = rounded_channels(block.channels * plan.width)
        y = _bottleneck(b, x, block, depth=depth, channels=channels)
        x = b.add(x, y) if block.stride == 1 and depth == channels else y
        depth = channels
    x = _swished(b, pointwise(b, x, rounded_channels(network.last * plan.width), activation=_fused(swish)),
                 swish)  # fmt: skip
    x = b.pool("AVERAGE_POOL_2D", x)
    head = rounded_channels(network.head * max(1.0, plan.width))
    x = _swished(b, pointwise(b, x, head, activation=_fused(swish)), swish)
    x = pointwise(b, x, plan.classes, activation=NONE)
    return b.softmax(b.reshape(x, (1, plan.classes)))


def _bottleneck(b: GraphBuilder, x: int, block: Block, *, depth: int, channels: int) -> int:
    """Expand 1x1, depthwise, squeeze-and-excite, project 1x1."""
    expanded = rounded_channels(depth * block.expansion)
    activation = _fused(block.has_hard_swish)
    y = x
    if block.expansion != 1:
        y = _swished(b, pointwise(b, x, expanded, activation=activation), block.has_hard_swish)
    attributes = DepthwiseConv2DAttributes(Padding.SAME, block.stride, block.stride, 1, activation)
    y = _swished(b, b.depthwise(y, (block.edge, block.edge), attributes), block.has_hard_swish)
    y = _excited(b, y, expanded) if block.has_squeeze else y
    return pointwise(b, y, channels, activation=NONE)


def _excited(b: GraphBuilder, x: int, channels: int) -> int:
    """x * hard-sigmoid(W2 relu(W1 mean(x))), hard-sigmoid(v) = relu6(v + 3) / 6."""
    y = b.mean(x, (1, 2), keep_dims=True)
    y = pointwise(b, y, rounded_channels(channels / 4), activation=RELU)
    y = pointwise(b, y, channels, activation=NONE)
    y = b.add(y, b.activation_constant(np.array([3.0])), RELU6)
    y = b.mul(y, b.activation_constant(np.array([1 / 6])))
    return b.mul(x, y)


def _fused(has_hard_swish: bool) -> Activation:
    return NONE if has_hard_swish else RELU


def _swished(b: GraphBuilder, x: int, has_hard_swish: bool) -> int:
    return b.unary("HARD_SWISH", x) if has_hard_swish else x
