"""Another width of a read model: how many channels there are, and that they are wired as before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from channel_law import random_inputs
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash.devices.catalog import load_target
from preflash.errors import RecipeInvalid, VariantInvalid
from preflash.graphs.build import GraphBuilder
from preflash.graphs.check import check
from preflash.graphs.evaluate import constant_array, evaluate
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.channels import PruneChannels
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.recipe import needs_retraining, parse_recipe
from preflash.graphs.variants.width import Width, widened_count
from preflash.graphs.zoo import build
from preflash.simulator.simulate import simulate
from preflash.simulator.workload import op_macs

SMALL = {"width": 0.25, "resolution": 32, "classes": 5}


def widened(graph: ModelGraph, multiplier: float, multiple_of: int = 1) -> ModelGraph:
    """The model of that width, accepted by the judge and by our reader."""
    found = Width(multiplier, multiple_of).apply(graph, Given())
    check(found)
    check(parse_tflite(write_tflite(found)))
    return found


def macs(graph: ModelGraph) -> int:
    return sum(op_macs(graph.main, op) or 0 for op in graph.ops)


def shapes(graph: ModelGraph) -> list[tuple[int, ...]]:
    return [graph.tensors[t].shape for op in graph.ops for t in (*op.inputs, *op.outputs)]


def divided(graph: ModelGraph, times: int) -> ModelGraph:
    """The model whose filters weigh each channel they read less, but those that read the model's input."""
    tensors = list(graph.tensors)
    readers = [op for op in graph.ops if op.kind in ("CONV_2D", "FULLY_CONNECTED")]
    for op in readers:
        if op.inputs[0] not in graph.inputs:
            weight = tensors[op.inputs[1]]
            tensors[weight.index] = replace(weight, data=(constant_array(weight) / times).tobytes())
    return graph.with_main(replace(graph.main, tensors=tuple(tensors)))


@pytest.mark.parametrize("name", ["mobilenet-v1", "mobilenet-v2", "mobilenet-v3-small", "squeezenet-v1.1"])
def test_twice_the_channels_at_half_the_weight_compute_the_same(name: str) -> None:
    """Every channel is there twice, so what reads them has to weigh each half."""
    graph = build(name, dtype="float32", **SMALL)  # type: ignore[arg-type]
    wide = widened(graph, 2)
    x = random_inputs(graph)
    np.testing.assert_allclose(evaluate(divided(wide, 2), x)[0], evaluate(graph, x)[0], rtol=1e-4, atol=1e-6)
    assert macs(wide) > 3 * macs(graph)


def test_a_width_of_one_is_the_very_model() -> None:
    graph = build("kws01")
    assert Width(1.0).apply(graph, Given()) is graph


def test_less_than_one_is_pruning_of_the_smallest_channels() -> None:
    graph = build("ic01")
    ours = widened(graph, 0.5)
    theirs = PruneChannels(keep=0.5, first=True).apply(graph, Given())
    assert write_tflite(ours) == write_tflite(theirs)


@pytest.mark.parametrize(
    ("name", "width"), [("ic01", 0.5), ("ic01", 2.0), ("kws01", 0.25), ("mobilenet-v1", 2.0)]
)
def test_a_read_model_gets_the_shapes_of_the_network_built_at_that_width(name: str, width: float) -> None:
    small = {"width": 0.25, "resolution": 32} if name == "mobilenet-v1" else {}
    wanted = build(name, **small | {"width": width * small.get("width", 1.0)})  # type: ignore[arg-type]
    assert shapes(widened(build(name, **small), width)) == shapes(wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size", "multiplier", "multiple", "count"),
    [
        (64, 1.5, 1, 96),
        (64, 1.4, 8, 88),
        (3, 1.1, 1, 3),
        (3, 1.2, 1, 4),
        (30, 1.01, 16, 32),
        (10, 1.1, 8, 10),
    ],
)
def test_channels_become_the_nearest_multiple_but_not_fewer(
    size: int, multiplier: float, multiple: int, count: int
) -> None:
    assert widened_count(size, multiplier, multiple) == count


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 3.0), st.sampled_from([1, 2, 8]))
def test_inputs_and_outputs_keep_their_shapes_and_wider_is_never_less_work(
    multiplier: float, multiple: int
) -> None:
    graph = build("mobilenet-v2", **SMALL)  # type: ignore[arg-type]
    found = widened(graph, multiplier, multiple)
    ends = [[g.tensors[t].shape for t in (*g.inputs, *g.outputs)] for g in (graph, found)]
    assert ends[0] == ends[1]
    assert macs(found) >= macs(graph) if multiplier > 1 else macs(found) <= macs(graph)


def test_int8_scales_are_there_once_per_channel() -> None:
    wide = widened(build("kws01"), 1.5)
    op = wide.ops[0]
    grid = wide.tensors[op.inputs[1]].quantization
    assert grid is not None
    assert len(grid.scales) == wide.tensors[op.outputs[0]].shape[-1] == 96
    evaluate(wide, random_inputs(wide))


def test_a_wider_model_is_priced() -> None:
    target = load_target("nucleo-l4r5zi")
    narrow, whole = (
        simulate(g, target).metric("latency_s").value for g in (widened(build("kws01"), 0.5), build("kws01"))
    )
    assert narrow is not None and whole is not None and narrow < whole


def test_a_model_whose_channels_all_stay_says_why() -> None:
    b = GraphBuilder("one", dtype=DType.FLOAT32)
    graph = b.finish([b.conv(b.input((1, 4, 4, 1)), 3)])
    with pytest.raises(VariantInvalid, match="no channels can change: they are an output of the model"):
        Width(2.0).apply(graph, Given())


def test_what_was_done_is_said() -> None:
    said: list[str] = []
    Width(0.5).apply(build("kws01"), Given(note=said.append))
    assert said[-1] == "width x 0.5: shape only, retrain needed"
    assert any("stay" in note for note in said[:-1])


@pytest.mark.parametrize(
    ("text", "retrains"),
    [
        ("width multiplier=0.5", True), ("resolution scale=0.5", True), ("swap-norms", True),
        ("swap-activations of=gelu to=relu", True), ("prune-channels keep=0.5", False), ("quantize", False),
        ("quantize | width multiplier=2", True),
    ],
)  # fmt: skip
def test_a_recipe_knows_whether_its_model_has_to_be_trained(text: str, retrains: bool) -> None:
    assert needs_retraining(parse_recipe(text)) is retrains


@pytest.mark.parametrize(
    "text", ["width multiplier=0", "width multiplier=-1", "width multiplier=99", "width by=2"]
)
def test_what_is_no_width_is_a_fault_of_the_recipe(text: str) -> None:
    with pytest.raises(RecipeInvalid):
        parse_recipe(text)
