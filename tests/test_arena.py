"""Head, tail, smallest arena: whole plans of small graphs by hand, refusals, and the plan over time."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_models import ARM, BUILDS, MVE, REFERENCE, chain, conv, depthwise, one_op, op, subgraph, t
from preflash.devices.target import KernelBuild
from preflash.errors import PlanInvalid
from preflash.graphs.ir import ModelGraph
from preflash.graphs.ops import (
    BatchMatMulAttributes,
    DepthToSpaceAttributes,
    GatherAttributes,
    VarHandleAttributes,
)
from preflash.simulator.memory.judge import judge
from preflash.simulator.memory.min_arena import plan_stage_bytes
from preflash.simulator.memory.persistent import lay_tail
from preflash.simulator.memory.plan import plan_by_size, plan_tflm
from preflash.simulator.memory.refusal import refusals
from preflash.simulator.memory.shapes import prepared_shape, tensor_bytes


def test_a_chain_needs_its_two_largest_neighbours() -> None:
    plan = plan_tflm(chain(64, 256, 32, 16), REFERENCE)
    assert plan.head_bytes == 64 + 256
    assert plan.clock_of_op == (1, 2, 3)
    assert plan.live_bytes == (320, 288, 48)
    assert (plan.lower_bound_bytes, plan.peak_op) == (320, 0)
    assert plan.used_bytes == plan.head_bytes + plan.tail_bytes


def test_buffers_carry_the_names_of_what_they_hold() -> None:
    plan = plan_tflm(conv((8, 8, 3), (3, 3, 8)), BUILDS["c"])
    named = {b.name: (b.kind, b.size_bytes, b.first, b.last) for b in plan.buffers}
    assert named == {
        "t0": ("tensor", 192, 0, 1), "t3": ("tensor", 512, 1, 1),
        "CONV_2D 0 scratch 0": ("scratch", 112, 1, 1),
    }  # fmt: skip


def test_constants_variables_and_empty_tensors_are_not_in_the_head() -> None:
    graph = one_op("RELU", [t(8), t(8, constant=True), t(8, variable=True), t(0)], t(8))
    assert [b.tensor for b in plan_tflm(graph, REFERENCE).buffers] == [0, 4]


def test_the_handle_of_a_resource_variable_takes_no_place_in_the_head() -> None:
    """Recorded with tflite-micro 0.dev20261023 on 41 models that read, add and assign a variable."""
    ops = [op("VAR_HANDLE", [], [1], VarHandleAttributes(shared_name="v")), op("READ_VARIABLE", [1], [2]),
           op("ADD", [0, 2], [3]), op("ASSIGN_VARIABLE", [1, 3], [])]  # fmt: skip
    graph = ModelGraph((subgraph([t(40), t(dtype="resource"), t(40), t(40)], ops, [0], [3]),))
    plan = plan_tflm(graph, REFERENCE)
    assert [b.tensor for b in plan.buffers] == [0, 2, 3]
    assert plan.head_bytes == 3 * 48
    judge(plan, graph)


def test_an_int4_activation_takes_a_byte_per_element() -> None:
    assert plan_tflm(one_op("RELU", [t(33, dtype="int4")], t(16)), REFERENCE).head_bytes == 48 + 16


def test_a_large_tensor_nobody_touches_still_raises_the_head() -> None:
    graph = ModelGraph((subgraph([t(8), t(8), t(500)], [op("RELU", [0], [1])], [0], [1]),))
    plan = plan_tflm(graph, REFERENCE)
    assert plan.head_bytes == 512
    assert plan.live_bytes == (32,)


def test_scratch_of_a_subgraph_that_nothing_calls_has_a_handle_but_no_bytes() -> None:
    """The body's tensors (192, 512) are planned at 0, its 112 bytes of scratch are not sized."""
    alone = plan_tflm(chain(8, 8), BUILDS["c"])
    graph = ModelGraph((chain(8, 8).main, conv((8, 8, 3), (3, 3, 8)).main))
    plan = plan_tflm(graph, BUILDS["c"])
    assert [(b.kind, b.size_bytes) for b in plan.buffers if b.subgraph == 1] == [
        ("tensor", 192), ("tensor", 512), ("scratch", 0),
    ]  # fmt: skip
    assert dict(plan.tail_items)["scratch handles"] == 4
    # (-1, -1) twice: the two tensors of the body meet each other
    assert (alone.head_bytes, plan.head_bytes) == (32, 512 + 192)


def test_the_tail_items_sum_to_the_tail() -> None:
    plan = plan_tflm(conv((8, 8, 3), (3, 3, 8)), BUILDS["c"])
    assert sum(size for _, size in plan.tail_items) == plan.tail_bytes
    assert dict(plan.tail_items)["per-channel data"] == 64


def _offline(graph: ModelGraph, *offsets: int) -> ModelGraph:
    words = struct.pack(f"<{3 + len(offsets)}i", 1, 0, len(offsets), *offsets)
    return replace(graph, metadata=(("OfflineMemoryAllocation", words),), _cache={})


def test_a_graph_changed_by_replace_is_planned_anew() -> None:
    """`replace` hands the cache on; what was worked out for the old subgraphs must not be used."""
    graph = chain(64, 64)
    assert plan_tflm(graph, REFERENCE).head_bytes == 128
    assert plan_tflm(replace(graph, subgraphs=chain(64, 640).subgraphs), REFERENCE).head_bytes == 704


def test_an_offline_plan_is_followed() -> None:
    plan = plan_tflm(_offline(chain(64, 64, 64), 512, -1, 0), REFERENCE)
    assert [b.offset_bytes for b in plan.buffers] == [512, 64, 0]
    assert plan.head_bytes == 576


def test_an_offline_plan_moves_a_variable_into_the_head() -> None:
    graph = one_op("RELU", [t(64), t(64, variable=True)], t(64))
    assert "variables" in dict(plan_tflm(graph, REFERENCE).tail_items)
    placed = plan_tflm(_offline(graph, -1, 128, -1), REFERENCE)
    assert "variables" not in dict(placed.tail_items)
    assert [(b.tensor, b.offset_bytes) for b in placed.buffers] == [(0, 64), (1, 128), (2, 0)]


def test_the_judge_lets_an_offline_plan_share_bytes_but_nobody_else() -> None:
    graph = _offline(chain(64, 64, 64), 8, 8, -1)
    plan = plan_tflm(graph, REFERENCE)
    judge(plan, graph)
    shifted = replace(plan.buffers[2], offset_bytes=16)
    with pytest.raises(PlanInvalid, match="overlap"):
        judge(replace(plan, buffers=(*plan.buffers[:2], shifted)), graph)


def test_an_offline_plan_for_another_number_of_tensors_is_refused() -> None:
    graph = _offline(chain(64, 64), 0, 64, 128)
    assert refusals(graph) == ("the offline memory plan names 3 tensors, the model has 2",)


REFUSED = [
    (one_op("RELU", [t(4, dtype="string")], t(4)), "TFLM has no size for string elements"),
    (one_op("RELU", [t(4)], t(1, -1)), "RELU 0: its output t1 has the dynamic shape (1, -1)"),
    (one_op("RELU", [t(4)], t(1, 0)), "RELU 0: its output t1 has the dynamic shape (1, 0)"),
    (one_op("RELU", [t(1, -1)], t(4)), "tensor 0 (t0) has the dynamic shape (1, -1)"),
    (one_op("RESHAPE", [t(2, 0)], t(0, 2)), "RESHAPE 0: its output t1 has the dynamic shape (0, 2)"),
    (one_op("GATHER", [t(2, 3), t(0, dtype="int32")], t(1, 3), GatherAttributes(axis=0)),
     "GATHER 0: its output t2 has the dynamic shape (0, 3)"),
    (one_op("RESHAPE", [t(4)], t(-1, -1)), "RESHAPE 0: its output t1 has the dynamic shape (-1, -1)"),
]


@pytest.mark.parametrize(("graph", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_the_allocator_refuses(graph: ModelGraph, reason: str) -> None:
    (found,) = refusals(graph)
    assert reason in found
    with pytest.raises(PlanInvalid, match="TFLM does not allocate"):
        plan_tflm(graph, REFERENCE)


def test_an_intermediate_tensor_must_be_empty() -> None:
    graph = one_op("RELU", [t(4), t(8)], t(4))
    full = replace(graph.ops[0], intermediates=(1,))
    graph = replace(graph, subgraphs=(replace(graph.main, ops=(full,)),), _cache={})
    assert refusals(graph) == ("RELU 0: its intermediate tensor t1 is not empty",)


PREPARED = [
    (one_op("RESHAPE", [t(2, 3, 4)], t(1, -1)), (1, 24)),
    (one_op("RESHAPE", [t(2, 3, 4)], t(4, 6)), (4, 6)),
    (one_op("BATCH_MATMUL", [t(3, 1, 4, 6), t(2, 6, 5)], t(1), BatchMatMulAttributes()), (3, 2, 4, 5)),
    (one_op("BATCH_MATMUL", [t(6, 4), t(5, 6)], t(1), BatchMatMulAttributes(True, True)), (4, 5)),
    (one_op("GATHER", [t(7, 8, 9), t(2, 3, dtype="int32")], t(1), GatherAttributes(axis=1)), (7, 2, 3, 9)),
    (one_op("GATHER", [t(7, 8, 9), t(7, 3, dtype="int32")], t(1), GatherAttributes(-1, 1)), (7, 8, 3)),
    (one_op("GATHER_ND", [t(7, 8, 9), t(5, 2, dtype="int32")], t(1)), (5, 9)),
    (one_op("DEPTH_TO_SPACE", [t(1, 2, 3, 8)], t(1), DepthToSpaceAttributes(2)), (1, 4, 6, 2)),
    (one_op("SPACE_TO_DEPTH", [t(1, 4, 6, 2)], t(1), DepthToSpaceAttributes(2)), (1, 2, 3, 8)),
    (one_op("EMBEDDING_LOOKUP", [t(5, dtype="int32"), t(9, 3)], t(1)), (5, 3)),
]


@pytest.mark.parametrize(("graph", "shape"), PREPARED)
def test_prepare_rewrites_the_output_shape(graph: ModelGraph, shape: tuple[int, ...]) -> None:
    (out,) = graph.outputs
    assert prepared_shape(graph.main, out) == shape
    product = 1
    for extent in shape:
        product *= extent
    assert tensor_bytes(graph.main, out) == product


def test_the_planning_stage_can_need_more_than_the_run() -> None:
    """Two tensors of 16 bytes: head 32, tail 320, used 352; while planning:

    up(12*12 + 4 + 24*2, 16) = 208, + 40*2, + up(224, 16) = 512.
    """
    graph = chain(8, 8)
    plan = plan_tflm(graph, REFERENCE)
    tail = lay_tail(graph, REFERENCE, scratch_count=0, variables=())
    assert plan_stage_bytes(graph, tail, scratch_count=0, planned_count=2) == 512
    assert (plan.used_bytes, plan.min_bytes) == (352, 512)


def test_preparing_an_op_with_many_scales_can_need_more_than_the_run() -> None:
    """Depthwise, 64 channels over one pixel: filter and bias structs hold 64 zero points each.

    tail before I/O: 132 + 48 + 32 + 28 = 240; 56 -> 304; 2*256 -> 816. Opened: output, input, filter, input,
    filter, bias, output = 4*32 + 3*(32 + 12 + 4 + 4*64) = 1040; 12*12 + 1040 + 816 = 2000 -> 2000.
    """
    plan = plan_tflm(depthwise((1, 1, 64), (1, 1)), REFERENCE)
    assert plan.min_bytes == 2000
    assert plan.used_bytes < plan.min_bytes


def test_mve_names_the_op_whose_scratch_depends_on_garbage() -> None:
    hit = depthwise((1, 32, 1), (1, 3), multiplier=8)
    (warning,) = plan_tflm(hit, MVE).warnings
    assert "DEPTHWISE_CONV_2D 0" in warning
    assert plan_tflm(depthwise((8, 32, 1), (3, 3), multiplier=8), MVE).warnings == ()
    assert plan_tflm(hit, BUILDS["dsp"]).warnings == ()


def test_a_tail_that_is_only_a_lower_bound_says_so() -> None:
    (warning,) = plan_tflm(one_op("CUSTOM:Mystery", [t(8)], t(8)), REFERENCE).warnings
    assert "Mystery" in warning
    (warning,) = plan_tflm(chain(8, 8), KernelBuild("reference", "", "host64")).warnings
    assert "64-bit" in warning


def test_by_size_plans_what_ops_touch_at_the_accelerators_alignment() -> None:
    graph = ModelGraph((subgraph([t(70), t(70), t(500)], [op("RELU", [0], [1])], [0], [1]),))
    plan = plan_by_size(graph, 64)
    assert [(b.tensor, b.offset_bytes, b.size_bytes) for b in plan.buffers] == [(0, 0, 128), (1, 128, 128)]
    assert (plan.head_bytes, plan.tail_bytes, plan.min_bytes) == (256, 0, 256)
    judge(plan, graph)


def test_by_size_keeps_a_variable_throughout() -> None:
    graph = one_op("RELU", [t(64), t(64, variable=True)], t(64))
    assert [(b.first, b.last) for b in plan_by_size(graph, 16).buffers] == [(0, 1), (0, 1), (1, 1)]


shapes = st.tuples(*[st.integers(1, 12)] * 3, *[st.integers(1, 5)] * 2, st.integers(1, 9))


@settings(max_examples=150, deadline=None)
@given(shapes, st.integers(1, 3), st.sampled_from(sorted(BUILDS)), st.booleans())
def test_every_plan_passes_the_judge(
    shape: tuple[int, ...], stride: int, build: str, is_depthwise: bool
) -> None:
    h, w, c, kh, kw, cout = shape
    if is_depthwise:
        graph = depthwise((h, w, c), (kh, kw), multiplier=cout, stride=stride)
    else:
        graph = conv((h, w, c), (kh, kw, cout), stride=(stride, stride))
    plan = plan_tflm(graph, BUILDS[build])
    judge(plan, graph)
    assert plan.head_bytes >= plan.lower_bound_bytes


@given(st.lists(st.integers(1, 400), min_size=2, max_size=12))
def test_a_larger_tensor_never_needs_a_smaller_bound(extents: list[int]) -> None:
    larger = [2 * n for n in extents]
    build = KernelBuild("reference", "", ARM)
    small, large = plan_tflm(chain(*extents), build), plan_tflm(chain(*larger), build)
    assert large.lower_bound_bytes >= small.lower_bound_bytes
    assert large.tail_bytes == small.tail_bytes
