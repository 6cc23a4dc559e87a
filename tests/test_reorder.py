"""Another order of the ops: what it must respect, and what stays the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from memory_models import op, subgraph, t
from preflash.errors import OrderInvalid
from preflash.graphs.build import GraphBuilder
from preflash.graphs.ir import ModelGraph
from preflash.graphs.ops import CallOnceAttributes, IfAttributes
from preflash.graphs.reorder import must_precede, reordered, without_order_metadata
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite


def diamond() -> ModelGraph:
    b = GraphBuilder("diamond")
    x = b.input((1, 8))
    left, right = b.unary("RELU", x), b.unary("TANH", x)
    return b.finish([b.add(b.unary("RELU", left), b.unary("TANH", right))])


def stateful(kinds: list[str], *, one_resource: bool = True) -> ModelGraph:
    """Ops without a common tensor: nothing but their effects orders them."""
    tensors = [t(1, 4) for _ in range(2 * len(kinds))]
    attributes = {"IF": IfAttributes(1, 1), "CALL_ONCE": CallOnceAttributes(1)}
    ops = [op(kind, [2 * n], [2 * n + 1], attributes.get(kind)) for n, kind in enumerate(kinds)]
    made = subgraph(tensors, ops, list(range(0, len(tensors), 2)), list(range(1, len(tensors), 2)))
    return ModelGraph((made, subgraph([t(1)], [], [], [])), name="stateful")


def test_an_op_follows_what_makes_its_inputs() -> None:
    assert must_precede(diamond()) == ((), (), (0,), (1,), (2, 3))


@pytest.mark.parametrize(
    ("kinds", "edges"),
    [
        (["ASSIGN_VARIABLE", "READ_VARIABLE"], ((), (0,))),
        (["CALL_ONCE", "RELU", "READ_VARIABLE"], ((), (), (0,))),
        (["VAR_HANDLE", "IF", "WHILE"], ((), (0,), (1,))),
        (["CUSTOM", "RELU", "CUSTOM"], ((), (), (0,))),
        (["RANDOM_UNIFORM", "RANDOM_UNIFORM"], ((), (0,))),
        (["RELU", "TANH"], ((), ())),
    ],
)
def test_ops_with_effects_keep_their_relative_order(
    kinds: list[str], edges: tuple[tuple[int, ...], ...]
) -> None:
    assert must_precede(stateful(kinds)) == edges


def test_ops_that_change_the_same_state_keep_their_relative_order() -> None:
    """SVDF 0 and SVDF 2 share state 1; SVDF 1 has its own and is free."""
    tensors = [t(1, 4), t(1, 8, variable=True), t(1, 8, variable=True), t(1, 4), t(1, 4), t(1, 4)]
    ops = [op("SVDF", [0, 1], [3]), op("SVDF", [0, 2], [4]), op("SVDF", [0, 1], [5])]
    graph = ModelGraph((subgraph(tensors, ops, [0], [3, 4, 5]),))
    assert must_precede(graph) == ((), (), (0,))


def test_an_input_that_an_op_changes_is_read_before_or_after_as_written() -> None:
    """RELU reads 0 before the op that changes it, TANH after; the two edges keep both."""
    tensors = [t(1, 4) for _ in range(4)]
    changes = replace(op("ADD", [0], [2]), mutating_inputs=(True,))
    ops = [op("RELU", [0], [1]), changes, op("TANH", [0], [3])]
    graph = ModelGraph((subgraph(tensors, ops, [0], [1, 2, 3]),))
    assert must_precede(graph) == ((), (0,), (1,))


def test_an_output_that_is_also_an_input_keeps_its_readers() -> None:
    tensors = [t(1, 4) for _ in range(3)]
    ops = [op("RELU", [0], [0]), op("TANH", [0], [1]), op("RELU", [0], [0]), op("TANH", [0], [2])]
    graph = ModelGraph((subgraph(tensors, ops, [0], [1, 2]),))
    assert must_precede(graph) == ((), (0,), (0, 1), (2,))


def test_a_reordered_model_has_the_same_tensors_and_rewired_ops() -> None:
    graph = diamond()
    found = reordered(graph, (0, 2, 1, 3, 4))
    assert [o.kind for o in found.ops] == ["RELU", "RELU", "TANH", "TANH", "ADD"]
    assert [o.index for o in found.ops] == [0, 1, 2, 3, 4]
    assert [o.producers for o in found.ops] == [(-1,), (0,), (-1,), (2,), (1, 3)]
    assert found.tensors == graph.tensors
    assert (found.inputs, found.outputs) == (graph.inputs, graph.outputs)
    assert [o.outputs for o in parse_tflite(write_tflite(found)).ops] == [o.outputs for o in found.ops]


def test_the_given_order_is_the_same_object() -> None:
    graph = diamond()
    assert reordered(graph, range(5)) is graph


@pytest.mark.parametrize(
    ("order", "named"),
    [
        ((0, 1, 2, 3), "each of the 5 ops once"),
        ((0, 0, 1, 2, 3), "each of the 5 ops once"),
        ((2, 0, 1, 3, 4), "RELU 2 cannot run before RELU 0"),
    ],
)
def test_an_order_that_cannot_run_is_refused(order: tuple[int, ...], named: str) -> None:
    with pytest.raises(OrderInvalid, match=named):
        reordered(diamond(), order)


@pytest.mark.parametrize("name", ["OfflineMemoryAllocation", "model_control_dependencies"])
def test_metadata_that_hold_for_one_order_refuse_another_until_they_are_removed(name: str) -> None:
    graph = replace(diamond(), metadata=((name, bytes(12)), ("min_runtime_version", b"1")))
    with pytest.raises(OrderInvalid, match=name) as caught:
        reordered(graph, (1, 0, 2, 3, 4))
    assert "without_order_metadata" in caught.value.fix
    assert reordered(graph, range(5)) is graph
    bare = without_order_metadata(graph)
    assert reordered(bare, (1, 0, 2, 3, 4)).metadata == (("min_runtime_version", b"1"),)
    assert without_order_metadata(bare) is bare
