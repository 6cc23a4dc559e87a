"""The conductor: what it makes of models that a planner refuses."""

from __future__ import annotations

from preflash.devices.catalog import load_target
from preflash.graphs.ir import DType, ModelGraph, Op, Tensor, wire
from preflash.graphs.ops import ReshapeAttributes
from preflash.simulator.estimate import Word
from preflash.simulator.simulate import simulate


def reshaping(to: DType) -> ModelGraph:
    tensors = [Tensor(0, "in", DType.INT8, (1, 4)), Tensor(1, "out", to, (4,))]
    reshape = Op(0, "RESHAPE", (0,), (1,), ReshapeAttributes(new_shape=(4,)))
    return ModelGraph((wire(tensors, [reshape], inputs=(0,), outputs=(1,)),), name="m", file_bytes=100)


def test_a_model_that_no_planner_can_place_is_a_no_with_the_reason() -> None:
    graph = reshaping(DType.STRING)
    for board in ("example-npu", "nucleo-l4r5zi"):
        estimate = simulate(graph, load_target(board))
        assert estimate.verdict.word is Word.NO
        assert "out" in estimate.verdict.sentence
        assert estimate.metric("ram_bytes").value is None


def test_the_smallest_arena_and_static_ram_make_the_ram() -> None:
    estimate = simulate(reshaping(DType.INT8), load_target("nucleo-l4r5zi"))
    arena = estimate.metric("arena_min_bytes").value
    assert arena is not None and estimate.metric("ram_bytes").value == arena + 132
