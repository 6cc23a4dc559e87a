"""Graphs written down in code are sound, quantized as TFLite asks, and the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from preflash.graphs.build import GraphBuilder
from preflash.graphs.check import check
from preflash.graphs.ir import DType, ModelGraph, Tensor
from preflash.graphs.ops import (
    Activation,
    Conv2DAttributes,
    DepthwiseConv2DAttributes,
    Padding,
    ReducerAttributes,
)
from preflash.graphs.quantities import affine, fixed, symmetric


def _constant(tensor: Tensor, dtype: type) -> np.ndarray:
    assert tensor.data is not None
    return np.frombuffer(tensor.data, dtype).reshape(tensor.shape)


def _small(dtype: DType, seed: int = 0) -> ModelGraph:
    b = GraphBuilder("small", dtype=dtype, seed=seed)
    x = b.input((1, 8, 8, 3))
    y = b.conv(x, 4, (3, 3), Conv2DAttributes(fused_activation_function=Activation.RELU6))
    y = b.depthwise(y, (3, 3), DepthwiseConv2DAttributes(Padding.VALID, 2, 2, 2))
    return b.finish([b.softmax(b.fully_connected(b.reshape(y, (1, 72)), 5))])


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8, DType.INT16])
def test_a_built_graph_is_sound_and_knows_its_shapes(dtype: DType) -> None:
    graph = _small(dtype)
    check(graph)
    # 8x8 SAME -> 8x8x4; VALID 3x3 stride 2: (8 - 2) / 2 = 3, multiplier 2 -> 3x3x8 = 72
    assert [graph.tensors[op.outputs[0]].shape for op in graph.ops] == [
        (1, 8, 8, 4), (1, 3, 3, 8), (1, 72), (1, 5), (1, 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("dtype", "versions"),
    [(DType.FLOAT32, [1, 1, 1, 1, 1]), (DType.INT8, [3, 3, 1, 4, 2]), (DType.INT16, [4, 5, 1, 7, 3])],
)
def test_op_versions_are_those_of_the_converter(dtype: DType, versions: list[int]) -> None:
    assert [op.version for op in _small(dtype).ops] == versions


@pytest.mark.parametrize(("dtype", "stored"), [(DType.INT8, DType.INT32), (DType.INT16, DType.INT64)])
def test_a_bias_has_the_scale_of_input_times_weight(dtype: DType, stored: DType) -> None:
    graph = _small(dtype)
    for op in (op for op in graph.ops if len(op.inputs) == 3):
        data, weight, bias = (graph.tensors[i].quantization for i in op.inputs)
        assert data and weight and bias
        np.testing.assert_allclose(bias.scales, data.scales[0] * weight.scales, rtol=1e-6)
        assert graph.tensors[op.inputs[2]].dtype is stored


def test_convolution_weights_are_per_channel_and_dense_weights_per_tensor() -> None:
    graph = _small(DType.INT8)
    found = [graph.tensors[op.inputs[1]].quantization for op in graph.ops if len(op.inputs) == 3]
    assert [(len(q.scales), q.axis) for q in found if q] == [(4, 0), (8, 3), (1, 0)]


def test_weights_stay_symmetric_and_reach_127() -> None:
    stored, quantization = symmetric(np.array([[0.635, -0.1], [0.0, 0.0]]), axis=0)
    np.testing.assert_allclose(quantization.scales, [0.005, 1.0])  # SA-19: max|w| .635 -> .005
    assert stored.tolist() == [[127, -20], [0, 0]]


def test_an_asymmetric_range_keeps_zero_exact() -> None:
    quantization = affine(-1.5, 4.5, DType.INT8)  # SA-19: 6 / 255, -128 + 1.5 / scale = -64.25
    assert float(quantization.scales[0]) == pytest.approx(6 / 255)
    assert quantization.zero_points.tolist() == [-64]


def test_int16_ranges_are_symmetric() -> None:
    quantization = affine(-1.0, 3.0, DType.INT16)
    assert float(quantization.scales[0]) == pytest.approx(3 / 32767)
    assert quantization.zero_points.tolist() == [0]


@pytest.mark.parametrize(
    ("kind", "dtype", "scale", "zero"),
    [
        ("SOFTMAX", DType.INT8, 1 / 256, -128),
        ("LOGISTIC", DType.INT8, 1 / 256, -128),
        ("TANH", DType.INT8, 1 / 128, 0),
    ],
)
def test_bounded_functions_have_their_fixed_grid(kind: str, dtype: DType, scale: float, zero: int) -> None:
    quantization = fixed(kind, dtype)
    assert (float(quantization.scales[0]), int(quantization.zero_points[0])) == (scale, zero)


@pytest.mark.parametrize("kind", ["REDUCE_MAX", "REDUCE_MIN"])
def test_the_largest_and_smallest_value_stay_on_the_grid_of_their_input(kind: str) -> None:
    """TFLM's kernels refuse to run with another scale."""
    b = GraphBuilder("reduce")
    x = b.input((1, 4, 4, 3))
    axes = b.constant(np.array([1], np.int32))
    graph = b.finish([b.op(kind, (x, axes), ReducerAttributes(True))[0]])
    assert graph.tensors[graph.outputs[0]].quantization == graph.tensors[x].quantization


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    one, same, other = (_small(DType.INT8, seed) for seed in (3, 3, 4))
    weight = one.ops[0].inputs[1]
    assert bytes(one.tensors[weight].data or b"") == bytes(same.tensors[weight].data or b"")
    assert bytes(one.tensors[weight].data or b"") != bytes(other.tensors[weight].data or b"")


def test_a_shape_constant_is_int32() -> None:
    graph = _small(DType.INT8)
    target = graph.tensors[graph.ops[2].inputs[1]]
    assert target.dtype is DType.INT32
    assert _constant(target, np.int32).tolist() == [1, 72]


def test_an_op_without_a_shape_rule_asks_for_shapes() -> None:
    b = GraphBuilder("odd")
    x = b.input((1, 4))
    with pytest.raises(Exception, match="no shape rule"):
        b.op("CUSTOM", (x,))
    assert b.op("CUSTOM", (x,), shapes=[(2, 2)]) == (1,)
