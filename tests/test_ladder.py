"""The ladder: which measure reaches which smaller budget; offline plans and builds without an interpreter."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_models import BUILDS, REFERENCE, chain, conv
from preflash.devices.catalog import load_target
from preflash.devices.target import KernelBuild, Target
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.reports.data import to_data
from preflash.reports.sections import arena_line
from preflash.simulator.estimate import Basis
from preflash.simulator.memory.judge import judge
from preflash.simulator.memory.kept_in_ram import kept_in_ram
from preflash.simulator.memory.ladder import BUDGETS_BYTES, KIB, Option, ladder, standard_measures
from preflash.simulator.memory.offline_plan import (
    quick_offsets,
    with_best_offsets,
    with_offline_plan,
    without_offline_plan,
)
from preflash.simulator.memory.plan import plan_ahead_of_time, plan_tflm
from preflash.simulator.memory.planners.problem import Request, extent, live_bytes
from preflash.simulator.memory.planners.tflm_greedy import place
from preflash.simulator.simulate import simulate
from stateful_models import accumulators, branchy, circular_buffer, svdf

BOARD = load_target("nucleo-l4r5zi", runtime="tflm-cmsis-nn")


def _fixed(label: str, size_bytes: int):  # type: ignore[no-untyped-def]
    return lambda graph, target: (label, size_bytes, "a cost")


def test_rungs_go_down_until_nothing_reaches() -> None:
    """40 KiB fits 48; the second measure reaches 32 and 24; 16 is out of reach."""
    rungs = ladder(chain(8, 8), BOARD, measures=[_fixed("as is", 40 * KIB), _fixed("other", 20 * KIB)])
    assert [(r.budget_bytes // KIB, r.best.label, len(r.options)) for r in rungs] == [
        (48, "as is", 2), (32, "other", 1), (24, "other", 1),
    ]  # fmt: skip
    assert rungs[0].options[1] == Option("other", 20 * KIB, "a cost")


def test_a_measure_that_does_not_apply_is_not_on_the_ladder() -> None:
    rungs = ladder(chain(8, 8), BOARD, measures=[_fixed("as is", 5 * KIB), lambda graph, target: None])
    assert [r.budget_bytes // KIB for r in rungs] == [8]
    assert ladder(chain(8, 8), BOARD, measures=[]) == ()


def test_a_model_beyond_the_largest_budget_still_has_its_rungs() -> None:
    (top, *_) = ladder(chain(8, 8), BOARD, measures=[_fixed("as is", 1 << 30), _fixed("tiled", 3 * KIB)])
    assert top.budget_bytes == max(BUDGETS_BYTES)
    assert top.best.label == "tiled"


def test_the_standard_measures_of_a_convolution() -> None:
    """The im2col columns, 4*up(3*3*16, 4) = 576 bytes, are what the reference kernels spare."""
    graph = conv((32, 32, 16), (3, 3, 16))
    found = {m(graph, BOARD).label: m(graph, BOARD) for m in standard_measures()}  # type: ignore[union-attr]
    as_is, spared = found["as it is"], found["reference kernels"]
    assert as_is.arena_bytes == plan_tflm(graph, BOARD.kernels).min_bytes
    assert spared.arena_bytes == plan_tflm(graph, REFERENCE).min_bytes
    assert 576 <= as_is.arena_bytes - spared.arena_bytes <= 576 + 32
    assert found["no interpreter (ahead of time)"].arena_bytes < as_is.arena_bytes
    assert all(option.cost and option.executed_by for option in found.values())


def test_a_runtime_that_is_not_tflm_has_no_ladder_of_tflms_measures() -> None:
    other = load_target("nucleo-l4r5zi", runtime="x-cube-ai")
    assert all(m(chain(8, 8), other) is None for m in standard_measures()[1:])


def test_a_core_that_no_generated_build_runs_on_has_no_such_rung() -> None:
    """tflm-aot is for Cortex-M."""
    graph = conv((8, 8, 3), (3, 3, 8))
    for board, is_offered in (("nucleo-l4r5zi", True), ("esp32-s3-n8r8", False), ("hifive1-revb", False)):
        by = {o.executed_by for rung in ladder(graph, load_target(board)) for o in rung.options}
        assert ("tflm-aot" in by) is is_offered


def test_offsets_beyond_an_int32_are_not_written() -> None:
    """Two tensors of 2 GiB lie one above the other; the metadata have no word for that."""
    assert with_best_offsets(chain(1 << 31, 1 << 31, 64), REFERENCE).metadata == ()
    far = with_best_offsets(branchy(), REFERENCE, lambda requests: [i << 31 for i in range(len(requests))])
    assert far.metadata == ()


def test_an_offline_plan_survives_the_file() -> None:
    graph = with_offline_plan(chain(64, 64, 64), {(0, 0): 512, (0, 2): 0})
    again = parse_tflite(write_tflite(graph))
    assert [b.offset_bytes for b in plan_tflm(again, REFERENCE).buffers] == [512, 64, 0]
    assert without_offline_plan(again).metadata == ()


def test_better_offsets_are_written_only_where_they_are_better() -> None:
    assert with_best_offsets(chain(64, 64, 64), REFERENCE).metadata == ()
    placed = with_best_offsets(branchy(), REFERENCE)
    plan = plan_tflm(placed, REFERENCE)
    judge(plan, placed)
    assert (plan_tflm(branchy(), REFERENCE).head_bytes, plan.head_bytes) == (208, 192)
    assert plan.lower_bound_bytes == 192


def test_a_plan_for_another_library_is_replaced_not_kept() -> None:
    stale = with_offline_plan(branchy(), {(0, 0): 1024})
    assert plan_tflm(with_best_offsets(stale, REFERENCE), REFERENCE).head_bytes == 192


def test_the_layout_that_is_given_is_the_one_that_is_written() -> None:
    """TFLM's own offsets bring nothing; a row of buffers end to end is larger and not written."""
    seen: list[int] = []

    def same(requests: Sequence[Request]) -> list[int]:
        seen.append(len(requests))
        return place(requests)

    def in_a_row(requests: Sequence[Request]) -> list[int]:
        return [sum(r.size_bytes for r in requests[:i]) for i in range(len(requests))]

    assert with_best_offsets(branchy(), REFERENCE, same).metadata == ()
    assert with_best_offsets(branchy(), REFERENCE, in_a_row).metadata == ()
    assert seen == [5]


requests_strategy = st.lists(
    st.builds(
        lambda size, first, length: Request(16 * size, first, first + length),
        st.integers(1, 40), st.integers(0, 12), st.integers(0, 6),
    ),
    min_size=1, max_size=14,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(requests_strategy)
def test_the_quick_offsets_are_a_plan_and_never_above_tflms(requests: list[Request]) -> None:
    offsets = quick_offsets(requests)
    for i, a in enumerate(requests):
        for j, b in enumerate(requests[:i]):
            together = a.first <= b.last and b.first <= a.last
            apart = (
                offsets[i] + a.size_bytes <= offsets[j] or offsets[j] + b.size_bytes <= offsets[i]
            )
            assert apart or not together
    assert max(live_bytes(requests, 20)) <= extent(requests, offsets) <= extent(requests, place(requests))


def test_a_build_without_interpreter_keeps_state_and_op_data() -> None:
    """float SVDF: a state of 96 bytes; its struct of 36, aligned to 16, may be constant."""
    found = kept_in_ram(svdf(quantized=False), REFERENCE)
    assert found.state_bytes in range(96, 112)
    assert found.op_data_bytes in range(36, 64)
    assert kept_in_ram(circular_buffer(), REFERENCE).state_bytes == 16
    assert kept_in_ram(conv((8, 8, 3), (3, 3, 8)), REFERENCE).table_bytes in range(64, 80)


@pytest.mark.parametrize("build", [BUILDS["c"], BUILDS["dsp"], BUILDS["mve"]], ids=lambda b: b.flavour)
def test_no_interpreter_never_needs_more_than_an_interpreter(build: KernelBuild) -> None:
    graph = conv((8, 8, 3), (3, 3, 8))
    with_one, without = plan_tflm(graph, build), plan_ahead_of_time(graph, build)
    assert without.head_bytes == with_one.head_bytes
    assert without.tail_range_bytes is not None
    low, high = without.tail_range_bytes
    assert low <= without.tail_bytes <= high < with_one.tail_bytes


def _aot() -> Target:
    return load_target("nucleo-l4r5zi", runtime="tflm-aot")


def test_figures_without_an_interpreter_are_intervals() -> None:
    graph = conv((32, 32, 16), (3, 3, 16))
    estimate, ours = simulate(graph, _aot()), simulate(graph, BOARD)
    assert estimate.metric("arena_head_bytes").basis is Basis.EXACT
    for name in ("arena_min_bytes", "ram_bytes", "flash_bytes"):
        metric = estimate.metric(name)
        assert metric.basis is Basis.ANALYTIC
        assert metric.lo is not None and metric.value is not None and metric.hi is not None
        assert metric.lo < metric.value < metric.hi
        assert metric.value < (ours.metric(name).value or 0)


def test_the_report_shows_what_is_used_and_what_to_declare() -> None:
    estimate = simulate(conv((8, 8, 3), (3, 3, 8)), BOARD)
    plan = estimate.plan
    assert plan is not None
    line = arena_line(estimate)
    assert f"declare {plan.min_bytes:,} B" in line
    assert f"used {plan.used_bytes:,} B = head {plan.head_bytes:,} + tail {plan.tail_bytes:,}" in line
    data = to_data(estimate)["plan"]
    assert {s["stage"] for s in data["stages"]} == {"running", "planning", "preparing"}
    assert data["decided_by"] in {"running", "planning", "preparing"}
    assert data["used_bytes"] + data["temporary_bytes"] == max(s["size_bytes"] for s in data["stages"])


def test_a_tiny_model_is_decided_by_planning() -> None:
    """Thirty tensors of 8 bytes: 24 + 40 bytes of lists per tensor beat their 32 bytes of head."""
    plan = plan_tflm(chain(*[8] * 30), REFERENCE)
    assert plan.decided_by == "planning"
    assert plan.temporary_bytes == dict(plan.stages)["planning"] - plan.used_bytes > 0
    assert f"B more while {plan.decided_by}" in arena_line(simulate(chain(*[8] * 30), BOARD))


def test_resource_variables_are_an_assumption_about_the_firmware() -> None:
    texts = [a.value for a in simulate(accumulators("a", "b"), BOARD).assumptions]
    assert any(value.startswith("2: 12 B and 20 B each") for value in texts)
    assert not any("20 B each" in a.value for a in simulate(chain(8, 8), BOARD).assumptions)
