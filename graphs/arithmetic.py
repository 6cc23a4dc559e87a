"""What the computing ops mean, on real numbers: convolutions, products, pools, elementwise, reductions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import erf
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UnsupportedOp
from .dims import OpDims, op_dims
from .fake_quant import fake_quant_meaning
from .geometry import Window
from .ops import Activation
from .reading import Reading

Array = npt.NDArray[Any]
Inputs = Sequence[Array | None]
Meaning = Callable[[Reading, Inputs], list[Array]]


def clamp(x: Array, activation: int) -> Array:
    """The activation fused into an op."""
    if activation == Activation.NONE:
        return x
    meaning = _FUSED.get(activation)
    if meaning is None:
        raise UnsupportedOp(f"fused activation {activation} cannot be evaluated")
    return meaning(x)


_FUSED: dict[int, Callable[[Array], Array]] = {
    Activation.RELU: lambda x: np.maximum(x, 0.0),
    Activation.RELU6: lambda x: np.clip(x, 0.0, 6.0),
    Activation.RELU_N1_TO_1: lambda x: np.clip(x, -1.0, 1.0),
    Activation.TANH: np.tanh,
}


def _needed(inputs: Inputs, position: int) -> Array:
    value = inputs[position] if position < len(inputs) else None
    if value is None:
        raise UnsupportedOp(f"input {position} is missing")
    return value


def _extents(r: Reading) -> OpDims:
    dims = op_dims(r.subgraph, r.op)
    if dims is None:
        raise UnsupportedOp(f"{r.op.label} lacks attributes or tensors", where=f"op {r.op.index}")
    return dims


def _bias(inputs: Inputs, position: int) -> Array | float:
    value = inputs[position] if position < len(inputs) else None
    return 0.0 if value is None else value.reshape(-1)


def _bordered(x: Array, rows: Window, cols: Window, fill: float) -> Array:
    """NHWC with enough border that every tap of every window lies inside."""

    def after(w: Window) -> int:
        reach = (w.extent_out - 1) * w.stride + (w.kernel - 1) * w.dilation + 1
        return max(0, reach - w.pad_before - w.extent_in)

    pads = ((0, 0), (rows.pad_before, after(rows)), (cols.pad_before, after(cols)), (0, 0))
    return np.pad(x, pads, constant_values=fill)


def _at(padded: Array, rows: Window, cols: Window, tap: tuple[int, int]) -> Array:
    """What the tap (i, j) of each window sees: (n, out_h, out_w, c)."""
    i, j = tap[0] * rows.dilation, tap[1] * cols.dilation
    return padded[:, i : i + (rows.extent_out - 1) * rows.stride + 1 : rows.stride,
                  j : j + (cols.extent_out - 1) * cols.stride + 1 : cols.stride]  # fmt: skip


def _taps(d: OpDims) -> list[tuple[int, int]]:
    return [(i, j) for i in range(d.k_h) for j in range(d.k_w)]


def _conv(r: Reading, inputs: Inputs) -> list[Array]:
    """y[p, o] = sum over taps t, depth c of x[p + t, c] * w[o, t, c] + b[o]; groups of shallow filters."""
    d, w = _extents(r), _needed(inputs, 1)
    padded = _bordered(_needed(inputs, 0), d.rows, d.cols, 0.0)
    groups = d.in_c // d.filter_c
    width = d.out_c // groups
    y = np.zeros((d.batch, d.out_h, d.out_w, d.out_c))
    for i, j in _taps(d):
        seen = _at(padded, d.rows, d.cols, (i, j))
        for g in range(groups):
            part = seen[..., g * d.filter_c : (g + 1) * d.filter_c]
            y[..., g * width : (g + 1) * width] += part @ w[g * width : (g + 1) * width, i, j].T
    return [y + _bias(inputs, 2)]


def _depthwise(r: Reading, inputs: Inputs) -> list[Array]:
    """y[p, c*M + m] = sum over taps t of x[p + t, c] * w[t, c*M + m] + b."""
    d, w = _extents(r), _needed(inputs, 1)
    padded = np.repeat(_bordered(_needed(inputs, 0), d.rows, d.cols, 0.0), d.depth_multiplier, axis=3)
    y = np.zeros((d.batch, d.out_h, d.out_w, d.out_c))
    for i, j in _taps(d):
        y += _at(padded, d.rows, d.cols, (i, j)) * w[0, i, j]
    return [y + _bias(inputs, 2)]


def _transpose_conv(r: Reading, inputs: Inputs) -> list[Array]:
    """y[S*p + t - pad, o] += x[p, c] * w[o, t, c]: each input spreads its window over the output."""
    d, w, x = _extents(r), _needed(inputs, 1), _needed(inputs, 2)
    whole = np.zeros(
        (d.batch, (d.in_h - 1) * d.rows.stride + d.k_h, (d.in_w - 1) * d.cols.stride + d.k_w, d.out_c)
    )
    for i, j in _taps(d):
        whole[:, i : i + (d.in_h - 1) * d.rows.stride + 1 : d.rows.stride,
              j : j + (d.in_w - 1) * d.cols.stride + 1 : d.cols.stride] += x @ w[:, i, j].T  # fmt: skip
    top, left = d.rows.pad_before, d.cols.pad_before
    below, right = max(0, top + d.out_h - whole.shape[1]), max(0, left + d.out_w - whole.shape[2])
    whole = np.pad(whole, ((0, 0), (0, below), (0, right), (0, 0)))
    return [whole[:, top : top + d.out_h, left : left + d.out_w] + _bias(inputs, 3)]


def _fully_connected(r: Reading, inputs: Inputs) -> list[Array]:
    """y = x W^T + b over rows of the weights' depth."""
    x, w = _needed(inputs, 0), _needed(inputs, 1)
    y = x.reshape(-1, w.shape[1]) @ w.T + _bias(inputs, 2)
    return [y.reshape(r.subgraph.tensors[r.op.outputs[0]].shape)]


def _average_pool(r: Reading, inputs: Inputs) -> list[Array]:
    """Mean over the part of the window that lies inside the input."""
    d, x = _extents(r), _needed(inputs, 0)
    padded = _bordered(x, d.rows, d.cols, 0.0)
    inside = _bordered(np.ones((1, *x.shape[1:3], 1)), d.rows, d.cols, 0.0)
    total: Array = sum(_at(padded, d.rows, d.cols, t) for t in _taps(d))  # type: ignore[assignment]
    return [total / sum(_at(inside, d.rows, d.cols, t) for t in _taps(d))]


def _max_pool(r: Reading, inputs: Inputs) -> list[Array]:
    d = _extents(r)
    padded = _bordered(_needed(inputs, 0), d.rows, d.cols, -np.inf)
    return [np.maximum.reduce([_at(padded, d.rows, d.cols, t) for t in _taps(d)])]


def _softmax(r: Reading, inputs: Inputs) -> list[Array]:
    x = _needed(inputs, 0) * float(r.attribute("beta", 1.0))
    raised = np.exp(x - x.max(axis=-1, keepdims=True))
    return [raised / raised.sum(axis=-1, keepdims=True)]


def _log_softmax(r: Reading, inputs: Inputs) -> list[Array]:
    return [np.log(np.maximum(_softmax(r, inputs)[0], 1e-300))]


def _leaky_relu(r: Reading, inputs: Inputs) -> list[Array]:
    x = _needed(inputs, 0)
    return [np.where(x >= 0, x, x * float(r.attribute("alpha", 0.0)))]


def _batch_matmul(r: Reading, inputs: Inputs) -> list[Array]:
    a, b = _needed(inputs, 0), _needed(inputs, 1)
    a = np.swapaxes(a, -1, -2) if r.attribute("adj_x", False) else a
    return [a @ (np.swapaxes(b, -1, -2) if r.attribute("adj_y", False) else b)]


def _add_n(_: Reading, inputs: Inputs) -> list[Array]:
    return [np.add.reduce([x for x in inputs if x is not None])]


def _divide(r: Reading, inputs: Inputs) -> list[Array]:
    a, b = _needed(inputs, 0), _needed(inputs, 1)
    out = r.subgraph.tensors[r.op.outputs[0]]
    if not out.dtype.is_float and out.quantization is None and not b.all():
        raise UnsupportedOp("integer division by zero cannot be evaluated", where=f"op {r.op.index}")
    with np.errstate(divide="ignore", invalid="ignore"):
        return [a / b]


def _one(function: Callable[[Array], Array]) -> Meaning:
    return lambda _, inputs: [function(_needed(inputs, 0))]


def _two(function: Callable[[Array, Array], Array]) -> Meaning:
    return lambda _, inputs: [function(_needed(inputs, 0), _needed(inputs, 1))]


def _reduced(function: Callable[..., Array]) -> Meaning:
    def meaning(r: Reading, inputs: Inputs) -> list[Array]:
        axes = tuple(int(a) for a in _needed(inputs, 1).reshape(-1))
        return [function(_needed(inputs, 0), axis=axes, keepdims=bool(r.attribute("keep_dims", False)))]

    return meaning


def _gelu(r: Reading, inputs: Inputs) -> list[Array]:
    """x Phi(x), or its tanh form where `approximate`."""
    x = _needed(inputs, 0)
    if r.attribute("approximate", False):
        return [0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))]
    below = np.array([erf(v) for v in (x / np.sqrt(2)).reshape(-1)]).reshape(x.shape)
    return [0.5 * x * (1 + below)]


def _l2_normalization(_: Reading, inputs: Inputs) -> list[Array]:
    x = _needed(inputs, 0)
    return [x / np.sqrt(np.maximum(np.square(x).sum(axis=-1, keepdims=True), 1e-12))]


def _picked(function: Callable[..., Array]) -> Meaning:
    def meaning(_: Reading, inputs: Inputs) -> list[Array]:
        axis = int(_needed(inputs, 1).reshape(-1)[0])
        return [function(_needed(inputs, 0), axis=axis)]

    return meaning


ARITHMETIC: dict[str, Meaning] = {
    "CONV_2D": _conv, "DEPTHWISE_CONV_2D": _depthwise, "TRANSPOSE_CONV": _transpose_conv,
    "FULLY_CONNECTED": _fully_connected, "BATCH_MATMUL": _batch_matmul,
    "AVERAGE_POOL_2D": _average_pool, "MAX_POOL_2D": _max_pool,
    "SOFTMAX": _softmax, "LOG_SOFTMAX": _log_softmax, "LEAKY_RELU": _leaky_relu, "ADD_N": _add_n,
    "ADD": _two(np.add), "SUB": _two(np.subtract), "MUL": _two(np.multiply), "DIV": _divide,
    "MAXIMUM": _two(np.maximum), "MINIMUM": _two(np.minimum),
    "SQUARED_DIFFERENCE": _two(lambda a, b: np.square(a - b)),
    "PRELU": _two(lambda x, a: np.where(x >= 0, x, x * a)), "POW": _two(np.power),
    "LESS": _two(np.less), "LESS_EQUAL": _two(np.less_equal), "GREATER": _two(np.greater),
    "GREATER_EQUAL": _two(np.greater_equal), "EQUAL": _two(np.equal), "NOT_EQUAL": _two(np.not_equal),
    "RELU": _one(lambda x: np.maximum(x, 0.0)), "RELU6": _one(lambda x: np.clip(x, 0.0, 6.0)),
    "RELU_N1_TO_1": _one(lambda x: np.clip(x, -1.0, 1.0)),
    "LOGISTIC": _one(lambda x: 1.0 / (1.0 + np.exp(-np.clip(x, -700, 700)))), "TANH": _one(np.tanh),
    "HARD_SWISH": _one(lambda x: x * np.clip(x + 3.0, 0.0, 6.0) / 6.0),
    "ABS": _one(np.abs), "NEG": _one(np.negative), "EXP": _one(np.exp), "SQUARE": _one(np.square),
    "FLOOR": _one(np.floor), "CEIL": _one(np.ceil), "SQRT": _one(lambda x: np.sqrt(np.maximum(x, 0.0))),
    "RSQRT": _one(lambda x: 1.0 / np.sqrt(np.maximum(x, 1e-300))),
    "QUANTIZE": _one(np.asarray), "DEQUANTIZE": _one(np.asarray), "CAST": _one(np.asarray),
    "GELU": _gelu, "L2_NORMALIZATION": _l2_normalization,
    "ELU": _one(lambda x: np.where(x < 0, np.expm1(np.minimum(x, 0.0)), x)),
    "ARG_MAX": _picked(np.argmax), "ARG_MIN": _picked(np.argmin),
    "MEAN": _reduced(np.mean), "SUM": _reduced(np.sum), "REDUCE_PROD": _reduced(np.prod),
    "REDUCE_MAX": _reduced(np.max), "REDUCE_MIN": _reduced(np.min), "FAKE_QUANT": fake_quant_meaning,
}  # fmt: skip
