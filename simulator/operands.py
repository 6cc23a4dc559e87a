"""What do the rules of kernel libraries look at: an op's operands, its extents, and the tests on them.

Sections named here are those of specs/tflm_memory.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from ..errors import ShapeInvalid
from ..graphs.dims import OpDims, op_dims
from ..graphs.ir import OPTIONAL, DType, Op, Subgraph, Tensor

_MOVES = ("stride_h", "stride_w", "dilation_h_factor", "dilation_w_factor")


def dims_of(subgraph: Subgraph, op: Op) -> OpDims | None:
    """`op_dims`, worked out once per op and kept with its subgraph.

    Raises:
        ShapeInvalid: the op's window does not move.
    """
    # a frozen Subgraph keeps derived data in its __dict__, as its cached properties do
    known = cast("dict[Op, OpDims | None]", subgraph.__dict__.setdefault("_dims_of", {}))
    if op not in known:
        moves = [getattr(op.attributes, name, 1) for name in _MOVES]
        if min(moves) < 1:
            raise ShapeInvalid(
                f"the window does not move: strides and dilations are {moves}",
                where=f"{op.label} {op.index}", fix="convert the model again",
            )  # fmt: skip
        known[op] = op_dims(subgraph, op)
    return known[op]


def operand(subgraph: Subgraph, op: Op, position: int) -> Tensor | None:
    """The input tensor at this position; None if it is omitted."""
    inputs = op.inputs
    if position >= len(inputs) or inputs[position] == OPTIONAL:
        return None
    return subgraph.tensors[inputs[position]]


def pads_1xn(dims: OpDims) -> tuple[int, int]:
    """(left, right) output columns of CMSIS-NN's MVE 1xN convolution that touch padding.

    left = Pw ? max(1, ceil(Pw / Sw)) : 0, right likewise of Pw + a; a = remainder of total_pad / 2 with
    the sign of total_pad = (Wout-1)*Sw + Kw - Win (specs/tflm_memory.md 8.1 item 2).
    """
    cols = dims.cols
    pad, stride = cols.pad_before, cols.stride
    behind = pad + odd_pad_1xn(dims)
    left = max(1, -(-pad // stride)) if pad else 0
    right = max(1, -(-behind // stride)) if behind else 0
    return left, right


def odd_pad_1xn(dims: OpDims) -> int:
    """a of `pads_1xn`: the column by which padding behind exceeds padding in front: -1, 0 or 1."""
    total = (dims.out_w - 1) * dims.cols.stride + dims.k_w - dims.in_w
    return total % 2 if total >= 0 else -(-total % 2)


def is_broadcast(subgraph: Subgraph, op: Op) -> bool:
    """Whether the two operands of an elementwise op differ in shape (leading ones do not count)."""
    first, second = operand(subgraph, op, 0), operand(subgraph, op, 1)
    return first is None or second is None or _core_shape(first.shape) != _core_shape(second.shape)


def _core_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    lead = 0
    while lead < len(shape) and shape[lead] == 1:
        lead += 1
    return shape[lead:]


def is_1x1_unpadded(dims: OpDims) -> bool:
    """Kh = Kw = 1 and no padding."""
    return dims.k_h == 1 and dims.k_w == 1 and not dims.has_padding


def is_1xn(dims: OpDims) -> bool:
    """Input height 1, Kh = 1, Dw = 1, Cf = Cin, (Sw*Cin) mod 4 = 0 (8.1 item 2)."""
    return (
        dims.in_h == 1 and dims.k_h == 1 and dims.cols.dilation == 1
        and dims.filter_c == dims.in_c and dims.cols.stride * dims.in_c % 4 == 0
    )  # fmt: skip


def is_depthwise_opt(dims: OpDims) -> bool:
    """Cin = Cout, batch 1, no dilation (8.2 item 2)."""
    return dims.in_c == dims.out_c and dims.batch == 1 and not dims.has_dilation


def fc_is_conv(subgraph: Subgraph, op: Op, weight: Tensor) -> bool:
    """Output rank > 2 and depth mod 4 = 0 (8.3)."""
    if not op.outputs or not weight.shape:
        return False
    return len(subgraph.tensors[op.outputs[0]].shape) > 2 and weight.shape[-1] % 4 == 0


def as_int8(subgraph: Subgraph, op: Op) -> Subgraph:
    """The same with the op's uint8 tensors as int8; the same object where it has none."""
    unsigned = {t for t in op.inputs if t >= 0 and subgraph.tensors[t].dtype is DType.UINT8}
    if not unsigned:
        return subgraph
    tensors = tuple(
        replace(tensor, dtype=DType.INT8) if tensor.index in unsigned else tensor
        for tensor in subgraph.tensors
    )
    return replace(subgraph, tensors=tensors)
