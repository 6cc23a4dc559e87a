"""What are the extents of a windowed or matrix op: one record that every cost and memory rule reads."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .geometry import Padding, Window, repadded, slide
from .ir import OPTIONAL, DType, Op, Subgraph, Tensor
from .ops import (
    Conv2DAttributes,
    DepthwiseConv2DAttributes,
    FullyConnectedAttributes,
    Pool2DAttributes,
    TransposeConvAttributes,
)

WINDOWED = frozenset(
    {"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"}
)


@dataclass(frozen=True, slots=True)
class OpDims:
    """Extents of CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, *_POOL_2D (NHWC) and FULLY_CONNECTED.

    FULLY_CONNECTED is a matrix product: batch rows (all leading elements), in_c deep, out_c wide.
    `rows`, `cols` are the windows along height and width (of the output for TRANSPOSE_CONV: its input
    padding is that of the forward convolution from output to input).
    """

    batch: int
    in_h: int
    in_w: int
    in_c: int
    out_h: int
    out_w: int
    out_c: int
    rows: Window
    cols: Window
    filter_c: int  # channels stored in the filter: in_c / groups
    depth_multiplier: int
    input_dtype: DType
    weight_dtype: DType | None

    @property
    def k_h(self) -> int:
        return self.rows.kernel

    @property
    def k_w(self) -> int:
        return self.cols.kernel

    @property
    def has_padding(self) -> bool:
        """Whether the kernel's top or left padding is non-zero (the figure runtimes look at)."""
        return self.rows.pad_before > 0 or self.cols.pad_before > 0

    @property
    def has_dilation(self) -> bool:
        return self.rows.dilation != 1 or self.cols.dilation != 1


def _tensor(subgraph: Subgraph, op: Op, position: int) -> Tensor | None:
    if position >= len(op.inputs) or op.inputs[position] == OPTIONAL:
        return None
    return subgraph.tensors[op.inputs[position]]


def _nhwc(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The shape padded in front with ones to rank 4."""
    padded = (1, 1, 1, 1, *shape)[-4:] if len(shape) < 4 else shape[:4]
    return padded[0], padded[1], padded[2], padded[3]


def op_dims(subgraph: Subgraph, op: Op) -> OpDims | None:
    """The extents of the op; None for kinds that have no window or matrix, or lack needed tensors."""
    dims = _dims(subgraph, op)
    if dims is None or op.pads is None:
        return dims
    top, bottom, left, right = op.pads
    rows, cols = repadded(dims.rows, top, bottom), repadded(dims.cols, left, right)
    return replace(dims, rows=rows, cols=cols, out_h=rows.extent_out, out_w=cols.extent_out)


def _dims(subgraph: Subgraph, op: Op) -> OpDims | None:
    match op.attributes:
        case Conv2DAttributes() as a:
            return _conv(subgraph, op, a.padding, (a.stride_h, a.stride_w),
                         (a.dilation_h_factor, a.dilation_w_factor), depthwise=False)  # fmt: skip
        case DepthwiseConv2DAttributes() as a:
            return _conv(subgraph, op, a.padding, (a.stride_h, a.stride_w),
                         (a.dilation_h_factor, a.dilation_w_factor), depthwise=True)  # fmt: skip
        case TransposeConvAttributes() as a:
            return _transpose_conv(subgraph, op, a)
        case Pool2DAttributes() as a:
            return _pool(subgraph, op, a)
        case FullyConnectedAttributes():
            return _fully_connected(subgraph, op)
        case _:
            return None


def _conv(
    subgraph: Subgraph, op: Op, padding: Padding, stride: tuple[int, int], dilation: tuple[int, int],
    *, depthwise: bool,
) -> OpDims | None:  # fmt: skip
    data, weight = _tensor(subgraph, op, 0), _tensor(subgraph, op, 1)
    if data is None or weight is None or len(data.shape) != 4 or len(weight.shape) != 4:
        return None
    n, h, w, c = _nhwc(data.shape)
    out_c = weight.shape[3] if depthwise else weight.shape[0]
    rows = slide(h, kernel=weight.shape[1], stride=stride[0], dilation=dilation[0], padding=padding)
    cols = slide(w, kernel=weight.shape[2], stride=stride[1], dilation=dilation[1], padding=padding)
    return OpDims(
        batch=n, in_h=h, in_w=w, in_c=c, out_h=rows.extent_out, out_w=cols.extent_out, out_c=out_c,
        rows=rows, cols=cols, filter_c=1 if depthwise else weight.shape[3],
        depth_multiplier=out_c // c if depthwise and c else 1,
        input_dtype=data.dtype, weight_dtype=weight.dtype,
    )  # fmt: skip


def _transpose_conv(subgraph: Subgraph, op: Op, a: TransposeConvAttributes) -> OpDims | None:
    weight, data = _tensor(subgraph, op, 1), _tensor(subgraph, op, 2)
    if data is None or weight is None or not op.outputs or len(weight.shape) != 4:
        return None
    out = subgraph.tensors[op.outputs[0]]
    if len(data.shape) != 4 or len(out.shape) != 4:
        return None
    n, h, w, c = _nhwc(data.shape)
    _, out_h, out_w, out_c = _nhwc(out.shape)
    rows = slide(out_h, kernel=weight.shape[1], stride=a.stride_h, dilation=1, padding=a.padding)
    cols = slide(out_w, kernel=weight.shape[2], stride=a.stride_w, dilation=1, padding=a.padding)
    return OpDims(
        batch=n, in_h=h, in_w=w, in_c=c, out_h=out_h, out_w=out_w, out_c=out_c, rows=rows, cols=cols,
        filter_c=weight.shape[3], depth_multiplier=1, input_dtype=data.dtype, weight_dtype=weight.dtype,
    )  # fmt: skip


def _pool(subgraph: Subgraph, op: Op, a: Pool2DAttributes) -> OpDims | None:
    data = _tensor(subgraph, op, 0)
    if data is None or len(data.shape) != 4:
        return None
    n, h, w, c = _nhwc(data.shape)
    rows = slide(h, kernel=a.filter_height, stride=a.stride_h, dilation=1, padding=a.padding)
    cols = slide(w, kernel=a.filter_width, stride=a.stride_w, dilation=1, padding=a.padding)
    return OpDims(
        batch=n, in_h=h, in_w=w, in_c=c, out_h=rows.extent_out, out_w=cols.extent_out, out_c=c,
        rows=rows, cols=cols, filter_c=1, depth_multiplier=1, input_dtype=data.dtype, weight_dtype=None,
    )  # fmt: skip


def _fully_connected(subgraph: Subgraph, op: Op) -> OpDims | None:
    data, weight = _tensor(subgraph, op, 0), _tensor(subgraph, op, 1)
    if data is None or weight is None or len(weight.shape) != 2:
        return None
    out_c, in_c = weight.shape
    one = Window(1, 1, 1, 1, 1, 0, 0)
    return OpDims(
        batch=data.element_count // in_c if in_c else 0, in_h=1, in_w=1, in_c=in_c,
        out_h=1, out_w=1, out_c=out_c, rows=one, cols=one, filter_c=in_c, depth_multiplier=1,
        input_dtype=data.dtype, weight_dtype=weight.dtype,
    )  # fmt: skip
