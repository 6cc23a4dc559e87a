"""Which X-CUBE-AI kernels read a copy of their input with the border written out, and how large is it?"""

from __future__ import annotations

from math import prod

from ....graphs.ir import Op, Subgraph
from ...operands import dims_of

_PICTURE_CHANNELS = 4  # the kernel of the first convolution pads as it goes


def padded_shape(main: Subgraph, op: Op) -> tuple[int, int, int, int] | None:
    """The copy, NHWC; None if the kernel reads its input as it is.

    An explicit PAD keeps its extent. SAME padding is written as Kh - 1 rows and Kw - 1 columns, whatever the
    stride (114 x 114 for 112 x 112 at stride 2 in a generated network.c; 40.19 KiB of a 96 x 96 MobileNetV1).
    """
    dims = dims_of(main, op)
    if dims is None or op.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return None
    if op.fused and op.fused[0].kind == "PAD":
        n, h, w, c = main.tensors[op.fused[0].outputs[0]].shape
        return n, h, w, c
    padding = dims.rows.pad_total + dims.cols.pad_total
    if not padding or (op.kind == "CONV_2D" and dims.in_c <= _PICTURE_CHANNELS):
        return None
    return dims.batch, dims.in_h + dims.k_h - 1, dims.in_w + dims.k_w - 1, dims.in_c


def padded_bytes(main: Subgraph, op: Op) -> int:
    """Bytes of that copy; 0 without one."""
    shape, dims = padded_shape(main, op), dims_of(main, op)
    if shape is None or dims is None:
        return 0
    return prod(shape) * max(1, (dims.input_dtype.bits or 8) // 8)
