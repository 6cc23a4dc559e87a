"""Swapped activations: found in whatever ops they are written, fused where they can be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from channel_law import interpreted, random_inputs
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash.devices.catalog import load_target
from preflash.errors import RecipeInvalid, VariantInvalid
from preflash.graphs.build import GraphBuilder
from preflash.graphs.check import check
from preflash.graphs.evaluate import constant_array, evaluate
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.ops import Activation, Conv2DAttributes, GeluAttributes, LeakyReluAttributes
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.activations import activations, fused_in
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.recipe import parse_recipe
from preflash.graphs.variants.swap_activations import SwapActivations
from preflash.graphs.zoo import build
from preflash.simulator.simulate import simulate
from preflash.simulator.workload import op_macs
from transformer_models import gelu

FLOAT, INT8 = DType.FLOAT32, DType.INT8
Write = Callable[[GraphBuilder, int], int]


def swapped(graph: ModelGraph, of: str | tuple[str, ...], to: str) -> ModelGraph:
    """The model after the step, accepted by the judge and by our reader."""
    step = SwapActivations((of,) if isinstance(of, str) else of, to)  # type: ignore[arg-type]
    found = step.apply(graph, Given())
    check(found)
    check(parse_tflite(write_tflite(found)))
    return found


def kinds(graph: ModelGraph) -> list[str]:
    return [op.kind for op in graph.ops]


def number(b: GraphBuilder, value: float) -> int:
    return b.activation_constant(np.array([value]))


def between_convolutions(write: Write, dtype: DType = FLOAT) -> ModelGraph:
    """conv, the activation, conv."""
    b = GraphBuilder("activated", dtype=dtype)
    x = b.conv(b.input((1, 6, 6, 3)), 4, (3, 3))
    return b.finish([b.conv(write(b, x), 2)])


def with_fused(graph: ModelGraph, activation: Activation) -> ModelGraph:
    """The two convolutions of `between_convolutions` with this activation in the first."""
    b = GraphBuilder("wanted", dtype=FLOAT)
    x = b.input((1, 6, 6, 3))
    for op, fused in ((graph.ops[0], activation), (graph.ops[-1], Activation.NONE)):
        constants = [b.constant(constant_array(graph.tensors[t])) for t in op.inputs[1:]]
        x = b.op("CONV_2D", (x, *constants), Conv2DAttributes(Padding.SAME, fused_activation_function=fused))[
            0
        ]
    return b.finish([x])


def _op(kind: str) -> Write:
    return lambda b, x: b.unary(kind, x)


def _hard_swish_outside(b: GraphBuilder, x: int) -> int:
    """x * relu6(x + 3) * (1 / 6)."""
    return b.mul(b.mul(x, b.add(x, number(b, 3.0), Activation.RELU6)), number(b, 1 / 6))


def _hard_swish_inside(b: GraphBuilder, x: int) -> int:
    """x * (relu6(x + 3) / 6), RELU6 an op of its own."""
    gate = b.op("DIV", (b.unary("RELU6", b.add(x, number(b, 3.0))), number(b, 6.0)))[0]
    return b.mul(gate, x)


def _gelu_of_products(b: GraphBuilder, x: int) -> int:
    """0.5 * x * (1 + tanh(0.798 x (1 + 0.0447 x x)))."""
    square = b.mul(b.mul(x, x), number(b, 0.044715))
    inner = b.mul(b.mul(x, number(b, (2 / np.pi) ** 0.5)), b.add(square, number(b, 1.0)))
    return b.mul(b.mul(x, number(b, 0.5)), b.add(b.unary("TANH", inner), number(b, 1.0)))


WRITTEN: list[tuple[str, Write]] = [
    ("relu", _op("RELU")),
    ("relu", lambda b, x: b.op("MAXIMUM", (x, number(b, 0.0)))[0]),
    ("relu6", _op("RELU6")),
    ("relu6", lambda b, x: b.op("MINIMUM", (b.unary("RELU", x), number(b, 6.0)))[0]),
    ("hard-swish", _op("HARD_SWISH")),
    ("hard-swish", _hard_swish_outside),
    ("hard-swish", _hard_swish_inside),
    ("hard-sigmoid", lambda b, x: b.mul(b.add(x, number(b, 3.0), Activation.RELU6), number(b, 1 / 6))),
    ("gelu", lambda b, x: b.op("GELU", (x,), GeluAttributes(approximate=False))[0]),
    ("gelu", lambda b, x: b.op("GELU", (x,), GeluAttributes(approximate=True))[0]),
    ("gelu", gelu),
    ("gelu", _gelu_of_products),
    ("gelu", lambda b, x: b.mul(x, b.unary("LOGISTIC", b.mul(x, number(b, 1.702))))),
    ("swish", lambda b, x: b.mul(x, b.unary("LOGISTIC", x))),
    ("sigmoid", _op("LOGISTIC")),
    ("tanh", _op("TANH")),
    ("elu", _op("ELU")),
    ("leaky-relu", lambda b, x: b.op("LEAKY_RELU", (x,), LeakyReluAttributes(0.2))[0]),
    ("leaky-relu", lambda b, x: b.op("MAXIMUM", (x, b.mul(x, number(b, 0.1))))[0]),
    ("prelu", lambda b, x: b.op("PRELU", (x, b.activation_constant(np.linspace(0.1, 0.4, 4))))[0]),
]


@pytest.mark.parametrize(("word", "write"), WRITTEN)
def test_an_activation_is_told_by_what_it_computes(word: str, write: Write) -> None:
    assert [found.word for found in activations(between_convolutions(write))] == [word]


@pytest.mark.parametrize("write", [_hard_swish_outside, lambda b, x: b.mul(x, b.unary("LOGISTIC", x))])
def test_it_is_told_in_an_integer_model_whose_constants_are_rounded(write: Write) -> None:
    (found,) = activations(between_convolutions(write, INT8))
    assert found.word in ("hard-swish", "swish")


def test_a_gate_by_another_tensor_is_a_sigmoid_and_no_swish() -> None:
    b = GraphBuilder("gate", dtype=FLOAT)
    x = b.input((1, 4, 4, 3))
    graph = b.finish([b.mul(b.conv(x, 3), b.unary("LOGISTIC", b.conv(x, 3)))])
    assert [found.word for found in activations(graph)] == ["sigmoid"]


def test_what_is_read_in_between_is_no_part_of_one_activation() -> None:
    b = GraphBuilder("tapped", dtype=FLOAT)
    x = b.input((1, 4, 4, 3))
    gate = b.unary("LOGISTIC", x)
    graph = b.finish([b.mul(x, gate), gate])
    assert [found.word for found in activations(graph)] == ["sigmoid"]


@pytest.mark.parametrize(("word", "write"), WRITTEN)
@pytest.mark.parametrize("to", ["relu", "relu6", "none"])
def test_it_is_fused_into_the_convolution_before_it(word: str, write: Write, to: str) -> None:
    """The swapped model is the one built with that activation: the same ops, the same numbers."""
    if word == to:
        return
    graph = between_convolutions(write)
    wanted = with_fused(graph, Activation[to.upper()])
    found = swapped(graph, word, to)
    assert kinds(found) == kinds(wanted) == ["CONV_2D", "CONV_2D"]
    x = random_inputs(wanted)
    np.testing.assert_array_equal(evaluate(found, x)[0], evaluate(wanted, x)[0])
    np.testing.assert_allclose(interpreted(found, x)[0], evaluate(wanted, x)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("to", "kind"), [("hard-swish", "HARD_SWISH"), ("leaky-relu", "LEAKY_RELU")])
@pytest.mark.parametrize("dtype", [FLOAT, INT8])
def test_what_cannot_be_fused_is_an_op_of_its_own(to: str, kind: str, dtype: DType) -> None:
    found = swapped(between_convolutions(_op("RELU6"), dtype), "relu6", to)
    assert kinds(found) == ["CONV_2D", kind, "CONV_2D"]
    interpreted(found, random_inputs(found))


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_a_fused_activation_becomes_another_fused_one_or_an_op(dtype: str) -> None:
    graph = build("mobilenet-v1", width=0.25, resolution=32, classes=5, dtype=dtype)
    fused = [op for op in graph.ops if fused_in(op) is Activation.RELU6]
    relu = swapped(graph, "relu6", "relu")
    assert kinds(relu) == kinds(graph)
    assert sum(fused_in(op) is Activation.RELU for op in relu.ops) == len(fused) == 27
    swish = swapped(graph, "relu6", "hard-swish")
    assert kinds(swish).count("HARD_SWISH") == 27
    assert not any(fused_in(op) for op in swish.ops)
    for found in (relu, swish):
        interpreted(found, random_inputs(found))


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("to", ["relu", "relu6", "none", "leaky-relu"])
def test_mobilenet_v3_without_hard_swish_keeps_everything_else(dtype: str, to: str) -> None:
    graph = build("mobilenet-v3-small", width=0.35, resolution=64, classes=5, dtype=dtype)
    found = swapped(graph, "hard-swish", to)
    assert "HARD_SWISH" not in kinds(found)
    stays = [k for k in kinds(graph) if k != "HARD_SWISH"]
    assert [k for k in kinds(found) if k != "LEAKY_RELU"] == stays
    assert sum(op_macs(found.main, op) or 0 for op in found.ops) == sum(
        op_macs(graph.main, op) or 0 for op in graph.ops
    )
    weights = [
        [bytes(g.tensors[op.inputs[1]].data or b"") for op in g.ops if "CONV" in op.kind]
        for g in (graph, found)
    ]
    assert weights[0] == weights[1]
    interpreted(found, random_inputs(found))


def test_what_two_ops_read_is_not_fused_away() -> None:
    """x goes on past the activation: the convolution still makes x."""
    b = GraphBuilder("residual", dtype=FLOAT)
    x = b.conv(b.input((1, 4, 4, 3)), 3)
    graph = b.finish([b.add(x, b.unary("HARD_SWISH", x))])
    assert kinds(swapped(graph, "hard-swish", "relu6")) == ["CONV_2D", "RELU6", "ADD"]
    assert kinds(swapped(graph, "hard-swish", "none")) == ["CONV_2D", "ADD"]


def test_integers_keep_the_grid_that_their_readers_expect() -> None:
    """Biases hold the scale of what an op reads; where the op before cannot write it, QUANTIZE does."""
    b = GraphBuilder("grids", dtype=INT8)
    x = b.conv(b.input((1, 4, 4, 3)), 3)
    graph = b.finish([b.add(x, b.conv(b.unary("LOGISTIC", x), 3))])
    found = swapped(graph, "sigmoid", "none")
    assert kinds(found) == ["CONV_2D", "QUANTIZE", "CONV_2D", "ADD"]
    interpreted(found, random_inputs(found))


def test_activations_one_after_the_other_all_go() -> None:
    graph = between_convolutions(lambda b, x: b.unary("TANH", b.unary("HARD_SWISH", b.unary("ELU", x))))
    assert kinds(swapped(graph, ("tanh", "hard-swish", "elu"), "none")) == ["CONV_2D", "CONV_2D"]


def test_an_output_keeps_its_place() -> None:
    b = GraphBuilder("ends", dtype=FLOAT)
    x = b.conv(b.input((1, 4, 4, 3)), 3)
    graph = b.finish([b.unary("TANH", x), b.unary("HARD_SWISH", x)])
    found = swapped(graph, "hard-swish", "none")
    assert [found.main.producer_of[t] for t in found.outputs] == [1, 0]
    alone = GraphBuilder("alone", dtype=FLOAT)
    nothing = alone.finish([alone.unary("HARD_SWISH", alone.input((1, 4)))])
    with pytest.raises(VariantInvalid, match="all that lies between an input and an output"):
        SwapActivations(("hard-swish",), "none").apply(nothing, Given())


def test_the_activations_of_cells_belong_to_the_cells() -> None:
    graph = between_convolutions(_op("RELU"))
    assert len(activations(graph)) == 1
    with pytest.raises(VariantInvalid, match="the model has no tanh") as caught:
        swapped(graph, "tanh", "relu")
    assert "its activations: 1 x relu" in caught.value.fix


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from([write for _, write in WRITTEN]), min_size=1, max_size=3),
    st.sampled_from(["none", "relu", "relu6", "hard-swish", "leaky-relu"]),
)
def test_any_chain_of_activations_can_be_swapped_and_runs(writes: list[Write], to: str) -> None:
    def chain(b: GraphBuilder, x: int) -> int:
        for write in writes:
            x = b.conv(write(b, x), 4)
        return x

    graph = between_convolutions(chain)
    words = tuple({found.word for found in activations(graph)} - {to})
    if words:
        found = swapped(graph, words, to)
        assert {one.word for one in activations(found)} <= {to}
        evaluate(found, random_inputs(found))


def test_fewer_element_operations_are_fewer_cycles() -> None:
    graph = build("mobilenet-v3-small", resolution=96, dtype="float32")
    target = load_target("pixel-4", "litert-xnnpack")
    swish, relu = (
        simulate(g, target).metric("latency_s").value for g in (graph, swapped(graph, "hard-swish", "relu6"))
    )
    assert swish is not None and relu is not None and relu < swish


def test_what_was_done_is_said() -> None:
    said: list[str] = []
    SwapActivations(("hard-swish",), "relu6").apply(build("mobilenet-v3-small"), Given(note=said.append))
    assert said == ["19 x hard-swish becomes relu6: shape only, retrain needed"]


@pytest.mark.parametrize(
    "text",
    ["swap-activations of=gelu", "swap-activations to=relu", "swap-activations of=mish to=relu",
     "swap-activations of=relu to=relu", "swap-activations of=gelu to=mish"],
)  # fmt: skip
def test_what_is_no_swap_is_a_fault_of_the_recipe(text: str) -> None:
    with pytest.raises(RecipeInvalid):
        parse_recipe(text)


def test_a_recipe_takes_one_word_or_several() -> None:
    one, several = (
        parse_recipe(f"swap-activations of={of} to=relu").steps[0] for of in ("gelu", "gelu,swish")
    )
    assert one == SwapActivations(("gelu",), "relu")
    assert several == SwapActivations(("gelu", "swish"), "relu")
