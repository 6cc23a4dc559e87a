"""From float to integers: which grids, which ops, what the ends look like, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from preflash.errors import DataInvalid, NeedsSamples, RecipeInvalid, VariantInvalid
from preflash.graphs import ops as kinds
from preflash.graphs.build import GraphBuilder
from preflash.graphs.check import check
from preflash.graphs.evaluate import constant_array, evaluate, quantize
from preflash.graphs.ir import DType, ModelGraph, Tensor
from preflash.graphs.ops import Activation
from preflash.graphs.quantities import affine, fixed, symmetric
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.quantize import Quantize, quantized
from preflash.graphs.variants.recipe import parse_recipe
from preflash.graphs.variants.weights import with_tensors

RANDOM = np.random.default_rng(3)
FLOAT = DType.FLOAT32


def samples(*shape: int, count: int = 8) -> Given:
    return Given(samples=(RANDOM.uniform(-1, 1, (count, *shape)).astype(np.float32),))


def network() -> ModelGraph:
    """Convolution, depthwise, pool, dense, softmax."""
    b = GraphBuilder("small", dtype=FLOAT, seed=3)
    relu = kinds.Conv2DAttributes(fused_activation_function=Activation.RELU)
    x = b.conv(b.input((1, 8, 8, 3)), 8, (3, 3), relu)
    x = b.pool("AVERAGE_POOL_2D", b.conv(b.depthwise(x), 16))
    return b.finish([b.softmax(b.fully_connected(b.reshape(x, (1, 16)), 10))])


def made(graph: ModelGraph, given: Given | None = None, **options: object) -> ModelGraph:
    shape = graph.tensors[graph.inputs[0]].shape
    whole = quantized(graph, Quantize(**options), given or samples(*shape)).graph
    check(whole)
    return whole


def grid(graph: ModelGraph, index: int) -> tuple[float, int]:
    q = graph.tensors[index].quantization
    assert q is not None
    return float(q.scales[0]), int(q.zero_points[0])


def operand(graph: ModelGraph, op: int, place: int) -> Tensor:
    return graph.tensors[graph.ops[op].inputs[place]]


# SA-19: the numbers.


def test_sa_19_an_asymmetric_range_holds_zero_exactly() -> None:
    """-1.5 ... 4.5: scale 6 / 255, zero point -128 + 1.5 / scale = -64.25, rounded."""
    q = affine(-1.5, 4.5, DType.INT8)
    assert q.scales[0] == pytest.approx(6 / 255, rel=1e-7)
    assert q.zero_points[0] == -64
    b = GraphBuilder(dtype=DType.INT8)
    x = b.input((1,), quantization=q)
    back = evaluate(b.finish(b.op("DEQUANTIZE", (x,))), [np.array([-64], np.int8)])[0]
    assert back.tolist() == [0.0]


def test_sa_19_weights_are_symmetric_and_biases_have_the_product_of_scales() -> None:
    """max|w| 0.635 / 127 = 0.005; inputs 6 / 255; bias 0.0235294 x 0.005 = 0.000117647, 1.0 is 8500 of it."""
    b = GraphBuilder(dtype=FLOAT)
    weight = b.constant(np.array([[0.635, -0.1]], np.float32))
    bias = b.constant(np.array([1.0], np.float32))
    attributes = kinds.FullyConnectedAttributes()
    graph = b.finish(b.op("FULLY_CONNECTED", (b.input((1, 2)), weight, bias), attributes))
    given = Given(samples=(np.array([[-1.5, 4.5]], np.float32),))
    whole = made(graph, given)
    assert grid(whole, whole.inputs[0]) == (pytest.approx(6 / 255), -64)
    assert operand(whole, 0, 1).quantization.scales.tolist() == pytest.approx([0.005])
    assert constant_array(operand(whole, 0, 1)).tolist() == [[127, -20]]
    assert operand(whole, 0, 2).quantization.scales.tolist() == pytest.approx([6 / 255 * 0.005])
    assert (operand(whole, 0, 2).dtype, constant_array(operand(whole, 0, 2)).tolist()) == (
        DType.INT32,
        [8500],
    )


@pytest.mark.parametrize(("bits", "highest"), [(8, 127), (4, 7), (2, 1)])
def test_symmetric_weights_never_use_the_lowest_integer(bits: int, highest: int) -> None:
    stored, q = symmetric(np.array([[-1.0, 0.25], [0.0, 4.0]]), axis=0, bits=bits)
    assert stored.min() == -highest
    assert stored.max() == highest
    assert q.scales.tolist() == pytest.approx([1 / highest, 4 / highest])
    assert not q.zero_points.any()


# Structure.


def test_a_whole_network_becomes_integer_with_the_versions_and_types_of_the_spec() -> None:
    whole = made(network())
    kinds_versions = [(op.kind, op.version) for op in whole.ops]
    assert kinds_versions == [
        ("CONV_2D", 3), ("DEPTHWISE_CONV_2D", 3), ("CONV_2D", 3), ("AVERAGE_POOL_2D", 2), ("RESHAPE", 1),
        ("FULLY_CONNECTED", 4), ("SOFTMAX", 2),
    ]  # fmt: skip
    assert {t.dtype for t in whole.tensors} == {DType.INT8, DType.INT32}
    axes = [
        (len(operand(whole, n, 1).quantization.scales), operand(whole, n, 1).quantization.axis)
        for n in (0, 1, 2, 5)
    ]
    assert axes == [(8, 0), (8, 3), (16, 0), (1, 0)]
    assert grid(whole, whole.outputs[0]) == (1 / 256, -128)
    assert grid(whole, whole.ops[0].outputs[0])[1] == -128  # RELU: nothing below zero


def test_sixteen_bit_activations_are_symmetric_with_64_bit_biases() -> None:
    whole = made(network(), activations="int16")
    flowing = [t for t in whole.tensors if not t.is_constant]
    assert {t.dtype for t in flowing} == {DType.INT16}
    assert all(grid(whole, t.index)[1] == 0 for t in flowing)
    assert [operand(whole, 0, p).dtype for p in (1, 2)] == [DType.INT8, DType.INT64]
    assert grid(whole, whole.outputs[0]) == (1 / 32768, 0)


def test_one_scale_per_tensor_where_asked_for() -> None:
    whole = made(network(), per_channel=False)
    assert all(len(t.quantization.scales) == 1 for t in whole.tensors if t.quantization is not None)


def test_ops_that_only_move_values_share_one_grid_with_what_enters_them() -> None:
    whole = made(network())
    conv, pool, reshape = whole.ops[2], whole.ops[3], whole.ops[4]
    assert len({grid(whole, t) for t in (conv.outputs[0], pool.outputs[0], reshape.outputs[0])}) == 1


def test_joined_branches_get_the_grid_of_the_wider_one() -> None:
    b = GraphBuilder(dtype=FLOAT, seed=1)
    x = b.input((1, 4, 4, 2))
    wide = b.mul(x, b.constant(np.array([8.0], np.float32)))
    whole = made(b.finish([b.concat([b.unary("RELU", x), wide], 3)]))
    joined = whole.ops[-1]
    assert len({grid(whole, t) for t in (*joined.inputs, *joined.outputs)}) == 1
    values = grid(whole, joined.outputs[0])[0] * 255
    assert 12 < values < 16.1  # from -8 to 8


def test_fixed_grids_pass_through_and_are_copied_onto_a_wider_one() -> None:
    """RESHAPE of SOFTMAX keeps 1/256; joined with something wider, SOFTMAX is requantized for the join."""
    b = GraphBuilder(dtype=FLOAT, seed=1)
    x = b.input((1, 4))
    y = b.reshape(b.softmax(x), (1, 4))
    wide = b.mul(x, b.constant(np.array([8.0], np.float32)))
    whole = made(b.finish([y, b.concat([b.unary("LOGISTIC", x), wide], 1)]))
    assert [op.kind for op in whole.ops].count("QUANTIZE") == 1
    assert grid(whole, whole.outputs[0]) == (1 / 256, -128)
    joined = whole.ops[-1]
    assert joined.kind == "CONCATENATION"
    assert len({grid(whole, t) for t in (*joined.inputs, *joined.outputs)}) == 1


def test_float_ends_keep_their_names_and_types() -> None:
    graph = network()
    whole = made(graph, io="float")
    assert [whole.ops[0].kind, whole.ops[-1].kind] == ["QUANTIZE", "DEQUANTIZE"]
    ends = [
        (t.name, t.dtype, t.shape) for t in (whole.tensors[whole.inputs[0]], whole.tensors[whole.outputs[0]])
    ]
    assert ends == [
        (t.name, t.dtype, t.shape) for t in (graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]])
    ]


def test_ops_without_an_integer_kernel_stay_float_between_conversions_and_are_named() -> None:
    b = GraphBuilder(dtype=FLOAT, seed=1)
    x = b.unary("EXP", b.conv(b.input((1, 4, 4, 2)), 4))
    graph = b.finish([b.conv(b.reshape(x, (1, 4, 4, 4)), 2)])
    result = quantized(graph, Quantize(), samples(1, 4, 4, 2))
    assert [op.kind for op in result.graph.ops] == [
        "CONV_2D",
        "DEQUANTIZE",
        "EXP",
        "QUANTIZE",
        "RESHAPE",
        "CONV_2D",
    ]
    assert any("EXP (op 1) stays float: tflite-micro has no int8 kernel" in note for note in result.notes)


def test_ends_that_float_ops_alone_touch_stay_float_and_are_named() -> None:
    b = GraphBuilder(dtype=FLOAT, seed=1)
    x = b.input((1, 4), name="sound")
    graph = b.finish([b.fully_connected(b.unary("EXP", x), 3)])
    result = quantized(graph, Quantize(), samples(1, 4))
    assert result.graph.tensors[result.graph.inputs[0]].dtype is FLOAT
    assert any(note.startswith("sound stays float") for note in result.notes)


def test_moves_between_float_ops_stay_float() -> None:
    b = GraphBuilder(dtype=FLOAT, seed=1)
    x = b.reshape(b.unary("EXP", b.conv(b.input((1, 4, 4, 2)), 4)), (1, 64))
    whole = made(b.finish([b.fully_connected(b.unary("EXP", x), 3)]))
    assert [op.kind for op in whole.ops] == [
        "CONV_2D",
        "DEQUANTIZE",
        "EXP",
        "RESHAPE",
        "EXP",
        "QUANTIZE",
        "FULLY_CONNECTED",
    ]


@pytest.mark.parametrize("name", ["2", "named"])
def test_ops_stay_float_where_asked_for_by_index_or_weights(name: str) -> None:
    graph = network()
    weight = graph.tensors[graph.ops[2].inputs[1]]
    graph = with_tensors(graph, [replace(weight, name="named")])
    whole = made(graph, keep_float=(name,))
    float_convs = [
        op for op in whole.ops if op.kind == "CONV_2D" and whole.tensors[op.inputs[0]].dtype is FLOAT
    ]
    assert len(float_convs) == 1
    assert float_convs[0].version == 1


def test_activations_of_their_own_are_fused_and_a_missing_bias_is_zeros() -> None:
    b = GraphBuilder(dtype=FLOAT, seed=1)
    weight = b.quantized_constant(RANDOM.normal(size=(4, 1, 1, 2)), name="w", axis=0)
    x = b.op("CONV_2D", (b.input((1, 4, 4, 2)), weight), kinds.Conv2DAttributes())[0]
    whole = made(b.finish([b.unary("RELU6", x)]))
    assert [op.kind for op in whole.ops] == ["CONV_2D"]
    assert whole.ops[0].attributes.fused_activation_function is Activation.RELU6
    assert constant_array(operand(whole, 0, 2)).tolist() == [0, 0, 0, 0]


def test_channels_of_zeros_keep_a_bias_that_int32_can_hold() -> None:
    """A dead channel has no weights to take a scale from; its bias must neither overflow nor vanish."""
    b = GraphBuilder(dtype=FLOAT, seed=1)
    weights = RANDOM.normal(size=(3, 1, 1, 2)).astype(np.float32)
    weights[1], weights[2] = 0.0, 1e-12
    bias = np.array([0.5, -0.75, 0.25], np.float32)
    inputs = (b.input((1, 2, 2, 2)), b.constant(weights), b.constant(bias))
    graph = b.finish(b.op("CONV_2D", inputs, kinds.Conv2DAttributes()))
    whole = made(graph)
    stored = operand(whole, 0, 2)
    reals = constant_array(stored) * stored.quantization.scales.astype(np.float64)
    assert reals == pytest.approx(bias.astype(float), rel=0.02)
    assert abs(constant_array(stored)).max() <= 2**30 + 1


def test_the_written_file_reads_back_as_the_same_graph() -> None:
    whole = made(network())
    again = parse_tflite(write_tflite(whole))
    assert [(t.name, t.dtype, t.shape) for t in again.tensors] == [
        (t.name, t.dtype, t.shape) for t in whole.tensors
    ]
    x = np.zeros((1, 8, 8, 3), np.int8)
    assert np.array_equal(evaluate(again, [x])[0], evaluate(whole, [x])[0])


@pytest.mark.parametrize("ranges", ["minmax", "percentile", "mse", "kl"])
def test_integer_outputs_are_close_to_the_float_ones(ranges: str) -> None:
    graph = network()
    given = samples(1, 8, 8, 3, count=16)
    whole = made(graph, given, ranges=ranges, io="float")
    for one in given.samples[0][:4]:
        assert np.abs(evaluate(graph, [one])[0] - evaluate(whole, [one])[0]).max() < 0.03


# Samples.


def test_samples_are_needed_and_noise_must_be_asked_for() -> None:
    with pytest.raises(NeedsSamples, match="samples") as caught:
        quantized(network(), Quantize())
    assert "random_samples" in caught.value.fix
    result = quantized(network(), Quantize(random_samples=4))
    assert any("noise" in note for note in result.notes)


def test_noise_follows_the_seed() -> None:
    scales = [
        grid(quantized(network(), Quantize(random_samples=4), Given(seed=seed)).graph, 0)[0]
        for seed in (1, 1, 2)
    ]
    assert scales[0] == scales[1] != scales[2]


def test_samples_in_a_quantized_models_own_integers_mean_their_real_values() -> None:
    b = GraphBuilder("int8", dtype=DType.INT8, seed=3)
    graph = b.finish([b.conv(b.input((1, 4, 4, 2), quantization=affine(-2.0, 6.0, DType.INT8)), 4)])
    integers = RANDOM.integers(-128, 128, (6, 1, 4, 4, 2)).astype(np.int8)
    scale, zero = grid(graph, graph.inputs[0])
    reals = ((integers.astype(np.float64) - zero) * scale).astype(np.float32)
    one, two = made(graph, Given(samples=(integers,))), made(graph, Given(samples=(reals,)))
    assert grid(one, one.outputs[0]) == grid(two, two.outputs[0])


def test_batches_and_single_samples_give_the_same_ranges() -> None:
    """A RESHAPE that mixes samples forbids batches; the same op on rank 4 allows them."""
    from preflash.graphs.variants.calibrate import batch_size

    graph = network()
    given = samples(1, 8, 8, 3, count=9)
    assert batch_size(graph) > 1
    kept = []
    for activations in (None, lambda g, one: _all(g, one)):
        whole = made(graph, replace(given, activations=activations))
        kept.append([grid(whole, t.index) for t in whole.tensors if not t.is_constant])
    assert np.allclose(kept[0], kept[1], rtol=1e-5)


def test_runs_that_leave_a_tensor_out_are_refused() -> None:
    given = replace(samples(1, 8, 8, 3), activations=lambda graph, one: {graph.inputs[0]: one[0]})
    with pytest.raises(VariantInvalid, match="no values"):
        quantized(network(), Quantize(), given)


def _all(graph: ModelGraph, one: list[np.ndarray]) -> dict[int, np.ndarray]:
    from preflash.graphs.variants.calibrate import activations

    return dict(activations(graph.main, one))


def test_progress_is_told_to_the_last_sample() -> None:
    told: list[tuple[int, int, str]] = []
    made(
        network(),
        replace(samples(1, 8, 8, 3, count=5), progress=lambda *seen: told.append(seen)),
        ranges="kl",
    )
    assert (5, 5, "calibrating") in told
    assert any("kl" in what for _, _, what in told)


@pytest.mark.parametrize(
    ("array", "error"),
    [(np.zeros((3, 7), np.float32), DataInvalid), (np.full((2, 8, 8, 3), np.nan, np.float32), VariantInvalid),
     (np.array([["a"] * 192]), DataInvalid)],
)  # fmt: skip
def test_samples_that_do_not_go_with_the_model_are_named_errors(
    array: np.ndarray, error: type[Exception]
) -> None:
    with pytest.raises(error):
        quantized(network(), Quantize(), Given(samples=(array,)))


# What is said no to.


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"weights": "int2"}, "int2"),
        ({"activations": "int16", "ranges": "mse"}, "256 levels"),
        ({"activations": "int16", "weights": "int4"}, "int4"),
        ({"keep_float": ("nobody",)}, "nobody"),
    ],
)
def test_what_no_interpreter_computes_is_refused_with_a_way_out(
    options: dict[str, object], named: str
) -> None:
    with pytest.raises(VariantInvalid, match=named) as caught:
        quantized(network(), Quantize(**options), samples(1, 8, 8, 3))
    assert caught.value.fix


def test_weights_that_are_no_numbers_are_refused() -> None:
    graph = network()
    weight = graph.tensors[graph.ops[5].inputs[1]]
    broken = np.full(weight.shape, np.nan, np.float32)
    graph = with_tensors(graph, [replace(weight, data=broken.tobytes())])
    with pytest.raises(VariantInvalid, match="no numbers"):
        quantized(graph, Quantize("float"))


def test_a_model_without_anything_to_quantize_is_refused() -> None:
    b = GraphBuilder(dtype=FLOAT)
    graph = b.finish([b.unary("EXP", b.input((1, 4)))])
    for step in (Quantize(), Quantize(activations="float")):
        with pytest.raises(VariantInvalid):
            quantized(graph, step, samples(1, 4))


def test_the_step_is_written_in_recipes() -> None:
    recipe = parse_recipe(
        "quantize activations=int16 io=float ranges=percentile percentile=99.9 keep_float=a,b"
    )
    (step,) = recipe.steps
    assert step == Quantize("int16", ranges="percentile", percentile=99.9, io="float", keep_float=("a", "b"))
    assert parse_recipe(recipe.text).steps == recipe.steps
    with pytest.raises(RecipeInvalid) as caught:
        parse_recipe("quantize weights=int3 percentile=20")
    assert len(caught.value.faults) == 2


def test_a_recipe_applies_the_step() -> None:
    graph = parse_recipe("quantize").apply(network(), samples(1, 8, 8, 3))
    assert graph.tensors[graph.inputs[0]].dtype is DType.INT8
    assert fixed("SOFTMAX", DType.INT8).scales[0] == grid(graph, graph.outputs[0])[0]
    assert quantize(graph.tensors[graph.inputs[0]], np.zeros(1)).tolist() == [grid(graph, graph.inputs[0])[1]]
