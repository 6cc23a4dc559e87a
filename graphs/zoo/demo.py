"""A network that shows fusion and nothing else."""

from __future__ import annotations

from ..build import GraphBuilder
from ..ops import AddAttributes, Pool2DAttributes
from .blocks import NONE, conv
from .reference import Plan


def conv_add_pool_relu(b: GraphBuilder, plan: Plan) -> int:
    """One residual convolution with pooling and activation, each an op of its own."""
    x = b.input((1, plan.resolution, plan.resolution, 8))
    y = b.op("ADD", (conv(b, x, 8, activation=NONE), x), AddAttributes())[0]
    pool = Pool2DAttributes(stride_w=2, stride_h=2, filter_width=2, filter_height=2)
    return b.unary("RELU", b.pool("MAX_POOL_2D", y, pool))
