"""How a model is written down in code: append ops, and shapes, versions and quantization follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import GraphInvalid
from . import ops as kinds
from .grids import KEEPS_QUANTIZATION, version_of
from .ir import OPTIONAL, DType, ModelGraph, Op, Quantization, Subgraph, Tensor, wire
from .ops import Activation, OpAttributes
from .quantities import DTYPE_OF_NUMPY, NUMPY_OF_DTYPE, affine, fixed, is_fixed, symmetric
from .shapes import infer_shapes

Array = npt.NDArray[Any]

_CLIPS = {
    Activation.RELU: (0.0, np.inf), Activation.RELU6: (0.0, 6.0), Activation.RELU_N1_TO_1: (-1.0, 1.0),
}  # fmt: skip
_CLIP_KINDS = {"RELU": Activation.RELU, "RELU6": Activation.RELU6, "RELU_N1_TO_1": Activation.RELU_N1_TO_1}
_DATA_INPUT = {"TRANSPOSE_CONV": 2, "SPLIT": 1}  # 0 for the rest
_TAILS = 4.0  # quantized ranges reach this many standard deviations


class GraphBuilder:
    """A model under construction; every method appends and returns the index of the tensor it made.

    Activations have the builder's dtype: float32, int8 or int16 (weights int8, biases int32 and int64).
    Weights are seeded and scaled so that the spread of the signal stays the same from op to op.

    >>> b = GraphBuilder("tiny", dtype=DType.INT8)
    >>> x = b.input((1, 8, 8, 3))
    >>> y = b.conv(x, 4, (3, 3), kinds.Conv2DAttributes(fused_activation_function=Activation.RELU))
    >>> graph = b.finish([b.softmax(b.fully_connected(b.reshape(y, (1, 256)), 10))])
    >>> [op.kind for op in graph.ops]
    ['CONV_2D', 'RESHAPE', 'FULLY_CONNECTED', 'SOFTMAX']
    """

    def __init__(self, name: str = "built", *, dtype: DType = DType.INT8, seed: int = 0) -> None:
        self.name = name
        self.dtype = DType(dtype)
        self._random = np.random.default_rng(seed)
        self._tensors: list[Tensor] = []
        self._ops: list[Op] = []
        self._inputs: list[int] = []
        self._spread: dict[int, float] = {}  # tensor -> expected root mean square

    # Tensors.

    def tensor(
        self, shape: Sequence[int], *, name: str = "", dtype: DType | None = None,
        quantization: Quantization | None = None, data: bytes | None = None,
    ) -> int:  # fmt: skip
        """Any tensor, exactly as told."""
        index = len(self._tensors)
        made = Tensor(index, name or f"tensor_{index}", dtype or self.dtype, tuple(shape), data, quantization)
        self._tensors.append(made)
        return index

    def input(
        self, shape: Sequence[int], *, name: str = "input", quantization: Quantization | None = None
    ) -> int:
        """A graph input; values are expected in [-1, 1] unless its quantization says otherwise."""
        if quantization is None and not self.dtype.is_float:
            quantization = affine(-1.0, 1.0, self.dtype)
        index = self.tensor(shape, name=name, quantization=quantization)
        self._inputs.append(index)
        self._spread[index] = 1 / sqrt(3)
        return index

    def constant(self, values: Array, *, name: str = "", quantization: Quantization | None = None) -> int:
        """A constant, stored as the array's own type."""
        values = np.asarray(values)
        dtype = DTYPE_OF_NUMPY[values.dtype.name]
        data = np.ascontiguousarray(values).tobytes()
        return self.tensor(values.shape, name=name, dtype=dtype, quantization=quantization, data=data)

    def quantized_constant(self, values: Array, *, name: str = "", axis: int | None = None) -> int:
        """Float values as weights: float32, or int8 symmetric per channel of `axis`."""
        if self.dtype.is_float:
            index = self.constant(values.astype(np.float32), name=name)
        else:
            stored, quantization = symmetric(values, axis=axis)
            index = self.constant(stored, name=name, quantization=quantization)
        self._spread[index] = float(np.sqrt(np.mean(np.square(values)))) if values.size else 0.0
        return index

    def activation_constant(self, values: Array, *, name: str = "") -> int:
        """Float values as a constant of the activations' own type, for the second operand of ADD or MUL."""
        if self.dtype.is_float:
            return self.constant(values.astype(np.float32), name=name)
        quantization = affine(float(values.min()), float(values.max()), self.dtype)
        stored = np.round(values / quantization.scales[0]) + quantization.zero_points[0]
        index = self.constant(stored.astype(NUMPY_OF_DTYPE[self.dtype]), name=name, quantization=quantization)
        self._spread[index] = float(np.sqrt(np.mean(np.square(values))))
        return index

    # Ops.

    def op(
        self, kind: str, inputs: Sequence[int], attributes: OpAttributes | None = None, *,
        shapes: Sequence[Sequence[int]] | None = None, outputs: Sequence[int] | None = None,
    ) -> tuple[int, ...]:  # fmt: skip
        """Any op; its output tensors are made by the shape rules unless `shapes` or `outputs` are given."""
        has_input = any(i != OPTIONAL for i in inputs)
        version = version_of(kind, self._source(kind, inputs).dtype if has_input else DType.FLOAT32)
        op = Op(len(self._ops), kind, tuple(inputs), (), attributes, version)
        if outputs is None:
            if shapes is None:
                shapes = infer_shapes(self._subgraph([*self._ops, op]), op)
            if shapes is None:
                raise GraphInvalid(
                    f"{kind} has no shape rule",
                    faults=[f"op {op.index}"],
                    fix="pass shapes=[...] or outputs=[...]",
                )
            outputs = [self._output(op, shape, n) for n, shape in enumerate(shapes)]
        self._ops.append(Op(op.index, kind, op.inputs, tuple(outputs), attributes, version))
        return tuple(outputs)

    def conv(
        self, x: int, channels: int, kernel: tuple[int, int] = (1, 1),
        attributes: kinds.Conv2DAttributes | None = None,
    ) -> int:  # fmt: skip
        """CONV_2D with seeded weights (channels, kernel height, kernel width, depth) and bias."""
        depth = self._tensors[x].shape[3]
        weight = self._weights((channels, *kernel, depth), axis=0)
        bias = self._bias(x, weight, channels)
        return self.op("CONV_2D", (x, weight, bias), attributes or kinds.Conv2DAttributes())[0]

    def depthwise(
        self,
        x: int,
        kernel: tuple[int, int] = (3, 3),
        attributes: kinds.DepthwiseConv2DAttributes | None = None,
    ) -> int:
        """DEPTHWISE_CONV_2D with seeded weights (1, kernel height, kernel width, channels) and bias."""
        attributes = attributes or kinds.DepthwiseConv2DAttributes()
        channels = self._tensors[x].shape[3] * attributes.depth_multiplier
        weight = self._weights((1, *kernel, channels), axis=3)
        bias = self._bias(x, weight, channels)
        return self.op("DEPTHWISE_CONV_2D", (x, weight, bias), attributes)[0]

    def fully_connected(
        self, x: int, units: int, activation: Activation = Activation.NONE, *, keep_num_dims: bool = False
    ) -> int:
        """FULLY_CONNECTED with seeded weights (units, depth), per tensor, and bias."""
        shape = self._tensors[x].shape
        depth = shape[-1] if keep_num_dims else prod(shape[1:])
        weight = self._weights((units, depth), axis=None)
        bias = self._bias(x, weight, units)
        attributes = kinds.FullyConnectedAttributes(activation, keep_num_dims=keep_num_dims)
        return self.op("FULLY_CONNECTED", (x, weight, bias), attributes)[0]

    def pool(self, kind: str, x: int, attributes: kinds.Pool2DAttributes | None = None) -> int:
        """AVERAGE_POOL_2D or MAX_POOL_2D; without attributes over the whole picture."""
        _, height, width, _ = self._tensors[x].shape
        whole = kinds.Pool2DAttributes(
            stride_w=width, stride_h=height, filter_width=width, filter_height=height
        )
        return self.op(kind, (x,), attributes or whole)[0]

    def add(self, a: int, b: int, activation: Activation = Activation.NONE) -> int:
        return self.op("ADD", (a, b), kinds.AddAttributes(activation))[0]

    def mul(self, a: int, b: int, activation: Activation = Activation.NONE) -> int:
        return self.op("MUL", (a, b), kinds.MulAttributes(activation))[0]

    def sub(self, a: int, b: int, activation: Activation = Activation.NONE) -> int:
        return self.op("SUB", (a, b), kinds.SubAttributes(activation))[0]

    def unary(self, kind: str, x: int) -> int:
        """An op with one input, one output and no attributes: RELU, RELU6, LOGISTIC, TANH, HARD_SWISH, ..."""
        return self.op(kind, (x,))[0]

    def softmax(self, x: int, beta: float = 1.0) -> int:
        return self.op("SOFTMAX", (x,), kinds.SoftmaxAttributes(beta))[0]

    def reshape(self, x: int, shape: Sequence[int]) -> int:
        target = self.constant(np.array(shape, np.int32), name="shape")
        return self.op("RESHAPE", (x, target), kinds.ReshapeAttributes(tuple(shape)))[0]

    def pad(self, x: int, paddings: Sequence[tuple[int, int]]) -> int:
        """PAD by (before, after) per dimension with zeros."""
        return self.op("PAD", (x, self.constant(np.array(paddings, np.int32), name="paddings")))[0]

    def mean(self, x: int, axes: Sequence[int], *, keep_dims: bool = False) -> int:
        axis = self.constant(np.array(axes, np.int32), name="axes")
        return self.op("MEAN", (x, axis), kinds.ReducerAttributes(keep_dims))[0]

    def concat(self, parts: Sequence[int], axis: int = -1) -> int:
        return self.op("CONCATENATION", tuple(parts), kinds.ConcatenationAttributes(axis))[0]

    def on_grid_of(self, x: int, other: int) -> int:
        """`x`, with its quantization set to that of `other`: what CONCATENATION asks of all its inputs."""
        self._tensors[x] = replace(self._tensors[x], quantization=self._tensors[other].quantization)
        return x

    def finish(self, outputs: Sequence[int]) -> ModelGraph:
        """The model: what was appended so far, with these graph outputs."""
        wired = wire(self._tensors, self._ops, inputs=self._inputs, outputs=outputs, name="main")
        return ModelGraph((wired,), name=self.name)

    def _subgraph(self, ops: Sequence[Op]) -> Subgraph:
        return Subgraph(tuple(self._tensors), tuple(ops), tuple(self._inputs), ())

    def _weights(self, shape: tuple[int, ...], *, axis: int | None) -> int:
        """Normal values of deviation sqrt(2 / fan-in) (He et al. 2015): RELU keeps the spread."""
        fan_in = prod(shape) // (shape[0] if axis != 3 else shape[3])
        values = self._random.standard_normal(shape, np.float32) * np.float32(sqrt(2 / max(1, fan_in)))
        return self.quantized_constant(values, name="weights", axis=axis)

    def _bias(self, x: int, weight: int, channels: int) -> int:
        """A tenth of the input's spread; integers of scale input x weight, as TFLite requires."""
        values = self._random.standard_normal(channels) * 0.1 * self._spread.get(x, 1.0)
        if self.dtype.is_float:
            return self.constant(values.astype(np.float32), name="bias")
        data, filters = self._tensors[x].quantization, self._tensors[weight].quantization
        assert data is not None and filters is not None  # both made by this builder
        scales = (data.scales[0] * filters.scales).astype(np.float32)
        stored_type = np.int64 if self.dtype is DType.INT16 else np.int32
        stored = np.round(values / scales).astype(stored_type)
        zeros = np.zeros(len(scales), np.int64)
        return self.constant(stored, name="bias", quantization=Quantization(scales, zeros))

    def _source(self, kind: str, inputs: Sequence[int]) -> Tensor:
        """The data input, whose type the outputs have; before it may come a shape or an axis."""
        given = [i for i in inputs if i != OPTIONAL]
        return self._tensors[given[min(_DATA_INPUT.get(kind, 0), len(given) - 1)] if given else 0]

    def _output(self, op: Op, shape: Sequence[int], position: int) -> int:
        source = self._source(op.kind, op.inputs)
        spread = self._expected_spread(op)
        low, high = _clip(op)
        dtype = source.dtype if op.kind not in ("DEQUANTIZE",) else DType.FLOAT32
        quantization = None
        if dtype in (DType.INT8, DType.UINT8, DType.INT16):
            if is_fixed(op.kind, dtype):
                quantization = fixed(op.kind, dtype)
            elif op.kind in KEEPS_QUANTIZATION:
                quantization = source.quantization
            else:
                quantization = affine(max(low, -_TAILS * spread), min(high, _TAILS * spread), dtype)
        name = f"{op.kind.lower()}_{op.index}" + (f"_{position}" if position else "")
        index = self.tensor(shape, name=name, dtype=dtype, quantization=quantization)
        is_halved = low == 0 or op.kind == "HARD_SWISH"  # what is far below zero becomes zero
        self._spread[index] = min(spread / sqrt(2) if is_halved else spread, high)
        return index

    def _expected_spread(self, op: Op) -> float:
        """Root mean square of the op's result before its activation, inputs taken as independent."""
        first, *rest = (self._spread.get(i, 1.0) for i in op.inputs if i != OPTIONAL)
        if op.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            shape = self._tensors[op.inputs[1]].shape
            fan_in = prod(shape) // (shape[3] if op.kind == "DEPTHWISE_CONV_2D" else shape[0])
            return first * rest[0] * sqrt(max(1, fan_in))
        if op.kind in ("ADD", "SUB"):
            return sqrt(first**2 + rest[0] ** 2)
        if op.kind == "SQUARED_DIFFERENCE":
            return first**2 + rest[0] ** 2
        if op.kind == "RSQRT":
            return 1 / sqrt(max(first, 1e-12))
        if op.kind in ("TANH", "LOGISTIC", "SOFTMAX"):
            return min(first, 1.0)
        return first * rest[0] if op.kind == "MUL" else first


def _clip(op: Op) -> tuple[float, float]:
    fused = getattr(op.attributes, "fused_activation_function", Activation.NONE)
    return _CLIPS.get(_CLIP_KINDS.get(op.kind, fused), (-np.inf, np.inf))
