"""Weights on k-bit grids: hand-worked rows, biases that follow, and models that any interpreter runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from preflash.errors import VariantInvalid
from preflash.graphs.build import GraphBuilder
from preflash.graphs.evaluate import constant_array, evaluate, quantize
from preflash.graphs.ir import DType, ModelGraph, Tensor, WeightForm
from preflash.graphs.ops import Conv2DAttributes
from preflash.graphs.quantities import per_tensor
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.grid import grid_scales, most_steps
from preflash.graphs.variants.known import exact_values
from preflash.graphs.variants.laws import broken_laws
from preflash.graphs.variants.quantize_weights import QuantizeWeights
from preflash.graphs.variants.weights import weights, with_tensors
from preflash.simulator.interpreter import run_tflite
from variant_models import halved, network, samples


def tensors_of(graph: ModelGraph) -> list[Tensor]:
    return [graph.tensors[one.tensor] for one in weights(graph)]


def float_rows(values: list[list[float]]) -> ModelGraph:
    """A 1x1 convolution with these filters."""
    b = GraphBuilder(dtype=DType.FLOAT32)
    x = b.input((1, 1, 1, len(values[0])))
    w = b.constant(np.array(values, np.float32)[:, None, None, :])
    return b.finish(b.op("CONV_2D", (x, w), Conv2DAttributes()))


def int8_row(stored: list[int], bias: int, dtype: DType = DType.INT8, zero_point: int = 0) -> ModelGraph:
    """x in steps of 0.5, weights in steps of 0.25, the bias in their product 0.125."""
    b = GraphBuilder(dtype=DType.INT8)
    x = b.input((1, len(stored)), quantization=per_tensor(0.5))
    kind = np.int8 if dtype is DType.INT8 else np.uint8
    w = b.constant(np.array([stored], kind), quantization=per_tensor(0.25, zero_point))
    c = b.constant(np.array([bias], np.int32), quantization=per_tensor(0.125))
    y = b.tensor((1, 1), quantization=per_tensor(0.5))
    b.op("FULLY_CONNECTED", (x, w, c), None, outputs=[y])
    return b.finish([y])


@pytest.mark.parametrize(("bits", "steps"), [(2, 1), (3, 3), (4, 7), (8, 127)])
def test_a_grid_reaches_as_far_below_zero_as_above(bits: int, steps: int) -> None:
    assert most_steps(bits) == steps


def test_float_weights_by_hand() -> None:
    """3 bits: steps of 6/3 and 1.5/3. 6 -2.9 0.9 -> 3 -1 0; 1.5 -0.8 0.2 -> 3 -2 0."""
    graph = QuantizeWeights(3).apply(float_rows([[6, -2.9, 0.9], [1.5, -0.8, 0.2]]), Given())
    assert exact_values(tensors_of(graph)[0]).tolist() == [[[[6, -2, 0]]], [[[1.5, -1, 0]]]]
    form = tensors_of(graph)[0].form
    assert form is not None and form.bits == 3 and form.axis == 0


def test_one_grid_for_all_channels_by_hand() -> None:
    """3 bits: steps of 6/3 for both rows; 1.5 -> 2, -0.8 -> 0."""
    graph = QuantizeWeights(3, per_channel=False).apply(
        float_rows([[6, -2.9, 0.9], [1.5, -0.8, 0.2]]), Given()
    )
    assert exact_values(tensors_of(graph)[0]).tolist() == [[[[6, -2, 0]]], [[[2, 0, 0]]]]


def test_int8_weights_get_wider_steps_and_their_bias_follows() -> None:
    """Steps 0.25 -> 0.25 * 70 / 7 = 2.5: 70 -34 4 -> 7 -3 0; bias 200 * 0.125 = 25 = 20 * (0.5 * 2.5)."""
    graph = QuantizeWeights(4).apply(int8_row([70, -34, 4], 200), Given())
    weight, bias = (graph.tensors[t] for t in graph.ops[0].inputs[1:])
    assert constant_array(weight).tolist() == [[7, -3, 0]]
    assert weight.quantization is not None and weight.quantization.scales.tolist() == [2.5]
    assert constant_array(bias).tolist() == [20]
    assert bias.quantization is not None and bias.quantization.scales.tolist() == [1.25]
    assert weight.form is not None and weight.form.bits == 4


def test_the_best_scale_clips_an_outlier() -> None:
    """3 bits: forty 3s and a 12. Steps of 12/3 = 4 round all 3s to 4; of 3 they are exact, 12 becomes 9."""
    values = np.array([[3.0] * 400 + [12.0]])
    assert grid_scales(values, 3, axis=None, best=False).tolist() == [4.0]
    best = float(grid_scales(values, 3, axis=None, best=True)[0])
    assert 2.8 < best < 3.2


@pytest.mark.parametrize("bits", [2, 3, 4, 6, 8])
@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8])
def test_the_best_scale_is_never_worse_than_the_widest(bits: int, dtype: DType) -> None:
    graph = network(dtype)
    for per_channel in (True, False):
        errors = []
        for best in (True, False):
            result = QuantizeWeights(bits, per_channel, best).apply(graph, Given())
            pairs = zip(tensors_of(graph), tensors_of(result), strict=True)
            errors.append([float(np.square(exact_values(a) - exact_values(b)).sum()) for a, b in pairs])
        assert all(chosen <= widest * (1 + 1e-5) for chosen, widest in zip(*errors, strict=True))


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("per_channel", [True, False])
def test_int8_models_of_few_bits_run_and_mean_what_their_graph_means(bits: int, per_channel: bool) -> None:
    graph = QuantizeWeights(bits, per_channel).apply(network(DType.INT8), Given())
    for tensor in tensors_of(graph):
        assert tensor.dtype is DType.INT8
        assert np.abs(constant_array(tensor).astype(int)).max() == most_steps(bits)
    assert broken_laws(graph, graph) == ()
    for x in samples(3)[0]:
        inputs = [quantize(graph.tensors[graph.inputs[0]], x[None])]
        ours, theirs = evaluate(graph, inputs)[0], run_tflite(write_tflite(graph), inputs)[0]
        assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8, DType.INT16])
def test_no_weight_moves_by_more_than_half_a_step(dtype: DType) -> None:
    graph = network(dtype)
    result = QuantizeWeights(6).apply(graph, Given())
    for old, new in zip(tensors_of(graph), tensors_of(result), strict=True):
        step = np.abs(exact_values(old)).max() / most_steps(6)
        assert np.abs(exact_values(old) - exact_values(new)).max() <= step / 2 * (1 + 1e-5)


def test_biases_mean_the_same_within_half_a_step() -> None:
    graph = network(DType.INT8)
    result = QuantizeWeights(3).apply(graph, Given())
    for one in weights(graph):
        old, new = (g.tensors[g.ops[one.op].inputs[2]] for g in (graph, result))
        assert new.quantization is not None
        off = np.abs(exact_values(old) - exact_values(new))
        assert (off <= new.quantization.scales / 2 * (1 + 1e-5)).all()


def test_what_needs_no_more_bits_already_stays() -> None:
    graph = QuantizeWeights(4).apply(network(DType.INT8), Given())
    assert QuantizeWeights(4).apply(graph, Given()) is graph
    assert QuantizeWeights(8).apply(graph, Given()) is graph
    fewer = QuantizeWeights(3).apply(graph, Given())
    assert broken_laws(graph, fewer) == ()


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8])
@pytest.mark.parametrize("per_channel", [True, False])
def test_the_file_carries_the_true_bits(dtype: DType, per_channel: bool) -> None:
    data = write_tflite(QuantizeWeights(4, per_channel).apply(network(dtype), Given()))
    again = parse_tflite(data)
    assert [t.form.bits for t in tensors_of(again) if t.form is not None] == [4] * 4
    assert write_tflite(again) == data


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8])
def test_channels_of_zeros_stay_zeros(dtype: DType) -> None:
    graph = network(dtype)
    tensor = tensors_of(graph)[2]
    values = constant_array(tensor).copy()
    values[3] = 0
    graph = with_tensors(graph, [replace(tensor, data=values.tobytes())])
    new = tensors_of(QuantizeWeights(4).apply(graph, Given()))[2]
    assert not constant_array(new)[3].any() and constant_array(new)[2].any()


def test_weights_around_another_zero_are_refused() -> None:
    with pytest.raises(VariantInvalid, match="no symmetric grid"):
        QuantizeWeights(4).apply(int8_row([70, 34, 4], 200, DType.UINT8, 20), Given())


def test_a_bias_that_others_read_too_is_refused() -> None:
    graph = int8_row([70, -34, 4], 200)
    b = GraphBuilder(dtype=DType.INT8)
    x = b.input((1, 3), quantization=per_tensor(0.5))
    w = [b.constant(np.array([v], np.int8), quantization=per_tensor(0.25)) for v in ([70, -34, 4], [9, 9, 9])]
    c = b.constant(np.array([200], np.int32), quantization=per_tensor(0.125))
    y = [b.tensor((1, 1), quantization=per_tensor(0.5)) for _ in w]
    for weight, out in zip(w, y, strict=True):
        b.op("FULLY_CONNECTED", (x, weight, c), None, outputs=[out])
    with pytest.raises(VariantInvalid, match="cannot follow"):
        QuantizeWeights(4).apply(b.finish(y), Given())
    assert QuantizeWeights(4).apply(graph, Given()) is not graph


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8])
def test_pruned_zeros_stay_zero_and_the_mask_stays_known(dtype: DType) -> None:
    before = halved(network(dtype))
    after = QuantizeWeights(4).apply(before, Given())
    assert broken_laws(before, after) == ()
    form = tensors_of(after)[2].form
    assert form is not None and form.mask is not None and 0.2 < form.mask.mean() <= 0.5


def test_the_judge_sees_weights_that_came_back_and_forms_that_lie() -> None:
    before = halved(network())
    tensor = tensors_of(before)[2]
    back = with_tensors(before, [replace(tensor, data=np.ones(tensor.shape, np.float32).tobytes())])
    assert any("came back" in fault for fault in broken_laws(before, back))
    lost = with_tensors(before, [replace(tensor, form=None)])
    assert any("mask was lost" in fault for fault in broken_laws(before, lost))
    wide = with_tensors(before, [replace(tensor, form=replace(tensor.form, bits=2))])  # type: ignore[type-var]
    assert any("do not fit in 2 bits" in fault for fault in broken_laws(before, wide))
    book = WeightForm(codebook=np.array([0.0, 1.0]), assignment=np.zeros(tensor.shape, np.uint16))
    false = with_tensors(network(), [replace(tensor, form=book)])
    assert any("gives other values" in fault for fault in broken_laws(network(), false))
