"""SqueezeNet 1.0 and 1.1: fire modules, a squeeze and two expansions side by side (Iandola et al. 2016)."""

from __future__ import annotations

from ..build import GraphBuilder
from ..geometry import Padding
from ..ops import Conv2DAttributes, Pool2DAttributes
from .blocks import RELU, conv, picture, pointwise
from .reference import Plan, times

# (squeeze, expand) of the fire modules; "pool" halves the picture. 1.0 is ST's: one (64, 256) less than
# published, which is what its weights add up to.
_V1_0 = ("pool", (16, 64), (16, 64), (32, 128), "pool", (32, 128), (48, 192), (48, 192), (64, 256))
_V1_1 = ("pool", (16, 64), (16, 64), "pool", (32, 128), (32, 128), "pool",
         (48, 192), (48, 192), (64, 256), (64, 256))  # fmt: skip
_FIRST = Conv2DAttributes(Padding.VALID, 2, 2, RELU)
_POOL = Pool2DAttributes(stride_w=2, stride_h=2, filter_width=3, filter_height=3)


def _fire(b: GraphBuilder, x: int, squeeze: int, expand: int) -> int:
    """Squeeze, then 1x1 and 3x3 on its result, concatenated by channel."""
    s = pointwise(b, x, squeeze)
    narrow, wide = pointwise(b, s, expand), conv(b, s, expand)
    return b.concat((narrow, b.on_grid_of(wide, narrow)))


def squeezenet_v1_0(b: GraphBuilder, plan: Plan) -> int:
    """A VALID 7x7 convolution of stride 2 first."""
    return _fires(b, plan, b.conv(picture(b, plan), times(plan.width, 96), (7, 7), _FIRST), _V1_0)


def squeezenet_v1_1(b: GraphBuilder, plan: Plan) -> int:
    """A VALID 3x3 convolution of stride 2 first."""
    return _fires(b, plan, b.conv(picture(b, plan), times(plan.width, 64), (3, 3), _FIRST), _V1_1)


def _fires(b: GraphBuilder, plan: Plan, x: int, steps: tuple[str | tuple[int, int], ...]) -> int:
    """The classes are channels of the last 1x1, then the mean."""
    for step in steps:
        if isinstance(step, str):
            x = b.pool("MAX_POOL_2D", x, _POOL)
        else:
            x = _fire(b, x, *(times(plan.width, channels) for channels in step))
    pooled = b.pool("AVERAGE_POOL_2D", pointwise(b, x, plan.classes))
    return b.softmax(b.reshape(pooled, (1, plan.classes)))
