"""Small graphs for the tests of costs, wired by hand: no builder between the test and the shapes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from preflash.graphs.geometry import Padding, slide
from preflash.graphs.ir import DType, ModelGraph, Op, Quantization, Tensor, wire
from preflash.graphs.ops import (
    Conv2DAttributes,
    DepthwiseConv2DAttributes,
    FullyConnectedAttributes,
    OpAttributes,
    Pool2DAttributes,
)

_BYTES = {DType.INT8: 1, DType.INT16: 2, DType.INT32: 4, DType.FLOAT32: 4, DType.UINT8: 1}


def tensor(index: int, shape: Sequence[int], *, dtype: DType = DType.INT8, constant: bool = False) -> Tensor:
    size = prod(shape) if dtype is DType.INT4 else prod(shape) * _BYTES[dtype]
    stored = (size + 1) // 2 if dtype is DType.INT4 else size
    quantization: Quantization | None = None
    return Tensor(index, f"t{index}", dtype, tuple(shape), bytes(stored) if constant else None, quantization)


def one_op(
    kind: str, tensors: Sequence[Tensor], *, inputs: Sequence[int], outputs: Sequence[int],
    attributes: OpAttributes | None = None, custom_code: str = "",
) -> ModelGraph:  # fmt: skip
    op = Op(0, kind, tuple(inputs), tuple(outputs), attributes, custom_code=custom_code)
    fed = [i for i in inputs if i >= 0 and tensors[i].data is None]
    return ModelGraph((wire(tensors, [op], inputs=fed, outputs=outputs),), name=kind.lower())


def conv(
    side: int, in_c: int, out_c: int, *, kernel: int = 1, stride: int = 1, padding: Padding = Padding.SAME,
    dtype: DType = DType.INT8,
) -> ModelGraph:  # fmt: skip
    window = slide(side, kernel=kernel, stride=stride, dilation=1, padding=padding)
    weight = DType.INT8 if dtype is DType.INT16 else dtype
    bias = DType.FLOAT32 if dtype is DType.FLOAT32 else DType.INT32
    tensors = [
        tensor(0, (1, side, side, in_c), dtype=dtype),
        tensor(1, (out_c, kernel, kernel, in_c), dtype=weight, constant=True),
        tensor(2, (out_c,), dtype=bias, constant=True),
        tensor(3, (1, window.extent_out, window.extent_out, out_c), dtype=dtype),
    ]
    attributes = Conv2DAttributes(padding, stride, stride)
    return one_op("CONV_2D", tensors, inputs=(0, 1, 2), outputs=(3,), attributes=attributes)


def depthwise(
    side: int, channels: int, *, kernel: int = 3, multiplier: int = 1, stride: int = 1
) -> ModelGraph:
    window = slide(side, kernel=kernel, stride=stride, dilation=1, padding=Padding.SAME)
    out_c = channels * multiplier
    tensors = [
        tensor(0, (1, side, side, channels)),
        tensor(1, (1, kernel, kernel, out_c), constant=True),
        tensor(2, (out_c,), dtype=DType.INT32, constant=True),
        tensor(3, (1, window.extent_out, window.extent_out, out_c)),
    ]
    attributes = DepthwiseConv2DAttributes(Padding.SAME, stride, stride, multiplier)
    return one_op("DEPTHWISE_CONV_2D", tensors, inputs=(0, 1, 2), outputs=(3,), attributes=attributes)


def fully_connected(in_c: int, out_c: int, *, rows: int = 1, dtype: DType = DType.INT8) -> ModelGraph:
    tensors = [
        tensor(0, (rows, in_c), dtype=dtype),
        tensor(1, (out_c, in_c), dtype=dtype, constant=True),
        tensor(2, (rows, out_c), dtype=dtype),
    ]
    attributes = FullyConnectedAttributes()
    return one_op("FULLY_CONNECTED", tensors, inputs=(0, 1, -1), outputs=(2,), attributes=attributes)


def pool(kind: str, side: int, channels: int, *, window: int) -> ModelGraph:
    out = slide(side, kernel=window, stride=window, dilation=1, padding=Padding.VALID).extent_out
    tensors = [tensor(0, (1, side, side, channels)), tensor(1, (1, out, out, channels))]
    attributes = Pool2DAttributes(Padding.VALID, window, window, window, window)
    return one_op(kind, tensors, inputs=(0,), outputs=(1,), attributes=attributes)


def elementwise(
    kind: str, shape: Sequence[int], *, operands: int = 1, dtype: DType = DType.INT8
) -> ModelGraph:
    tensors = [tensor(index, shape, dtype=dtype) for index in range(operands + 1)]
    return one_op(kind, tensors, inputs=range(operands), outputs=(operands,))


def chain(first: ModelGraph, second: ModelGraph) -> ModelGraph:
    """Both models in one, unconnected: two rows of one table."""
    shift = len(first.tensors)
    moved = [
        Tensor(t.index + shift, t.name + "b", t.dtype, t.shape, t.data, t.quantization)
        for t in second.tensors
    ]
    ops = [
        *first.ops,
        *(
            Op(op.index, op.kind, tuple(i + shift if i >= 0 else i for i in op.inputs),
               tuple(i + shift for i in op.outputs), op.attributes)
            for op in second.ops
        ),
    ]  # fmt: skip
    inputs = [*first.inputs, *(i + shift for i in second.inputs)]
    outputs = [*first.outputs, *(i + shift for i in second.outputs)]
    return ModelGraph((wire([*first.tensors, *moved], ops, inputs=inputs, outputs=outputs),), name="chain")
