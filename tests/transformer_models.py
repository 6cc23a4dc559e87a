"""Transformers written in simple ops, as BERT's code is exported: LayerNorm and GELU, nothing fused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from preflash.graphs.build import GraphBuilder
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.ops import BatchMatMulAttributes


@dataclass(frozen=True)
class Shape:
    """MobileBERT's extents (Sun et al. 2020, table 1)."""

    tokens: int = 128
    hidden: int = 512
    narrow: int = 128
    inner: int = 512
    heads: int = 4
    stacks: int = 4


SMALL = Shape(tokens=6, hidden=16, narrow=8, inner=12, heads=2, stacks=2)


def mobilebert(blocks: int = 1, shape: Shape = SMALL, dtype: DType = DType.FLOAT32) -> ModelGraph:
    """Blocks with bottlenecks on embedded tokens: 4 + stacks LayerNorms, and a GELU per stack."""
    b = GraphBuilder("mobilebert", dtype=dtype)
    x = b.input((shape.tokens, shape.hidden))
    for _ in range(blocks):
        x = _block(b, x, shape)
    return b.finish([x])


def _block(b: GraphBuilder, x: int, s: Shape) -> int:
    narrow = layer_norm(b, b.fully_connected(x, s.narrow), s.narrow)
    shared = layer_norm(b, b.fully_connected(x, s.narrow), s.narrow)
    y = layer_norm(b, b.add(_attention(b, shared, x, s), narrow), s.narrow)
    for _ in range(s.stacks):
        inner = gelu(b, b.fully_connected(y, s.inner))
        y = layer_norm(b, b.add(b.fully_connected(inner, s.narrow), y), s.narrow)
    return layer_norm(b, b.add(b.fully_connected(y, s.hidden), x), s.hidden)


def _attention(b: GraphBuilder, shared: int, x: int, s: Shape) -> int:
    depth = s.narrow // s.heads

    def heads(t: int) -> int:
        cut = b.reshape(b.fully_connected(t, s.narrow), (s.tokens, s.heads, depth))
        return b.op("TRANSPOSE", (cut, b.constant(np.array([1, 0, 2], np.int32))))[0]

    scores = b.op("BATCH_MATMUL", (heads(shared), heads(shared)), BatchMatMulAttributes(adj_y=True))[0]
    shares = b.softmax(b.mul(scores, b.activation_constant(np.array([depth**-0.5]))))
    mixed = b.op("BATCH_MATMUL", (shares, heads(x)), BatchMatMulAttributes())[0]
    back = b.op("TRANSPOSE", (mixed, b.constant(np.array([1, 0, 2], np.int32))))[0]
    return b.fully_connected(b.reshape(back, (s.tokens, s.narrow)), s.narrow)


def layer_norm(b: GraphBuilder, x: int, channels: int) -> int:
    """As tf.nn.batch_normalization: x * s + (shift - mean * s), s = gain / sqrt(variance + 1e-12)."""
    gain, shift = (b.activation_constant(np.linspace(*ends, channels)) for ends in ((0.5, 1.5), (-1, 1)))
    mean = b.mean(x, (1,), keep_dims=True)
    variance = b.mean(b.op("SQUARED_DIFFERENCE", (x, mean))[0], (1,), keep_dims=True)
    root = b.unary("RSQRT", b.add(variance, b.activation_constant(np.array([1e-12]))))
    scale = b.mul(root, gain)
    return b.add(b.mul(x, scale), b.sub(shift, b.mul(mean, scale)))


def gelu(b: GraphBuilder, x: int) -> int:
    """BERT's: x * (0.5 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * pow(x, 3)))))."""

    def number(value: float) -> int:
        return b.activation_constant(np.array([value]))

    cube = b.op("POW", (x, number(3.0)))[0]
    inner = b.mul(b.add(x, b.mul(cube, number(0.044715))), number((2 / np.pi) ** 0.5))
    return b.mul(x, b.mul(b.add(b.unary("TANH", inner), number(1.0)), number(0.5)))
