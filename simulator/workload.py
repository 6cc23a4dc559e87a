"""What an op has to do, before any device: multiply-accumulates per op kind, a model as a table of work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..graphs.dims import OpDims
from ..graphs.geometry import taps_inside
from ..graphs.ir import OPTIONAL, ModelGraph, Op, Subgraph, Tensor
from ..graphs.kept import kept
from .columns import Extents, KernelTable
from .filters import FilterFacts, densified, filter_facts
from .kernel_choice import choose_kernel
from .loops import Loops, loops_of
from .operands import dims_of, operand

if TYPE_CHECKING:
    from ..devices.target import KernelBuild

# Kinds that move, compare or transform single elements: they multiply nothing into an accumulator.
NO_MACS = frozenset({
    "ABS", "ADD", "ADD_N", "ARG_MAX", "ARG_MIN", "ASSIGN_VARIABLE", "ATAN2", "AVERAGE_POOL_2D",
    "BATCH_TO_SPACE_ND", "BITCAST", "BITWISE_XOR", "BROADCAST_ARGS", "BROADCAST_TO", "BUCKETIZE",
    "CALL_ONCE", "CAST", "CEIL", "COMPLEX_ABS", "CONCATENATION", "COS", "CUMSUM", "DENSIFY",
    "DEPTH_TO_SPACE", "DEQUANTIZE", "DILATE", "DIV", "DYNAMIC_UPDATE_SLICE", "ELU", "EMBEDDING_LOOKUP",
    "EMBEDDING_LOOKUP_SPARSE", "EQUAL", "EXP", "EXPAND_DIMS", "FAKE_QUANT", "FILL", "FLOOR", "FLOOR_DIV",
    "FLOOR_MOD", "GATHER", "GATHER_ND", "GELU", "GREATER", "GREATER_EQUAL", "HARD_SWISH", "HASHTABLE",
    "HASHTABLE_FIND", "HASHTABLE_IMPORT", "HASHTABLE_LOOKUP", "HASHTABLE_SIZE", "IMAG", "L2_NORMALIZATION",
    "L2_POOL_2D", "LEAKY_RELU", "LESS", "LESS_EQUAL", "LOCAL_RESPONSE_NORMALIZATION", "LOG", "LOGICAL_AND",
    "LOGICAL_NOT", "LOGICAL_OR", "LOGISTIC", "LOG_SOFTMAX", "LSH_PROJECTION", "MATRIX_DIAG",
    "MATRIX_SET_DIAG", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MIRROR_PAD", "MUL", "MULTINOMIAL",
    "NEG", "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5", "NOT_EQUAL", "ONE_HOT", "PACK", "PAD",
    "PADV2", "POW", "PRELU", "QUANTIZE", "RANDOM_STANDARD_NORMAL", "RANDOM_UNIFORM", "RANGE", "RANK",
    "READ_VARIABLE", "REAL", "REDUCE_ALL", "REDUCE_ANY", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "RELU",
    "RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR",
    "REVERSE_SEQUENCE", "REVERSE_V2", "RIGHT_SHIFT", "ROUND", "RSQRT", "SCATTER_ND", "SEGMENT_SUM",
    "SELECT", "SELECT_V2", "SHAPE", "SIGN", "SIN", "SLICE", "SOFTMAX", "SPACE_TO_BATCH_ND",
    "SPACE_TO_DEPTH", "SPARSE_TO_DENSE", "SPLIT", "SPLIT_V", "SQRT", "SQUARE", "SQUARED_DIFFERENCE",
    "SQUEEZE", "STRIDED_SLICE", "SUB", "SUM", "TANH", "TILE", "TOPK_V2", "TRANSPOSE", "UNIQUE", "UNPACK",
    "UNSORTED_SEGMENT_MAX", "UNSORTED_SEGMENT_MIN", "UNSORTED_SEGMENT_PROD", "UNSORTED_SEGMENT_SUM",
    "VAR_HANDLE", "WHERE", "ZEROS_LIKE", "TFLM_DECODE",
})  # fmt: skip


def op_macs(subgraph: Subgraph, op: Op) -> int | None:
    """Multiply-accumulates of one op, taps that read padding included (as published figures count them).

    A fused kernel does the work of all its ops. None where nobody can say: custom ops, data-dependent loops.
    """
    if op.fused:
        return _sum_known([op_macs(subgraph, part) for part in op.fused])
    if op.label in NO_MACS:
        return 0
    count = MACS_OF.get(op.kind)
    return count(subgraph, op) if count and not has_open_extents(subgraph, op) else None


def has_open_extents(subgraph: Subgraph, op: Op) -> bool:
    """Whether a shape of the op still has a -1: nobody can count what the op does."""
    return any(-1 in subgraph.tensors[t].shape for t in (*op.inputs, *op.outputs) if t != OPTIONAL)


def dims_macs(dims: OpDims) -> int:
    """out elements x k_h x k_w x channels of one filter.

    96 x 96 x 3 by 8 filters of 3 x 3, stride 2: 48 * 48 * 8 * 27 = 497 664.
    """
    return dims.batch * dims.out_h * dims.out_w * dims.out_c * dims.k_h * dims.k_w * dims.filter_c


def _sum_known(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _windowed(subgraph: Subgraph, op: Op) -> int | None:
    dims = dims_of(subgraph, op)
    return None if dims is None else dims_macs(dims)


def _transpose_conv(subgraph: Subgraph, op: Op) -> int | None:
    """in pixels x k_h x k_w x in_c x out_c: every input element is spread over one window."""
    dims = dims_of(subgraph, op)
    if dims is None:
        return None
    return dims.batch * dims.in_h * dims.in_w * dims.k_h * dims.k_w * dims.filter_c * dims.out_c


def _conv_3d(subgraph: Subgraph, op: Op) -> int | None:
    """out elements x depth x height x width x in_c; the filter is [d, h, w, in_c, out_c]."""
    weight = operand(subgraph, op, 1)
    if weight is None or len(weight.shape) != 5 or not op.outputs:
        return None
    return subgraph.tensors[op.outputs[0]].element_count * prod(weight.shape[:4])


def _conv_3d_transpose(subgraph: Subgraph, op: Op) -> int | None:
    """in elements x depth x height x width x out_c; the filter is [d, h, w, out_c, in_c]."""
    weight, data = operand(subgraph, op, 1), operand(subgraph, op, 2)
    if weight is None or data is None or len(weight.shape) != 5:
        return None
    return data.element_count * prod(weight.shape[:4])


def _batch_matmul(subgraph: Subgraph, op: Op) -> int | None:
    """out elements x depth; depth = elements of one left matrix / rows of the result."""
    left = operand(subgraph, op, 0)
    if left is None or not op.outputs:
        return None
    out = subgraph.tensors[op.outputs[0]]
    if len(left.shape) < 2 or len(out.shape) < 2 or not out.shape[-2]:
        return None
    return out.element_count * (prod(left.shape[-2:]) // out.shape[-2])


def _svdf(subgraph: Subgraph, op: Op) -> int | None:
    """batch x (feature weights + time weights): both filters run once per inference."""
    data, feature, time = (operand(subgraph, op, position) for position in range(3))
    if data is None or feature is None or time is None or not data.shape:
        return None
    return data.shape[0] * (feature.element_count + time.element_count)


def _every_step(positions: Sequence[int]) -> Callable[[Subgraph, Op], int | None]:
    """(batch x steps) x elements of the weight inputs at these positions; data is [.., .., depth]."""

    def count(subgraph: Subgraph, op: Op) -> int | None:
        data = operand(subgraph, op, 0)
        weights = [operand(subgraph, op, position) for position in positions]
        if data is None or not data.shape or not any(weights):
            return None
        return prod(data.shape[:-1]) * sum(weight.element_count for weight in weights if weight is not None)

    return count


def _lstm(subgraph: Subgraph, op: Op) -> int | None:
    """Four gates of input and recurrent weights, peepholes, projection; the 5-input form has one matrix."""
    return (_LSTM_BASIC if len(op.inputs) == 5 else _LSTM_FULL)(subgraph, op)


_LSTM_FULL = _every_step((*range(1, 12), 16))
_LSTM_BASIC = _every_step((2,))

MACS_OF: dict[str, Callable[[Subgraph, Op], int | None]] = {
    "CONV_2D": _windowed,
    "DEPTHWISE_CONV_2D": _windowed,
    "FULLY_CONNECTED": _windowed,
    "TRANSPOSE_CONV": _transpose_conv,
    "CONV_3D": _conv_3d,
    "CONV_3D_TRANSPOSE": _conv_3d_transpose,
    "BATCH_MATMUL": _batch_matmul,
    "SVDF": _svdf,
    "LSTM": _lstm,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
    "BIDIRECTIONAL_SEQUENCE_LSTM": _every_step((*range(1, 12), 15, *range(18, 29), 32)),
    "RNN": _every_step((1, 2)),
    "UNIDIRECTIONAL_SEQUENCE_RNN": _every_step((1, 2)),
    "BIDIRECTIONAL_SEQUENCE_RNN": _every_step((1, 2, 5, 6)),
}


def compile_table(graph: ModelGraph, build: KernelBuild) -> KernelTable:
    """The main subgraph as columns, one row per kernel of this build; made once per graph and kernels."""
    return kept(graph, f"kernel_table:{build.library} {build.flavour}", lambda one: _table(one.main, build))


def _table(subgraph: Subgraph, build: KernelBuild) -> KernelTable:
    choices = tuple(choose_kernel(subgraph, op, build) for op in subgraph.ops)
    rows = [_row(subgraph, op, choice.route) for op, choice in zip(subgraph.ops, choices, strict=True)]
    extents = np.array([row.extents for row in rows], dtype=np.float64).reshape(len(rows), 14).T
    counts = np.array([row.counts for row in rows], dtype=np.float64).reshape(len(rows), 14).T
    return KernelTable(
        subgraph.ops, choices,
        tuple(row.data_type for row in rows), tuple(row.weight_type for row in rows),
        tuple(row.dims is not None and row.dims.has_padding for row in rows),
        tuple(row.dims is not None and row.dims.has_dilation for row in rows),
        tuple(1 if row.dims is None else row.dims.depth_multiplier for row in rows),
        tuple(row.dims is not None for row in rows),
        tuple(row.is_sized for row in rows), tuple(row.is_broadcast for row in rows),
        tuple(row.filters for row in rows), Extents(*extents), *counts,
    )  # fmt: skip


class _Row(NamedTuple):
    dims: OpDims | None
    is_sized: bool
    data_type: str
    weight_type: str
    extents: tuple[int, ...]
    counts: tuple[float, ...]
    is_broadcast: bool
    filters: FilterFacts


def _row(subgraph: Subgraph, op: Op, route: str) -> _Row:
    is_open = has_open_extents(subgraph, op)
    dims = None if is_open else dims_of(subgraph, op)
    operands = [subgraph.tensors[t] for t in dict.fromkeys(op.inputs) if t != OPTIONAL]
    read = [subgraph.tensors[t] for t in op.inputs if t != OPTIONAL]
    activations = [tensor for tensor in operands if tensor.data is None]
    constants = [tensor for tensor in operands if tensor.data is not None]
    results = [subgraph.tensors[t] for t in op.outputs if t != OPTIONAL]
    macs = op_macs(subgraph, op)
    loops = Loops() if is_open else loops_of(subgraph, op)
    swallowed = sum(subgraph.tensors[t].element_count for part in op.fused[1:] for t in part.outputs)
    filters = [tensor for tensor in constants if _is_filter(op, tensor)]
    facts = filter_facts(filters or densified(subgraph, op))
    data = _data_of(subgraph, op, activations or operands)
    weight = operand(subgraph, op, 1)
    counts = (
        float("nan") if macs is None else macs,
        sum(tensor.element_count for tensor in activations), sum(tensor.element_count for tensor in results),
        sum(tensor.dense_bytes for tensor in activations), sum(tensor.dense_bytes for tensor in results),
        sum(tensor.stored_bytes for tensor in filters), sum(tensor.element_count for tensor in filters),
        sum(tensor.stored_bytes for tensor in constants), swallowed,
        sum(tensor.dense_bytes for tensor in read if tensor.data is None), *loops[:3],
        facts.nonzero_elements,
    )  # fmt: skip
    weight_type = str(weight.dtype) if weight is not None and dims is not None and dims.weight_dtype else ""
    extents = _plain_extents(results or operands) if dims is None else _extents(dims)
    if dims is not None and route == "fc_as_conv_1x1":  # the rows of the matrix are the pixels of one image
        extents = (1, 1, dims.batch, dims.in_c, 1, dims.batch, *extents[6:12], 1, dims.batch)
    if op.kind == "BATCH_MATMUL" and macs:
        extents = _product_extents(results[0], macs)
    is_sized = not is_open and (macs is not None or op.kind not in MACS_OF)
    return _Row(
        dims, is_sized, str(data.dtype) if data else "", weight_type, extents, counts, loops.is_broadcast,
        facts,
    )  # fmt: skip


def _data_of(subgraph: Subgraph, op: Op, operands: Sequence[Tensor]) -> Tensor | None:
    """The data input: TRANSPOSE_CONV's is its third, others' the first that is not constant."""
    if op.kind == "TRANSPOSE_CONV":
        return operand(subgraph, op, 2)
    return operands[0] if operands else None


def _is_filter(op: Op, tensor: Tensor) -> bool:
    """Whether a constant is multiplied with activations: it has two dimensions or more (a bias has one)."""
    return op.kind in MACS_OF and len(tensor.shape) > 1


def _extents(dims: OpDims) -> tuple[int, ...]:
    return (
        dims.batch, dims.in_h, dims.in_w, dims.in_c, dims.out_h, dims.out_w, dims.out_c, dims.k_h, dims.k_w,
        dims.filter_c, dims.rows.stride, dims.cols.stride, taps_inside(dims.rows), taps_inside(dims.cols),
    )  # fmt: skip


def _product_extents(result: Tensor, macs: int) -> tuple[int, ...]:
    """A product of matrices as a fully connected op: every row of the result is a batch element."""
    columns = result.shape[-1]
    depth = macs // result.element_count
    return (result.element_count // columns, 1, 1, depth, 1, 1, columns, 1, 1, depth, 1, 1, 1, 1)


def _plain_extents(tensors: Sequence[Tensor]) -> tuple[int, ...]:
    """A result of n elements as one row of n / channels pixels; of open extents, one element."""
    if not tensors or -1 in tensors[0].shape:
        return (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
    count = tensors[0].element_count
    channels = tensors[0].shape[-1] if tensors[0].shape else 1
    pixels = count // channels if channels else 0
    return (1, 1, pixels, channels, 1, pixels, channels, 1, 1, 1, 1, 1, 1, pixels)
