"""Graphs of one op, or of plain chains, for tests of kernels and memory; and the kernel builds they use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np
from preflash.devices.target import KernelBuild
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import OPTIONAL, DType, ModelGraph, Op, Quantization, Subgraph, Tensor, wire
from preflash.graphs.ops import (
    Conv2DAttributes,
    DepthwiseConv2DAttributes,
    OpAttributes,
    TransposeConvAttributes,
)

ARM, INT_ENUM = "arm32-short-enum", "int32-enum"
REFERENCE = KernelBuild("reference", "", ARM)
PLAIN_C = KernelBuild("cmsis-nn", "c", ARM)
DSP = KernelBuild("cmsis-nn", "dsp", ARM)
MVE = KernelBuild("cmsis-nn", "mve", ARM)
S3 = KernelBuild("esp-nn", "s3", INT_ENUM)
P4 = KernelBuild("esp-nn", "p4", INT_ENUM)
ESP_GENERIC = KernelBuild("esp-nn", "generic", INT_ENUM)
BUILDS = {"ref": REFERENCE, "c": PLAIN_C, "dsp": DSP, "mve": MVE, "s3": S3, "p4": P4, "generic": ESP_GENERIC}


def t(
    *shape: int, dtype: str = "int8", constant: bool = False, scales: int = 0, variable: bool = False
) -> Tensor:
    """A tensor without a place yet."""
    kind = DType(dtype)
    data = bytes((prod(shape) * (kind.bits or 8) + 7) // 8) if constant else None
    grid = Quantization(np.ones(scales, np.float32), np.zeros(scales, np.int64)) if scales else None
    return Tensor(0, "", kind, shape, data, grid, is_variable=variable)


def subgraph(
    tensors: Sequence[Tensor], ops: Sequence[Op], inputs: Sequence[int], outputs: Sequence[int]
) -> Subgraph:
    numbered = [replace(tensor, index=i, name=f"t{i}") for i, tensor in enumerate(tensors)]
    return wire(numbered, ops, inputs=inputs, outputs=outputs)


def op(
    kind: str, inputs: Sequence[int], outputs: Sequence[int], attributes: OpAttributes | None = None
) -> Op:
    return Op(0, kind, tuple(inputs), tuple(outputs), attributes)


def one_op(
    kind: str, inputs: Sequence[Tensor | None], out: Tensor, attributes: OpAttributes | None = None,
    *, custom_options: bytes = b"",
) -> ModelGraph:  # fmt: skip
    """A graph of this op; `None` is an omitted input. A kind of TFLM's own is written "CUSTOM:name"."""
    present = [tensor for tensor in inputs if tensor is not None]
    order = iter(range(len(present)))
    indices = [OPTIONAL if tensor is None else next(order) for tensor in inputs]
    kind, _, code = kind.partition(":")
    one = Op(
        0, kind, tuple(indices), (len(present),), attributes, custom_code=code, custom_options=custom_options
    )
    activations = [i for i, tensor in enumerate(present) if tensor.data is None and not tensor.is_variable]
    return ModelGraph((subgraph([*present, out], [one], activations, [len(present)]),), name=kind.lower())


def conv(
    extent: tuple[int, int, int], kernel: tuple[int, int, int], *, stride: tuple[int, int] = (1, 1),
    padding: Padding = Padding.SAME, dilation: int = 1, dtype: str = "int8", weights: str = "int8",
    bias: str = "int32", groups: int = 1, batch: int = 1,
) -> ModelGraph:  # fmt: skip
    """(h, w, Cin) with a filter of (Kh, Kw, Cout)."""
    (h, w, c), (kh, kw, cout) = extent, kernel
    a = Conv2DAttributes(
        padding=padding, stride_h=stride[0], stride_w=stride[1],
        dilation_h_factor=dilation, dilation_w_factor=dilation,
    )  # fmt: skip
    oh, ow = _out(h, kh, stride[0], dilation, padding), _out(w, kw, stride[1], dilation, padding)
    return one_op(
        "CONV_2D",
        [
            t(batch, h, w, c, dtype=dtype),
            t(cout, kh, kw, c // groups, dtype=weights, constant=True, scales=cout),
            t(cout, dtype=bias, constant=True, scales=cout),
        ],
        t(batch, oh, ow, cout, dtype=dtype),
        a,
    )


def depthwise(
    extent: tuple[int, int, int], kernel: tuple[int, int], *, multiplier: int = 1, stride: int = 1,
    padding: Padding = Padding.SAME, dilation: int = 1, dtype: str = "int8", weights: str = "int8",
    batch: int = 1,
) -> ModelGraph:  # fmt: skip
    """(h, w, Cin) with a filter of (Kh, Kw)."""
    (h, w, c), (kh, kw) = extent, kernel
    a = DepthwiseConv2DAttributes(
        padding=padding, stride_h=stride, stride_w=stride, depth_multiplier=multiplier,
        dilation_h_factor=dilation, dilation_w_factor=dilation,
    )  # fmt: skip
    oh, ow = _out(h, kh, stride, dilation, padding), _out(w, kw, stride, dilation, padding)
    cout = c * multiplier
    return one_op(
        "DEPTHWISE_CONV_2D",
        [
            t(batch, h, w, c, dtype=dtype),
            t(1, kh, kw, cout, dtype=weights, constant=True, scales=cout),
            t(cout, dtype="int32", constant=True, scales=cout),
        ],
        t(batch, oh, ow, cout, dtype=dtype),
        a,
    )


def fully_connected(
    rows: int, depth: int, width: int, *, out: tuple[int, ...] = (), scales: int = 1, dtype: str = "int8",
    weights: str = "int8", constant: bool = True, bias: bool = True,
) -> ModelGraph:  # fmt: skip
    return one_op(
        "FULLY_CONNECTED",
        [
            t(rows, depth, dtype=dtype),
            t(width, depth, dtype=weights, constant=constant, scales=scales),
            t(width, dtype="int32", constant=True) if bias else None,
        ],
        t(*(out or (rows, width)), dtype=dtype),
    )


def transpose_conv(
    extent: tuple[int, int, int], kernel: tuple[int, int, int], *, stride: int = 2, dtype: str = "int8"
) -> ModelGraph:
    (h, w, c), (kh, kw, cout) = extent, kernel
    return one_op(
        "TRANSPOSE_CONV",
        [
            t(4, dtype="int32", constant=True),
            t(cout, kh, kw, c, constant=True, scales=cout),
            t(1, h, w, c, dtype=dtype),
        ],
        t(1, h * stride, w * stride, cout, dtype=dtype),
        TransposeConvAttributes(padding=Padding.SAME, stride_h=stride, stride_w=stride),
    )


def chain(*extents: int) -> ModelGraph:
    """RELU after RELU over int8 vectors of these lengths (RELU here may change the length)."""
    tensors = [t(1, n) for n in extents]
    ops = [op("RELU", [i], [i + 1]) for i in range(len(extents) - 1)]
    return ModelGraph((subgraph(tensors, ops, [0], [len(extents) - 1]),), name="chain")


def _out(extent: int, kernel: int, stride: int, dilation: int, padding: Padding) -> int:
    reach = 0 if padding is Padding.SAME else (kernel - 1) * dilation
    return -(-(extent - reach) // stride)
