"""Activations of few bits: TFLite's own rounding to the bit, in the right places, on any interpreter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from preflash.errors import NeedsSamples, UnsupportedOp, VariantInvalid
from preflash.graphs.build import GraphBuilder
from preflash.graphs.check import check
from preflash.graphs.evaluate import evaluate
from preflash.graphs.fake_quant import fake_quantized, nudged
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.ops import FakeQuantAttributes
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.answers import answers, sqnr_db
from preflash.graphs.variants.bit_widths import average_bits
from preflash.graphs.variants.fake_quantize import FakeQuantize, activation_bits
from preflash.graphs.variants.given import Given
from preflash.simulator.interpreter import run_tflite
from variant_models import network, samples

GIVEN = Given(samples=samples())


def rounding(low: float, high: float, bits: int, *, narrow: bool = False, count: int = 512) -> ModelGraph:
    b = GraphBuilder(dtype=DType.FLOAT32)
    return b.finish(b.op("FAKE_QUANT", (b.input((count,)),), FakeQuantAttributes(low, high, bits, narrow)))


@pytest.mark.parametrize(
    ("low", "high", "bits", "grid"),
    [
        (-1.0, 2.0, 2, (1.0, -1.0, 2.0)),  # 0 is on the grid already
        (-1.0, 2.9, 2, (1.3, -1.3, 2.6)),  # s = 3.9 / 3; z = round(1 / 1.3) = 1
        (0.0, 6.0, 8, (6 / 255, 0.0, 6.0)),
        (-3.0, 0.0, 2, (1.0, -3.0, 0.0)),
    ],
)
def test_the_grid_is_moved_so_that_zero_is_on_it(
    low: float, high: float, bits: int, grid: tuple[float, float, float]
) -> None:
    assert nudged(low, high, bits) == pytest.approx(grid, rel=1e-6)


def test_values_are_rounded_and_clipped_by_hand() -> None:
    """Steps of 1 from -1 to 2; halves go up."""
    x = np.array([-5, -0.6, -0.5, 0.2, 0.5, 1.4, 1.6, 7], np.float32)
    assert fake_quantized(x, -1.0, 2.0, 2).tolist() == [-1, -1, 0, 0, 1, 1, 2, 2]


@settings(max_examples=60, deadline=None)
@drawn(st.floats(0, 50, width=32), st.floats(0.0625, 50, width=32), st.integers(2, 16), st.booleans())
def test_every_bit_is_tflites(below: float, above: float, bits: int, is_one_sided: bool) -> None:
    low = 0.0 if is_one_sided else -below
    graph = rounding(low, above, bits)
    x = np.random.default_rng(bits).uniform(low * 1.1 - 0.1, above * 1.1, 512).astype(np.float32)
    assert np.array_equal(evaluate(graph, [x])[0], run_tflite(write_tflite(graph), [x])[0])


@pytest.mark.parametrize(
    "graph",
    [rounding(-1, 1, 1), rounding(-1, 1, 17), rounding(1, 2, 8), rounding(0, 0, 8),
     rounding(-1, 1, 8, narrow=True)],
)  # fmt: skip
def test_what_tflite_does_not_run_is_refused(graph: ModelGraph) -> None:
    with pytest.raises(UnsupportedOp, match="FAKE_QUANT to"):
        evaluate(graph, [np.zeros(512, np.float32)])


def test_roundings_stand_behind_the_input_and_what_is_computed() -> None:
    """Not behind RESHAPE: it moves values that are rounded already."""
    result = FakeQuantize(8).apply(network(), GIVEN)
    check(result)
    assert [op.kind for op in result.ops] == [
        "FAKE_QUANT", "CONV_2D", "FAKE_QUANT", "DEPTHWISE_CONV_2D", "FAKE_QUANT", "CONV_2D", "FAKE_QUANT",
        "RESHAPE", "FULLY_CONNECTED", "FAKE_QUANT",
    ]  # fmt: skip
    assert result.inputs == network().inputs and result.outputs == network().outputs
    assert set(activation_bits(result).values()) == {8} and len(activation_bits(result)) == 5


def test_ranges_are_those_of_the_samples_with_zero_in_them() -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    graph = b.finish([b.unary("ABS", b.input((1, 2)))])
    taken = (np.array([[[1, 3]], [[2, 2.5]]], np.float32),)
    result = FakeQuantize(4).apply(graph, Given(samples=taken))
    ranges = [(op.attributes.min, op.attributes.max) for op in result.ops if op.kind == "FAKE_QUANT"]  # type: ignore[union-attr]
    assert ranges == [(0.0, 3.0), (0.0, 3.0)]


def test_percentiles_leave_the_rarest_values_out() -> None:
    """1000 values of 0.001 .. 1 and one of 50: the 99th percentile is about 0.99."""
    b = GraphBuilder(dtype=DType.FLOAT32)
    graph = b.finish([b.unary("ABS", b.input((1, 1001)))])
    taken = (np.array([[[*np.arange(1, 1001) / 1000, 50.0]]], np.float32),)
    result = FakeQuantize(8, ranges="percentile", percentile=99).apply(graph, Given(samples=taken))
    assert result.ops[0].attributes.max == pytest.approx(0.99, abs=0.02)  # type: ignore[union-attr]


def test_softmax_has_the_range_that_tflite_fixes() -> None:
    """8 bits: 0 .. 255/256, so that a step is 1/256."""
    b = GraphBuilder(dtype=DType.FLOAT32)
    graph = b.finish([b.softmax(b.input((1, 3)))])
    result = FakeQuantize(8).apply(graph, Given(samples=(np.ones((1, 1, 3), np.float32),)))
    assert nudged(result.ops[-1].attributes.min, result.ops[-1].attributes.max, 8)[0] == 1 / 256  # type: ignore[union-attr]


@pytest.mark.parametrize("bits", range(2, 17))
def test_any_bit_width_runs_in_the_interpreter_and_means_what_its_graph_means(bits: int) -> None:
    """Sums in another order may land on the other side of a half: within one step of the output's grid."""
    result = FakeQuantize(bits, weight_bits=min(bits, 8)).apply(network(), GIVEN)
    last = result.ops[-1].attributes
    assert isinstance(last, FakeQuantAttributes)
    step = float(nudged(last.min, last.max, bits)[0])
    apart = []
    for x in samples()[0]:
        ours, theirs = evaluate(result, [x[None]])[0], run_tflite(write_tflite(result), [x[None]])[0]
        apart.append(np.abs(ours - theirs).max() / step)
        assert len(np.unique(theirs)) <= 1 << bits
    assert max(apart) < (1.01 if bits <= 12 else 4.0)


def test_more_bits_are_less_noise() -> None:
    graph = network()
    reference = answers(graph, GIVEN, 4)
    noise = [
        sqnr_db(reference, answers(FakeQuantize(b).apply(graph, GIVEN), GIVEN, 4)) for b in (2, 4, 8, 16)
    ]
    assert noise == sorted(noise) and noise[-1] > 70


def test_activations_and_weights_have_bits_of_their_own() -> None:
    result = FakeQuantize(8, weight_bits=4).apply(network(), GIVEN)
    assert average_bits(result) == 4.0 and set(activation_bits(result).values()) == {8}


def test_steps_after_each_other_give_activations_different_bits() -> None:
    graph = network()
    first = FakeQuantize(4, only=("0", "1")).apply(graph, GIVEN)
    both = FakeQuantize(8).apply(first, GIVEN)
    assert sorted(activation_bits(both).values()) == [4, 4, 8, 8, 8]
    assert FakeQuantize(8).apply(both, GIVEN).ops[-1].kind == "FAKE_QUANT"
    assert len(FakeQuantize(8).apply(both, GIVEN).ops) == len(both.ops)


def test_what_is_skipped_is_not_rounded() -> None:
    graph = network()
    result = FakeQuantize(4, skip=("input", "4")).apply(graph, GIVEN)
    assert len(activation_bits(result)) == 3
    with pytest.raises(VariantInvalid, match="no activation is called 'conv_9'"):
        FakeQuantize(4, only=("conv_9",)).apply(graph, GIVEN)


def test_the_file_is_read_again_as_it_was_written() -> None:
    data = write_tflite(FakeQuantize(5, weight_bits=3).apply(network(), GIVEN))
    assert write_tflite(parse_tflite(data)) == data


@pytest.mark.parametrize("dtype", [DType.INT8, DType.INT16])
def test_models_of_integers_are_refused(dtype: DType) -> None:
    with pytest.raises(VariantInvalid, match="integers already"):
        FakeQuantize(4).apply(network(dtype), GIVEN)


def test_ranges_need_samples_without_infinities() -> None:
    with pytest.raises(NeedsSamples):
        FakeQuantize(4).apply(network(), Given())
    with pytest.raises(VariantInvalid, match="infinite or no number"):
        FakeQuantize(4).apply(network(), Given(samples=(np.full((1, 8, 8, 3), np.inf, np.float32),)))
