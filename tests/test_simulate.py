"""The conductor: what it makes of models that a planner refuses."""

from __future__ import annotations

import pytest
from preflash.devices.catalog import load_target
from preflash.graphs.ir import DType, ModelGraph, Op, Tensor, wire
from preflash.graphs.ops import ReshapeAttributes
from preflash.graphs.zoo import build
from preflash.simulator.estimate import Conditions, Word
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


def test_fusion_is_shown_per_memory_with_what_kernels_read_again() -> None:
    """int8 16x16x8: fused, x (2048 B) is read for the convolution and as the residual, 512 B are written.

    Weights are the same on both sides: 3x3x8 filters of 8 channels and 8 int32 biases.
    """
    moved = simulate(build("conv-add-pool-relu"), load_target("example-npu")).fusion_traffic
    (flash, sram), (fused_flash, fused_sram) = moved.before, moved.after
    assert flash == fused_flash
    assert flash.read_bytes == 3 * 3 * 8 * 8 + 8 * 4
    assert sram.read_bytes + sram.write_bytes == 13824
    assert (fused_sram.read_bytes, fused_sram.write_bytes) == (2 * 2048, 512)
    assert (sram.repeated_bytes, fused_sram.repeated_bytes) == (0, 2048)


def test_a_runtime_without_fusion_moves_the_same_before_and_after() -> None:
    estimate = simulate(build("conv-add-pool-relu"), load_target("nucleo-l4r5zi"))
    moved = estimate.fusion_traffic
    assert moved.before == moved.after
    used = [m for m in estimate.memories if m.read_bytes or m.write_bytes]
    assert [(t.memory, t.read_bytes, t.write_bytes) for t in moved.after] == [
        (m.name, m.read_bytes, m.write_bytes) for m in used
    ]
    assert any(t.repeated_bytes for t in moved.after)


def test_needed_bandwidth_is_as_wide_as_traffic_and_latency_together() -> None:
    """traffic / latency; lo: every byte once in the slowest time; hi: every re-read in the fastest."""
    estimate = simulate(build("kws01"), load_target("nucleo-l4r5zi"), Conditions(deadline_s=0.5))
    latency = estimate.metric("latency_s")
    assert latency.value and latency.lo and latency.hi
    for memory in (m for m in estimate.memories if m.traffic_bytes.value):
        traffic, needed = memory.traffic_bytes, memory.bandwidth_needed_bytes_per_s
        assert traffic.value and traffic.lo and traffic.hi and traffic.lo < traffic.value
        assert needed.value == pytest.approx(traffic.value / latency.value)
        assert needed.lo == pytest.approx(traffic.lo / latency.hi)
        assert needed.hi == pytest.approx(traffic.hi / latency.lo)
        at_deadline = memory.bandwidth_at_deadline_bytes_per_s
        assert (at_deadline.lo, at_deadline.value) == (traffic.lo / 0.5, traffic.value / 0.5)
