"""Shapes stored as -1 are solved before anything is counted."""

from __future__ import annotations

from preflash.graphs.ir import DType, ModelGraph, Op, Tensor, wire
from preflash.graphs.ops import ReshapeAttributes
from preflash.graphs.static_shapes import with_static_shapes


def flattening(out: tuple[int, ...]) -> ModelGraph:
    tensors = [Tensor(0, "in", DType.INT8, (1, 4, 5, 3)), Tensor(1, "flat", DType.INT8, out)]
    reshape = Op(0, "RESHAPE", (0,), (1,), ReshapeAttributes(new_shape=out))
    return ModelGraph((wire(tensors, [reshape], inputs=(0,), outputs=(1,)),), file_bytes=10, sha256="ab")


def test_an_open_reshape_gets_what_is_left_of_its_input() -> None:
    solved = with_static_shapes(flattening((1, -1)))
    assert solved.tensors[1].shape == (1, 60)
    assert (solved.file_bytes, solved.sha256) == (10, "ab")


def test_a_graph_without_open_shapes_is_the_same_object() -> None:
    graph = flattening((1, 60))
    assert with_static_shapes(graph) is graph


def test_a_shape_that_cannot_be_solved_stays_open() -> None:
    assert with_static_shapes(flattening((7, -1))).tensors[1].shape == (7, -1)
