"""What a graph computes: hand-worked numbers per op, and TFLite's own results on real networks."""

from __future__ import annotations

import numpy as np
import pytest
from preflash.errors import ModelError, ShapeInvalid, UnsupportedOp
from preflash.graphs import ops
from preflash.graphs.build import GraphBuilder
from preflash.graphs.evaluate import constant_array, evaluate
from preflash.graphs.ir import DType, Quantization, Tensor, wire
from preflash.graphs.ops import (
    Activation,
    ConcatenationAttributes,
    Conv2DAttributes,
    DepthwiseConv2DAttributes,
    FullyConnectedAttributes,
    OpAttributes,
    Padding,
    Pool2DAttributes,
    ReducerAttributes,
    TransposeConvAttributes,
)
from preflash.graphs.quantities import per_tensor
from preflash.graphs.tflite.read import read_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.simulator.interpreter import run_tflite
from shared_data import shared_dir

ROW = np.array([[1.0, 2.0, 3.0, 4.0]], np.float32)
SQUARE = np.arange(1.0, 10.0, dtype=np.float32).reshape(1, 3, 3, 1)  # 1..9


def _compute(
    kind: str, data: np.ndarray, constants: list[np.ndarray], attributes: OpAttributes | None = None
) -> np.ndarray:
    b = GraphBuilder(dtype=DType.FLOAT32)
    x = b.input(data.shape)
    made = [x, *(b.constant(c) for c in constants)]
    order = [made[1], made[2], x] if kind == "TRANSPOSE_CONV" else [made[1], x] if kind == "SPLIT" else made
    outputs = b.op(kind, order, attributes)
    return evaluate(b.finish(outputs), [data])[0]


def f(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def i(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


ONES = np.ones((1, 3, 3, 1), np.float32)
CASES: list[tuple[str, np.ndarray, list[np.ndarray], OpAttributes | None, list[float]]] = [
    # 3x3 ones over 1..9 with a border of zeros: corner 1+2+4+5, edge 1..6, centre 45
    ("CONV_2D", SQUARE, [ONES], Conv2DAttributes(Padding.SAME), [12, 21, 16, 27, 45, 33, 24, 39, 28]),
    ("CONV_2D", SQUARE, [ONES, f(0.5)], Conv2DAttributes(Padding.VALID), [45.5]),
    # SAME, stride 2: pad_total = (2-1)*2 + 3 - 3 = 2, so windows start at -1 and 1: the corners
    ("CONV_2D", SQUARE, [ONES], Conv2DAttributes(Padding.SAME, 2, 2), [12, 16, 24, 28]),
    ("CONV_2D", SQUARE, [-ONES, f(20)], Conv2DAttributes(Padding.SAME, 2, 2, Activation.RELU6), [6, 4, 0, 0]),
    # 2x2 ones with dilation 2: 1 + 3 + 7 + 9
    ("CONV_2D", SQUARE, [np.ones((1, 2, 2, 1), np.float32)],
     Conv2DAttributes(Padding.VALID, 1, 1, Activation.NONE, 2, 2), [20]),
    ("DEPTHWISE_CONV_2D", SQUARE, [np.repeat(ONES, 2, 3) * f(1, 2), f(0, 1)],
     DepthwiseConv2DAttributes(Padding.VALID, 1, 1, 2), [45, 91]),
    # each input spreads its 2x2 window of ones, stride 2: every value four times
    ("TRANSPOSE_CONV", ROW.reshape(1, 2, 2, 1), [i(1, 4, 4, 1), np.ones((1, 2, 2, 1), np.float32)],
     TransposeConvAttributes(Padding.VALID, 2, 2), [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]),
    ("FULLY_CONNECTED", ROW, [np.array([[1, 0, 0, 1], [1, 1, 1, 1]], np.float32), f(0.5, -20)],
     FullyConnectedAttributes(Activation.RELU), [5.5, 0]),
    # SAME 2x2 stride 2 over 3x3: the windows at the end see only what lies inside
    ("AVERAGE_POOL_2D", SQUARE, [], Pool2DAttributes(Padding.SAME, 2, 2, 2, 2), [3, 4.5, 7.5, 9]),
    ("MAX_POOL_2D", -SQUARE, [], Pool2DAttributes(Padding.SAME, 2, 2, 2, 2), [-1, -3, -7, -9]),
    ("ADD", ROW, [f(1, 1, 1, -9)], ops.AddAttributes(Activation.RELU), [2, 3, 4, 0]),
    ("SUB", ROW, [f(1)], None, [0, 1, 2, 3]),
    ("MUL", ROW, [f(2, 0, -1, 1)], None, [2, 0, -3, 4]),
    ("DIV", ROW, [f(2)], None, [0.5, 1, 1.5, 2]),
    ("MAXIMUM", ROW, [f(2.5)], None, [2.5, 2.5, 3, 4]),
    ("MINIMUM", ROW, [f(2.5)], None, [1, 2, 2.5, 2.5]),
    ("RELU", ROW - 2.5, [], None, [0, 0, 0.5, 1.5]),
    ("RELU6", ROW * 2, [], None, [2, 4, 6, 6]),
    ("LEAKY_RELU", ROW - 3, [], ops.LeakyReluAttributes(0.5), [-1, -0.5, 0, 1]),
    ("HARD_SWISH", ROW - 2.5, [], None, [-0.375, -1.25 / 6, 1.75 / 6, 1.125]),  # x * clip(x + 3, 0, 6) / 6
    ("LOGISTIC", ROW * 0, [], None, [0.5] * 4),
    ("TANH", ROW * 0, [], None, [0] * 4),
    ("SOFTMAX", np.log(ROW), [], ops.SoftmaxAttributes(1.0), [0.1, 0.2, 0.3, 0.4]),
    ("MEAN", SQUARE, [i(1, 2)], ReducerAttributes(), [5]),
    ("SUM", SQUARE, [i(2)], ReducerAttributes(True), [6, 15, 24]),
    ("PAD", ROW, [i(0, 0, 1, 2).reshape(2, 2)], None, [0, 1, 2, 3, 4, 0, 0]),
    ("RESHAPE", ROW, [i(2, 2)], None, [1, 2, 3, 4]),
    ("TRANSPOSE", ROW.reshape(1, 2, 2), [i(0, 2, 1)], None, [1, 3, 2, 4]),
    ("CONCATENATION", ROW, [ROW], ConcatenationAttributes(1), [1, 2, 3, 4, 1, 2, 3, 4]),
    ("SPLIT", ROW, [i(1)], ops.SplitAttributes(2), [1, 2]),
    ("SLICE", ROW, [i(0, 1), i(1, -1)], None, [2, 3, 4]),
    ("STRIDED_SLICE", ROW, [i(0, -1), i(1, 0), i(1, -2)], ops.StridedSliceAttributes(), [4, 2]),
    ("GATHER", ROW, [i(3, 0)], ops.GatherAttributes(axis=1), [4, 1]),
    ("EXPAND_DIMS", ROW, [i(0)], None, [1, 2, 3, 4]),
    ("SQUEEZE", ROW, [], ops.SqueezeAttributes((0,)), [1, 2, 3, 4]),
    ("RESIZE_NEAREST_NEIGHBOR", ROW.reshape(1, 2, 2, 1), [i(4, 2)], ops.ResizeNearestNeighborAttributes(),
     [1, 2, 1, 2, 3, 4, 3, 4]),
    ("BATCH_MATMUL", ROW.reshape(1, 2, 2), [f(1, 0, 0, 2).reshape(1, 2, 2)], None, [1, 4, 3, 8]),
    ("LESS", ROW, [f(2.5)], None, [1, 1, 0, 0]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "data", "constants", "attributes", "expected"),
    CASES,
    ids=[f"{n}-{c[0]}" for n, c in enumerate(CASES)],
)
def test_an_op_means_its_formula(
    kind: str,
    data: np.ndarray,
    constants: list[np.ndarray],
    attributes: OpAttributes | None,
    expected: list[float],
) -> None:
    np.testing.assert_allclose(_compute(kind, data, constants, attributes).reshape(-1), expected, atol=1e-6)


def test_quantized_ops_work_on_real_values_and_round_once() -> None:
    """x = 0.5 (q - 10) = (1, 2); w = 0.25 (4, -8) = (1, -2); bias 8 / 8; y = 1 - 4 + 1; q = -2 / 0.3 + 5."""
    b = GraphBuilder(dtype=DType.INT8)
    x = b.input((1, 2), quantization=per_tensor(0.5, 10))
    w = b.constant(np.array([[4, -8]], np.int8), quantization=per_tensor(0.25))
    c = b.constant(np.array([8], np.int32))  # scale input x weight, though none is recorded
    y = b.tensor((1, 1), quantization=per_tensor(0.3, 5))
    b.op("FULLY_CONNECTED", (x, w, c), FullyConnectedAttributes(), outputs=[y])
    assert evaluate(b.finish([y]), [np.array([[12, 14]], np.int8)])[0].tolist() == [
        [-2]
    ]  # -1.67 rounds to -2


@pytest.mark.parametrize(("real", "stored"), [(0.25, 1), (-0.25, -1), (0.2, 0), (200.0, 127), (-200.0, -128)])
def test_halves_round_away_from_zero_and_the_range_is_kept(real: float, stored: int) -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    x = b.input((1,))
    y = b.tensor((1,), dtype=DType.INT8, quantization=per_tensor(0.5))
    b.op("QUANTIZE", (x,), outputs=[y])
    assert evaluate(b.finish([y]), [f(real)])[0].tolist() == [stored]


def test_padding_of_a_quantized_tensor_is_its_zero_point() -> None:
    b = GraphBuilder(dtype=DType.INT8)
    x = b.input((1, 2), quantization=per_tensor(0.5, -7))
    result = evaluate(b.finish([b.pad(x, [(0, 0), (1, 0)])]), [np.array([[3, 4]], np.int8)])[0]
    assert result.tolist() == [[-7, 3, 4]]


def test_int4_constants_are_unpacked_low_half_first() -> None:
    packed = Tensor(0, "w", DType.INT4, (3,), bytes([0x21, 0x0F]))  # 1, 2, -1 and a filler
    assert constant_array(packed).tolist() == [1, 2, -1]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ([], ModelError),
        ([np.zeros((1, 3), np.float32)], ShapeInvalid),
        ([np.zeros((1, 4), np.float64)], ModelError),
    ],
)
def test_wrong_inputs_are_refused(given: list[np.ndarray], error: type[Exception]) -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    graph = b.finish([b.unary("RELU", b.input((1, 4)))])
    with pytest.raises(error):
        evaluate(graph, given)


def test_an_op_without_a_meaning_here_is_named() -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    x = b.input((1, 4))
    graph = b.finish(b.op("SVDF", (x,), shapes=[(1, 4)]))
    with pytest.raises(UnsupportedOp, match="SVDF cannot be evaluated"):
        evaluate(graph, [ROW])


def test_per_channel_scales_follow_their_axis() -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    x = b.input((1, 1, 1, 2))
    scales = Quantization(f(1, 10), np.zeros(2, np.int64), 3)
    w = b.constant(np.array([3, 4], np.int8).reshape(1, 1, 1, 2), quantization=scales)
    y = b.op("DEPTHWISE_CONV_2D", (x, w), DepthwiseConv2DAttributes())
    assert evaluate(b.finish(y), [f(1, 1).reshape(1, 1, 1, 2)])[0].reshape(-1).tolist() == [3, 40]


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize(
    "kind",
    ["AVERAGE_POOL_2D", "MAX_POOL_2D", "LOGISTIC", "TANH", "RELU6", "MEAN", "CONCATENATION", "SUB", "MUL"],
)
def test_single_ops_agree_with_tflite(kind: str, dtype: str) -> None:
    b = GraphBuilder(dtype=DType(dtype), seed=5)
    x = b.input((1, 5, 7, 3))
    pool = Pool2DAttributes(Padding.SAME, 2, 2, 3, 3)
    y = {
        "AVERAGE_POOL_2D": lambda: b.pool(kind, x, pool),
        "MAX_POOL_2D": lambda: b.pool(kind, x, pool),
        "MEAN": lambda: b.mean(x, (1, 2)),
        "CONCATENATION": lambda: b.concat([x, x], 3),
        "SUB": lambda: b.sub(x, x),
        "MUL": lambda: b.mul(x, x),
    }.get(kind, lambda: b.unary(kind, x))()
    graph = b.finish([y])
    random = np.random.default_rng(2)
    given = random.uniform(-1, 1, (1, 5, 7, 3)).astype(np.float32)
    if dtype == "int8":
        given = random.integers(-128, 128, given.shape).astype(np.int8)
    ours, theirs = evaluate(graph, [given])[0], run_tflite(write_tflite(graph), [given])[0]
    np.testing.assert_allclose(
        ours.astype(float), theirs.astype(float), atol=1e-5 if dtype == "float32" else 1
    )


MLPERF_TINY = [
    "kws_ref_model",
    "vww_96_int8",
    "pretrainedResnet_quant",
    "model_ToyCar_quant_fullint_micro_intio",
]


@pytest.mark.parametrize("name", MLPERF_TINY)
def test_every_op_of_the_mlperf_tiny_models_agrees_with_tflite_within_one_step(name: str) -> None:
    """Each op alone, on what this evaluation gives it, so that roundings cannot add up."""
    graph = read_tflite(shared_dir() / "models" / f"{name}.tflite")
    main = graph.main
    given = np.random.default_rng(0).integers(-128, 128, graph.tensors[graph.inputs[0]].shape).astype(np.int8)
    values = {graph.inputs[0]: given}
    for op in main.ops:
        flowing = [t for t in op.inputs if t in values]
        alone = graph.with_main(wire(main.tensors, [op], inputs=flowing, outputs=op.outputs))
        inputs = [values[t] for t in flowing]
        ours, theirs = evaluate(alone, inputs)[0], run_tflite(write_tflite(alone), inputs)[0]
        assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1, op.kind
        values[op.outputs[0]] = ours


@pytest.mark.parametrize("name", [m for m in MLPERF_TINY if m != "pretrainedResnet_quant"])
def test_whole_mlperf_tiny_models_agree_with_tflite_within_two_steps(name: str) -> None:
    """Up to the logits, for softmax makes several steps of one; so do ic01's residual ADDs: not here."""
    main = read_tflite(shared_dir() / "models" / f"{name}.tflite")
    ops = [op for op in main.ops if op.kind != "SOFTMAX"]
    graph = main.with_main(wire(main.tensors, ops, inputs=main.inputs, outputs=ops[-1].outputs))
    shape = graph.tensors[graph.inputs[0]].shape
    for seed in range(3):
        given = np.random.default_rng(seed).integers(-128, 128, shape).astype(np.int8)
        ours, theirs = evaluate(graph, [given])[0], run_tflite(write_tflite(graph), [given])[0]
        assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 2
        assert len(np.unique(ours)) > 1


def test_softmax_in_int8_agrees_with_tflite() -> None:
    b = GraphBuilder(dtype=DType.INT8)
    x = b.input((16, 10), quantization=per_tensor(0.17, 24))
    graph = b.finish([b.softmax(x)])
    given = np.random.default_rng(3).integers(-128, 128, (16, 10)).astype(np.int8)
    ours, theirs = evaluate(graph, [given])[0], run_tflite(write_tflite(graph), [given])[0]
    assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1


def test_the_float_model_agrees_with_tflite() -> None:
    path = shared_dir() / "models" / "vww_96_float.tflite"
    graph = read_tflite(path)
    given = np.random.default_rng(0).uniform(0, 1, graph.tensors[graph.inputs[0]].shape).astype(np.float32)
    np.testing.assert_allclose(
        evaluate(graph, [given])[0], run_tflite(path.read_bytes(), [given])[0], atol=1e-4, rtol=1e-4
    )
