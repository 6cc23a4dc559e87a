"""The judge of memory plans catches every way of spoiling a good plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from memory_models import DSP, REFERENCE, chain, depthwise, one_op, t
from preflash.errors import PlanInvalid
from preflash.graphs.ir import ModelGraph
from preflash.simulator.estimate import MemoryPlan, PlannedBuffer
from preflash.simulator.memory.judge import judge
from preflash.simulator.memory.plan import plan_ahead_of_time, plan_tflm
from stateful_models import called_once, svdf

GRAPH = depthwise((8, 8, 16), (5, 5))  # input, output, one scratch
GOOD = plan_tflm(GRAPH, DSP)


def faults(plan: MemoryPlan, graph: ModelGraph = GRAPH) -> str:
    with pytest.raises(PlanInvalid) as caught:
        judge(plan, graph)
    return "; ".join(caught.value.faults)


def with_buffer(plan: MemoryPlan, at: int, **changes: object) -> MemoryPlan:
    buffers = list(plan.buffers)
    buffers[at] = replace(buffers[at], **changes)  # type: ignore[arg-type]
    return replace(plan, buffers=tuple(buffers))


def test_a_good_plan_passes() -> None:
    judge(GOOD, GRAPH)


def test_a_plan_with_generated_calls_is_judged_by_tflms_rules() -> None:
    """State is kept beside the head, and a bool takes a byte, with an interpreter or without."""
    inverted = one_op("LOGICAL_NOT", [t(1, 20, dtype="bool")], t(1, 20, dtype="bool"))
    for graph in (svdf(quantized=False), svdf(quantized=True), called_once(), inverted):
        judge(plan_ahead_of_time(graph, REFERENCE), graph)


SPOILED: list[tuple[str, Callable[[], MemoryPlan], str]] = [
    ("two buffers at one place", lambda: with_buffer(GOOD, 0, offset_bytes=GOOD.buffers[1].offset_bytes),
     "overlap"),
    ("an offset off the grid", lambda: with_buffer(GOOD, 2, offset_bytes=GOOD.buffers[2].offset_bytes - 8),
     "not aligned to 16"),
    ("a buffer above the head", lambda: with_buffer(GOOD, 0, offset_bytes=GOOD.head_bytes),
     "not inside the head"),
    ("a negative offset", lambda: with_buffer(GOOD, 0, offset_bytes=-16), "not inside the head"),
    ("a tensor that is missing", lambda: replace(GOOD, buffers=GOOD.buffers[1:]), "planned 0 times, not 1"),
    ("a tensor planned twice", lambda: replace(GOOD, buffers=(*GOOD.buffers, GOOD.buffers[0])),
     "planned 2 times, not 1"),
    ("a constant that is planned", lambda: with_buffer(GOOD, 2, kind="tensor", tensor=1),
     "tensor 1 (t1) is planned 1 times, not 0"),
    ("a tensor that is too small", lambda: with_buffer(GOOD, 0, size_bytes=1008), "needs 1024 bytes"),
    ("a tensor nobody knows", lambda: with_buffer(GOOD, 2, kind="tensor", tensor=9), "does not exist"),
    ("scratch of no op", lambda: with_buffer(GOOD, 2, op=9), "belongs to op 9, which does not exist"),
    ("a subgraph that is not there", lambda: with_buffer(GOOD, 2, subgraph=3), "subgraph 3, which does not"),
    ("a tensor dead while it is read", lambda: with_buffer(GOOD, 0, last=0), "is dead while DEPTHWISE"),
    ("a lifetime that ends before it starts", lambda: with_buffer(GOOD, 0, first=2), "has no lifetime"),
    ("a head below its buffers", lambda: replace(GOOD, head_bytes=GOOD.head_bytes - 16),
     "not inside the head"),
    ("a head above its buffers", lambda: replace(GOOD, head_bytes=GOOD.head_bytes + 16),
     "highest buffer ends"),
    ("a wrong sum", lambda: replace(GOOD, used_bytes=GOOD.used_bytes + 1), "head + tail is"),
    ("a smallest arena below the used one", lambda: replace(GOOD, min_bytes=16), "is below what is used"),
    ("tail items that do not add up", lambda: replace(GOOD, tail_items=GOOD.tail_items[1:]), "items sum to"),
    ("a wrong bound", lambda: replace(GOOD, lower_bound_bytes=16), "largest live sum"),
    ("a live sum that is too low", lambda: replace(GOOD, live_bytes=(16,)), "the plan says 16"),
    ("no instant for an op", lambda: replace(GOOD, clock_of_op=()), "does not give an instant"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "fault"), [row[1:] for row in SPOILED], ids=[row[0] for row in SPOILED])
def test_the_judge_refuses(spoil: Callable[[], MemoryPlan], fault: str) -> None:
    assert fault in faults(spoil())


def test_all_faults_come_at_once() -> None:
    spoiled = replace(with_buffer(GOOD, 0, size_bytes=16), used_bytes=1)
    found = faults(spoiled)
    assert "needs 1024 bytes" in found
    assert "used is 1" in found


extents = st.lists(st.integers(1, 300), min_size=3, max_size=8)


@given(extents, st.data())
def test_a_shifted_buffer_never_passes(lengths: list[int], data: st.DataObject) -> None:
    """A shift leaves the grid or the head, meets a neighbour, or (rarely) is as good as the plan was."""
    graph = chain(*lengths)
    plan = plan_tflm(graph, DSP)
    at = data.draw(st.integers(0, len(plan.buffers) - 1))
    moved = plan.buffers[at].offset_bytes + data.draw(st.sampled_from([-16, -8, 8, 16]))
    spoiled = with_buffer(plan, at, offset_bytes=moved)
    assume(not _still_good(spoiled.buffers, plan.head_bytes))
    faults(spoiled, graph)


def _still_good(buffers: tuple[PlannedBuffer, ...], head: int) -> bool:
    """Byte by byte and instant by instant: nobody shares one, all are inside and on the grid."""
    taken = set()
    for b in buffers:
        if b.offset_bytes < 0 or b.offset_bytes % 16:
            return False
        for instant in range(b.first, b.last + 1):
            cells = {(instant, byte) for byte in range(b.offset_bytes, b.offset_bytes + b.size_bytes, 16)}
            if cells & taken:
                return False
            taken |= cells
    return max(b.offset_bytes + b.size_bytes for b in buffers) == head


@given(extents, st.data())
def test_a_dropped_buffer_never_passes(lengths: list[int], data: st.DataObject) -> None:
    graph = chain(*lengths)
    plan = plan_tflm(graph, DSP)
    at = data.draw(st.integers(0, len(plan.buffers) - 1))
    faults(replace(plan, buffers=plan.buffers[:at] + plan.buffers[at + 1 :]), graph)


@given(extents, st.data())
def test_a_buffer_of_another_size_never_passes(lengths: list[int], data: st.DataObject) -> None:
    graph = chain(*lengths)
    plan = plan_tflm(graph, DSP)
    at = data.draw(st.integers(0, len(plan.buffers) - 1))
    wrong = plan.buffers[at].size_bytes + data.draw(st.sampled_from([-16, -1, 1, 16]))
    assert "bytes, planned are" in faults(with_buffer(plan, at, size_bytes=wrong), graph)
