"""One float model per op kind: what step `quantize` turns into integers, smallest first."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from preflash.graphs import ops as kinds
from preflash.graphs.build import GraphBuilder
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import DType, ModelGraph

SHAPE = (1, 6, 6, 4)
_RANDOM = np.random.default_rng(5)
_PICTURE = _RANDOM.normal(size=SHAPE).astype(np.float32)
_POOL = kinds.Pool2DAttributes(Padding.VALID, 2, 2, 2, 2)
_BORDER = np.array([[0, 0], [1, 1], [1, 0], [0, 0]], np.int32)

Made = int | tuple[int, ...]
Build = Callable[[GraphBuilder, int], Made]


def _whole(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def _with(kind: str, *constants: np.ndarray, attributes: kinds.OpAttributes | None = None) -> Build:
    """The op on the input and constants."""
    return lambda b, x: b.op(kind, (x, *(b.constant(c) for c in constants)), attributes)


def _of_two(kind: str, attributes: kinds.OpAttributes | None = None) -> Build:
    """The op on two convolutions of the input, whose ranges differ."""
    return lambda b, x: b.op(kind, (b.conv(x, 4), b.conv(x, 4)), attributes)


def _transpose_conv(b: GraphBuilder, x: int) -> Made:
    weight = b.quantized_constant(_RANDOM.normal(size=(4, 2, 2, 4)), name="w", axis=0)
    bias = b.constant(_RANDOM.normal(size=4).astype(np.float32))
    inputs = (b.constant(_whole(1, 12, 12, 4)), weight, x, bias)
    return b.op("TRANSPOSE_CONV", inputs, kinds.TransposeConvAttributes(Padding.VALID, 2, 2))


def _picked(kind: str, attributes: kinds.OpAttributes) -> Build:
    def build(b: GraphBuilder, x: int) -> Made:
        output = b.tensor((1, 6, 6), dtype=DType.INT32)
        return b.op(kind, (x, b.constant(_whole(3))), attributes, outputs=[output])

    return build


def _spread(b: GraphBuilder, x: int) -> Made:
    inputs = (x, b.constant(_whole(2, 2)), b.constant(np.zeros((2, 2), np.int32)))
    return b.op("SPACE_TO_BATCH_ND", inputs)


def _gathered(b: GraphBuilder, x: int) -> Made:
    (spread,) = _spread(b, x)
    inputs = (spread, b.constant(_whole(2, 2)), b.constant(np.zeros((2, 2), np.int32)))
    return b.op("BATCH_TO_SPACE_ND", inputs)


_UNARY = "RELU RELU6 RELU_N1_TO_1 ABS LOGISTIC TANH LOG_SOFTMAX HARD_SWISH ELU"
BUILDS: dict[str, Build] = {
    **{kind: (lambda b, x, kind=kind: b.unary(kind, x)) for kind in _UNARY.split()},
    "CONV_2D": lambda b, x: b.conv(x, 8, (3, 3)),
    "DEPTHWISE_CONV_2D": lambda b, x: b.depthwise(x),
    "FULLY_CONNECTED": lambda b, x: b.fully_connected(x, 5),
    "TRANSPOSE_CONV": _transpose_conv,
    "BATCH_MATMUL": lambda b, x: b.op(
        "BATCH_MATMUL", (b.reshape(x, (1, 36, 4)), b.reshape(x, (1, 4, 36))), kinds.BatchMatMulAttributes()
    ),
    "ADD": _of_two("ADD", kinds.AddAttributes()),
    "SUB": _of_two("SUB", kinds.SubAttributes()),
    "MUL": _with("MUL", _PICTURE, attributes=kinds.MulAttributes()),
    "SQUARED_DIFFERENCE": _of_two("SQUARED_DIFFERENCE"),
    "MAXIMUM": _of_two("MAXIMUM"),
    "MINIMUM": _with("MINIMUM", _PICTURE),
    "PRELU": _with("PRELU", np.array([[[0.1, 0.2, 0.3, 0.4]]], np.float32)),
    "LEAKY_RELU": _with("LEAKY_RELU", attributes=kinds.LeakyReluAttributes(0.1)),
    "GELU": _with("GELU", attributes=kinds.GeluAttributes()),
    "RSQRT": lambda b, x: b.unary(
        "RSQRT", b.op("ADD", (b.unary("RELU", x), b.constant(np.array([0.5], np.float32))),
                      kinds.AddAttributes())[0]
    ),
    "SOFTMAX": lambda b, x: b.softmax(x),
    "L2_NORMALIZATION": _with("L2_NORMALIZATION", attributes=kinds.L2NormAttributes()),
    "MEAN": _with("MEAN", _whole(1, 2), attributes=kinds.ReducerAttributes()),
    "REDUCE_MAX": _with("REDUCE_MAX", _whole(1, 2), attributes=kinds.ReducerAttributes(True)),
    "REDUCE_MIN": _with("REDUCE_MIN", _whole(1, 2), attributes=kinds.ReducerAttributes(True)),
    "AVERAGE_POOL_2D": lambda b, x: b.pool("AVERAGE_POOL_2D", x, _POOL),
    "MAX_POOL_2D": lambda b, x: b.pool("MAX_POOL_2D", x, _POOL),
    "RESHAPE": lambda b, x: b.reshape(x, (1, 144)),
    "SQUEEZE": _with("SQUEEZE", attributes=kinds.SqueezeAttributes((0,))),
    "EXPAND_DIMS": _with("EXPAND_DIMS", _whole(1)),
    "PAD": _with("PAD", _BORDER),
    "PADV2": _with("PADV2", _BORDER, np.array([0.5], np.float32)),
    "MIRROR_PAD": lambda b, x: b.op(
        "MIRROR_PAD", (x, b.constant(_BORDER)), kinds.MirrorPadAttributes(0), shapes=[(1, 8, 7, 4)]
    ),
    "TRANSPOSE": _with("TRANSPOSE", _whole(0, 2, 1, 3)),
    "STRIDED_SLICE": _with("STRIDED_SLICE", _whole(0, 1, 1, 0), _whole(1, 5, 5, 4), _whole(1, 2, 2, 1),
                           attributes=kinds.StridedSliceAttributes()),
    "SLICE": _with("SLICE", _whole(0, 1, 1, 0), _whole(1, 3, 3, 4)),
    "SPLIT": lambda b, x: b.op("SPLIT", (b.constant(_whole(3)), x), kinds.SplitAttributes(2)),
    "SPLIT_V": _with("SPLIT_V", _whole(1, 3), _whole(3), attributes=kinds.SplitVAttributes(2)),
    "CONCATENATION": _of_two("CONCATENATION", kinds.ConcatenationAttributes(3)),
    "PACK": _of_two("PACK", kinds.PackAttributes(2, 1)),
    "UNPACK": _with("UNPACK", attributes=kinds.UnpackAttributes(4, 3)),
    "GATHER": _with("GATHER", _whole(3, 1), attributes=kinds.GatherAttributes(3)),
    "RESIZE_BILINEAR": _with("RESIZE_BILINEAR", _whole(12, 9),
                             attributes=kinds.ResizeBilinearAttributes(False, True)),
    "RESIZE_NEAREST_NEIGHBOR": _with("RESIZE_NEAREST_NEIGHBOR", _whole(12, 9),
                                     attributes=kinds.ResizeNearestNeighborAttributes(False, True)),
    "SPACE_TO_DEPTH": _with("SPACE_TO_DEPTH", attributes=kinds.SpaceToDepthAttributes(2)),
    "DEPTH_TO_SPACE": _with("DEPTH_TO_SPACE", attributes=kinds.DepthToSpaceAttributes(2)),
    "SPACE_TO_BATCH_ND": _spread,
    "BATCH_TO_SPACE_ND": _gathered,
    "BROADCAST_TO": _with("BROADCAST_TO", _whole(2, 6, 6, 4)),
    "TILE": _with("TILE", _whole(1, 1, 2, 1)),
    "SHAPE": lambda b, x: b.op(
        "SHAPE", (x,), kinds.ShapeAttributes(DType.INT32), outputs=[b.tensor((4,), dtype=DType.INT32)]
    ),
    "ARG_MAX": _picked("ARG_MAX", kinds.ArgMaxAttributes(DType.INT32)),
    "ARG_MIN": _picked("ARG_MIN", kinds.ArgMinAttributes(DType.INT32)),
}  # fmt: skip


def single_op(kind: str) -> ModelGraph:
    """A float model whose last op is of this kind; input (1, 6, 6, 4)."""
    b = GraphBuilder(kind, dtype=DType.FLOAT32, seed=1)
    made = BUILDS[kind](b, b.input(SHAPE))
    return b.finish(list(made) if isinstance(made, tuple) else [made])
