"""How much scratch do the ESP-NN kernels request? specs/tflm_memory.md section 8.5 (ESP-NN d45b843c).

Requests follow the op's types and extents only: dilation and grouping change the kernel, not the request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ...graphs.dims import OpDims
from ...graphs.ir import DType, Op, Subgraph
from ..operands import dims_of, operand
from .rounding import up
from .scratch_reference import Rule, unpacked_filter

if TYPE_CHECKING:
    from ...devices.target import KernelBuild

S3_DEPTHWISE_FULL_BYTES = 40960  # a padded image above this is processed in rows
S3_DEPTHWISE_TILE_BYTES = 49152
P4_CONV_BUDGET_BYTES = 32768


def _is_plain_1x1(d: OpDims) -> bool:
    unit = d.rows.stride == 1 and d.cols.stride == 1
    return d.k_h == 1 and d.k_w == 1 and unit and not d.has_padding


def _conv_1x1(d: OpDims, slack_bytes: int) -> int:
    """(Cin mod 8 ? W*H*c8 : 0) + c8*Cout + (W*H >= 8 ? 16*c8 : 0) + slack."""
    c8, pixels = up(d.in_c, 8), d.in_w * d.in_h
    return (
        (pixels * c8 if d.in_c % 8 else 0) + c8 * d.out_c + (16 * c8 if pixels >= 8 else 0) + slack_bytes
    )


def conv_s3(d: OpDims) -> int:
    """1x1, im2col of a narrow row, or padded rows (ESP32-S3 conv)."""
    if _is_plain_1x1(d):
        return _conv_1x1(d, 64)
    row = d.k_w * d.in_c
    window = row * d.k_h
    if row < 16 and window >= 16:
        return 4 * d.out_c + 16 + d.out_c * up(window, 16) + 16 + up(window, 16) + 64
    pw, ph = d.cols.pad_before, d.rows.pad_before
    padded = (d.in_w + 2 * pw) * (d.in_h + 2 * ph) * d.in_c if d.has_padding else 0
    filters = d.k_w * d.k_h * up(d.in_c, 16) * d.out_c + up(row, 16) * d.k_h * d.out_c
    r = max(0, d.out_w * d.cols.stride + d.k_w - 1 - d.in_w)
    b = max(0, d.out_h * d.rows.stride + d.k_h - 1 - d.in_h)
    overhang = (d.in_w + r) * (d.in_h + b) * d.in_c if r > 0 or b > 0 else 0
    return padded + filters + overhang + 64 + 4 * d.out_c


def depthwise_s3(d: OpDims) -> int:
    """SIMD variants by channel count and multiplier (ESP32-S3 depthwise)."""
    m = d.depth_multiplier
    f = d.k_w * d.k_h * d.in_c * m
    image = d.in_w * d.in_h * d.in_c
    if m == 1 and d.in_c % 8 == 0:
        if d.k_h == 3 and d.k_w == 3:
            return _depthwise_s3_3x3(d, f, image)
        s = 2 * (f + image)
        return s + 32 if s <= S3_DEPTHWISE_TILE_BYTES else 2 * f + 2 * d.in_w * d.k_h * d.in_c + 32
    if m == 1 and d.in_c > 3:
        n = up(d.in_c, 8)
        inputs = up(up(2 * d.k_w * d.k_h * n, 16) + 2 * d.in_w * d.in_h * n, 16)
        return up(inputs + d.out_w * d.out_h * n, 16) + 12 * n + 16
    return 2 * (f + image) + 32 if m % 4 == 0 else 32


def _depthwise_s3_3x3(d: OpDims, f: int, image: int) -> int:
    pw, ph = d.cols.pad_before, d.rows.pad_before
    beyond_w = d.out_w * d.cols.stride + 2 - d.in_w
    beyond_h = d.out_h * d.rows.stride + 2 - d.in_h
    if d.in_c % 16 == 0:
        dx, dy = (2 * pw, 2 * ph) if d.has_padding else (beyond_w, beyond_h)
        if dx == 0 and dy == 0:
            return f + 16
        full = (d.in_w + dx) * (d.in_h + dy) * d.in_c
        return f + 16 + (full if full <= S3_DEPTHWISE_FULL_BYTES else (d.in_w + dx) * 3 * d.in_c)
    if d.in_c >= 12:
        n = up(d.in_c, 16)
        dx, dy = 2 * pw + max(0, beyond_w), 2 * ph + max(0, beyond_h)
        return 9 * n + (d.in_w + dx) * (d.in_h + dy) * n + d.out_w * d.out_h * n + 64
    return 2 * (f + image) + 32


def conv_p4(d: OpDims) -> int:
    """ESP32-P4 conv: 1x1, unpadded rows, im2col, or expanded channels for windows below 16 elements."""
    if _is_plain_1x1(d):
        return 20 * d.out_c + 64 if d.in_c < 16 else _conv_1x1(d, 32)
    row = d.k_w * d.in_c
    if not d.has_padding and row >= 16:
        return d.k_w * d.k_h * up(d.in_c, 16) * d.out_c + 32 + 4 * d.out_c
    if row * d.k_h >= 16:
        return 4 * d.out_c + row * d.k_h + 32
    e = up(-(-16 // max(d.k_w, 1)), 16)
    if not d.has_padding:
        return 4 * d.out_c + d.k_w * d.k_h * e * d.out_c + d.in_w * d.in_h * e + 32
    return _conv_p4_padded(d, e)


def _conv_p4_padded(d: OpDims, e: int) -> int:
    pw, ph = d.cols.pad_before, d.rows.pad_before
    full = (d.in_w + 2 * pw) * (d.in_h + 2 * ph) * d.in_c
    if full + 4 * d.out_c <= P4_CONV_BUDGET_BYTES:
        return full + d.k_w * d.k_h * up(d.in_c, 16) * d.out_c + 32 + 4 * d.out_c
    narrow = d.k_w * d.in_c < 16
    filters = d.k_w * d.k_h * e * d.out_c if narrow else 0
    padded_row = max(1, (d.in_w + 2 * pw) * (e if narrow else d.in_c))
    budget = P4_CONV_BUDGET_BYTES - 4 * d.out_c - filters
    spare = budget - d.k_h * padded_row
    tile_rows = min(spare // (d.rows.stride * padded_row) + 1, d.out_h) if spare >= 0 else 1
    rows = (tile_rows - 1) * d.rows.stride + d.k_h + 2 * ph
    return rows * padded_row + filters + 32 + 4 * d.out_c


Extent = Callable[[OpDims], int]
_CONV: dict[str, Extent] = {"s3": conv_s3, "p4": conv_p4}
_DEPTHWISE: dict[str, Extent] = {"s3": depthwise_s3}


def _conv(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    return _windowed(subgraph, op, build, own=_CONV.get(build.flavour))


def _depthwise(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    return _windowed(subgraph, op, build, own=_DEPTHWISE.get(build.flavour))


def _windowed(subgraph: Subgraph, op: Op, build: KernelBuild, *, own: Extent | None) -> Sequence[int]:
    """The reference kernel's request for an int4 filter first, then ESP-NN's own if it is not 0."""
    dims = dims_of(subgraph, op)
    first = tuple(unpacked_filter(subgraph, op, build))
    if dims is None or dims.input_dtype is not DType.INT8 or own is None:
        return first
    size_bytes = own(dims)
    return (*first, size_bytes) if size_bytes > 0 else first


def _softmax(subgraph: Subgraph, op: Op, build: KernelBuild) -> Sequence[int]:
    """int8 to int8: 4*shape[1] of the input (a vector counts its own length); a build for plain ANSI C: 0."""
    data = operand(subgraph, op, 0)
    if build.flavour == "ansi" or data is None or data.dtype is not DType.INT8 or not data.shape:
        return ()
    if not op.outputs or subgraph.tensors[op.outputs[0]].dtype is not DType.INT8:
        return ()
    return (4 * data.shape[1 if len(data.shape) > 1 else 0],)


RULES: dict[str, Rule] = {"CONV_2D": _conv, "DEPTHWISE_CONV_2D": _depthwise, "SOFTMAX": _softmax}
