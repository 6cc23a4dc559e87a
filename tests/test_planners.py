"""Every planner by hand, laws that hold for all, the proof of the smallest plan, and the judge of layouts."""

from __future__ import annotations

import doctest
import importlib
import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash.errors import PlanInvalid
from preflash.simulator.memory.planners import both, canonical, cp_sat, exact, searched
from preflash.simulator.memory.planners.best import GREEDY, best_layout, layout
from preflash.simulator.memory.planners.bound import lower_bound
from preflash.simulator.memory.planners.exact import optimal_layout
from preflash.simulator.memory.planners.hill_climb import climb
from preflash.simulator.memory.planners.judge import judge_layout
from preflash.simulator.memory.planners.lowest_fit import place_in_order
from preflash.simulator.memory.planners.problem import Layout, Request, extent
from preflash.simulator.memory.planners.strips import components, strips_of
from preflash.simulator.memory.planners.table import PLANNERS

needs_ortools = pytest.mark.skipif(not cp_sat.is_installed(), reason="extra `optimal` is not installed")

# a: 32 in 0..1, b: 16 in 1..2, c: 32 in 2..3, d: 16 in 0..3
FOUR = [Request(32, 0, 1), Request(16, 1, 2), Request(32, 2, 3), Request(16, 0, 3)]
BY_HAND = {
    "tflm-greedy": [0, 48, 0, 32],  # c and a at 0; of the equal d and b the later one first: d 32, b 48
    "tflm-linear": [0, 32, 48, 80],
    "greedy-by-size": [0, 32, 0, 48],  # a and c at 0; b before d
    "greedy-by-breadth": [0, 32, 0, 48],  # 64 bytes at 1 and at 2: a, b, d of instant 1, then c
    "greedy-by-conflict": [32, 0, 32, 16],  # b and d meet three others, a and c two
    "greedy-by-area": [0, 48, 0, 32],  # a, c, d have 64, b has 32
    "greedy-by-duration": [16, 48, 16, 0],  # d lives for 4 instants, the others for 2
}
# never more than 8 bytes are alive, but no plan needs less than 9
ODD = [
    Request(4, 4, 6), Request(2, 2, 4), Request(2, 3, 3), Request(4, 5, 5), Request(3, 0, 0),
    Request(4, 0, 2), Request(1, 1, 1), Request(2, 3, 4), Request(2, 2, 3),
]  # fmt: skip


@pytest.mark.parametrize("name", sorted(GREEDY))
def test_a_greedy_planner_places_four_buffers_as_by_hand(name: str) -> None:
    assert GREEDY[name](FOUR) == BY_HAND[name]


def test_every_planner_in_the_table_answers_with_one_offset_per_request() -> None:
    for name, place in PLANNERS.items():
        judge_layout(FOUR, layout(name, FOUR, place(FOUR), bound=lower_bound(FOUR)))
        assert place([]) == []


@pytest.mark.parametrize(
    "module",
    ["bound", "canonical", "lowest_fit", "strips", "tflm_greedy", "tflm_linear", "greedy_by_size",
     "greedy_by_area", "greedy_by_breadth", "greedy_by_conflict", "greedy_by_duration"],
)  # fmt: skip
def test_the_examples_in_the_docstrings_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"preflash.simulator.memory.planners.{module}"))
    assert result.attempted and not result.failed


def test_equal_sizes_go_by_index_where_tflm_goes_backwards() -> None:
    twins = [Request(32, 0, 1), Request(32, 0, 1)]
    assert GREEDY["greedy-by-size"](twins) == [0, 32]
    assert GREEDY["tflm-greedy"](twins) == [32, 0]


def test_the_bound_counts_what_offline_buffers_share_once() -> None:
    """Fixed 0..32 and 16..48 cover 48 bytes; 8 more are alive: 56."""
    assert lower_bound([Request(32, 0, 1, 0), Request(32, 0, 1, 16), Request(8, 1, 2)]) == 56
    assert lower_bound([Request(32, 0, 1, 100), Request(8, 5, 6)]) == 132


def test_parts_that_share_no_instant_are_problems_of_their_own() -> None:
    assert components(FOUR, range(4)) == [[0, 3, 1, 2]]
    assert components(FOUR[:3:2], range(2)) == [[0], [1]]


def test_an_instant_that_is_part_of_another_one_does_not_matter() -> None:
    """0 holds {a, d}, 1 {a, b, d}, 2 {b, c, d}, 3 {c, d}: 1 and 2 are left."""
    strips = strips_of(FOUR, range(4))
    assert (strips.instants, strips.firsts, strips.ends) == (2, (0, 0, 1, 0), (1, 2, 2, 2))
    assert (strips.unit_bytes, strips.sizes) == (16, (2, 1, 2, 1))


def test_the_best_layout_stops_at_the_live_sum_with_that_as_its_proof() -> None:
    found = best_layout(FOUR)
    assert (found.extent_bytes, found.planner, found.proof) == (64, "tflm-greedy", "equals the live sum")


buffers = st.lists(
    st.builds(
        lambda size, first, length: Request(16 * size, first, first + length),
        st.integers(0, 6), st.integers(0, 9), st.integers(0, 5),
    ),
    min_size=1, max_size=14,
)  # fmt: skip
few = st.lists(
    st.builds(
        lambda size, first, length: Request(size, first, first + length),
        st.integers(1, 4), st.integers(0, 4), st.integers(0, 3),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@given(buffers)
def test_no_greedy_layout_is_refused_or_below_the_bound(wanted: list[Request]) -> None:
    for name, place in GREEDY.items():
        judge_layout(wanted, layout(name, wanted, place(wanted), bound=lower_bound(wanted)))


@settings(max_examples=30, deadline=None)
@given(buffers, st.integers(0, 5))
def test_a_climb_is_valid_repeatable_and_not_above_its_start(wanted: list[Request], seed: int) -> None:
    offsets = climb(wanted, seed=seed, iterations=30)
    judge_layout(wanted, layout("hill-climb", wanted, offsets, bound=lower_bound(wanted)))
    assert extent(wanted, offsets) <= extent(wanted, GREEDY["greedy-by-area"](wanted))
    assert climb(wanted, seed=seed, iterations=30) == offsets


@settings(max_examples=60, deadline=None)
@given(buffers)
def test_the_exact_planner_is_never_above_another_one_and_proves_it(wanted: list[Request]) -> None:
    found = optimal_layout(wanted, seconds=20)
    judge_layout(wanted, found)
    assert found.extent_bytes <= min(extent(wanted, place(wanted)) for place in GREEDY.values())
    assert found.proof and found.is_optimal


def by_brute_force(wanted: list[Request]) -> int:
    """The smallest extent over all orders: some order of lowest fits is optimal."""
    orders = itertools.permutations(range(len(wanted)))
    return min(extent(wanted, place_in_order(wanted, order)) for order in orders)


@settings(max_examples=40, deadline=None)
@given(few)
def test_the_exact_planner_equals_brute_force(wanted: list[Request]) -> None:
    assert optimal_layout(wanted, seconds=20).extent_bytes == by_brute_force(wanted)


@settings(max_examples=60, deadline=None)
@given(few)
def test_the_bottom_up_search_decides_every_ceiling_as_brute_force_does(wanted: list[Request]) -> None:
    smallest, strips = by_brute_force(wanted), strips_of(wanted, range(len(wanted)))
    for ceiling in range(smallest // strips.unit_bytes + 2):
        is_possible, offsets = canonical.fits(strips, ceiling, attempt=ceiling)
        assert is_possible == (ceiling * strips.unit_bytes >= smallest)
        if is_possible:
            placed = [0] * len(wanted)
            for i, offset in zip(strips.indices, offsets, strict=True):
                placed[i] = offset * strips.unit_bytes
            judge_layout(wanted, layout("exact", wanted, placed, bound=lower_bound(wanted)))


@needs_ortools
@settings(max_examples=25, deadline=None)
@given(few)
def test_cp_sat_decides_every_ceiling_as_brute_force_does(wanted: list[Request]) -> None:
    smallest, strips = by_brute_force(wanted), strips_of(wanted, range(len(wanted)))
    for ceiling in range(smallest // strips.unit_bytes + 1):
        is_possible, _ = cp_sat.Solver(strips, ceiling, seed=1).fits(work_s=10, seconds=20)
        assert is_possible == (ceiling * strips.unit_bytes >= smallest)


def test_a_plan_above_the_live_sum_is_proven_and_the_bound_rises_to_it() -> None:
    found = optimal_layout(ODD, seconds=20)
    judge_layout(ODD, found)
    assert lower_bound(ODD) == 8
    assert (found.extent_bytes, found.lower_bound_bytes, found.gap) == (9, 9, 0)
    assert "proved that 8 bytes are too few" in found.proof


def test_a_deep_search_does_not_depend_on_the_depth_of_python() -> None:
    """1,500 buffers, each alive with the next one: sizes 1 and 2 in turn, 3 is enough and 2 is not."""
    chain = [Request(1 + i % 2, i, i + 1) for i in range(1500)]
    strips = strips_of(chain, range(len(chain)))
    assert canonical.fits(strips, 3, attempt=0)[0] is True
    assert canonical.fits(strips, 2, attempt=0)[0] is False


@needs_ortools
def test_offline_buffers_stay_and_others_work_around_them() -> None:
    """Fixed 16..32 over all time; 16 fits below, 32 does not: 64."""
    wanted = [Request(16, 0, 3, 16), Request(32, 0, 3), Request(16, 1, 2)]
    found = optimal_layout(wanted, seconds=10)
    judge_layout(wanted, found)
    assert (found.offsets, found.extent_bytes) == ((16, 32, 0), 64)


@needs_ortools
def test_offline_buffers_that_overlap_each_other_are_not_questioned() -> None:
    wanted = [Request(32, 0, 1, 0), Request(32, 0, 1, 16), Request(16, 0, 0), Request(32, 1, 1)]
    found = optimal_layout(wanted, seconds=10)
    judge_layout(wanted, found)
    assert found.extent_bytes == 80 and found.proof


def test_the_search_may_stop_at_a_capacity() -> None:
    found = optimal_layout(FOUR, seconds=10, capacity_bytes=200)
    assert found.extent_bytes <= 200


def test_a_hint_is_improved_on_or_kept() -> None:
    hint = layout("mine", FOUR, [0, 48, 0, 32], bound=64)
    assert optimal_layout(FOUR, seconds=5, hint=hint).extent_bytes == 64


def test_a_study_searches_the_same_buffers_once_unless_there_is_more_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[float] = []
    unproved = layout("hill-climb", FOUR, [0, 64, 0, 32], bound=64)

    def search(_: list[Request], *, seconds: float, hint: Layout | None) -> Layout:
        asked.append(seconds)
        return layout("exact", FOUR, [0, 48, 0, 32], bound=64) if seconds > 5 else unproved

    monkeypatch.setattr(searched, "optimal_layout", search)
    searches = searched.Searches()
    extents = [searches.layout(list(FOUR), seconds=s).extent_bytes for s in (2, 1, 2, 10, 20)]
    assert extents == [80, 80, 80, 64, 64]
    assert asked == [2, 10]  # shorter or as long: as it was; proven: never again


def hard(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """A problem that no search may decide here: one attempt of no steps."""
    monkeypatch.setattr(both, "fits", lambda *_, **__: (None, []))
    monkeypatch.setattr(both, "is_installed", lambda: False)
    monkeypatch.setattr(exact, "is_installed", lambda: False)
    return ODD


def test_without_a_decision_the_answer_is_the_best_heuristic_with_its_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = hard(monkeypatch)
    found, best = optimal_layout(wanted, seconds=0.5), best_layout(wanted, seconds=0.5)
    judge_layout(wanted, found)
    assert found.extent_bytes == best.extent_bytes > found.lower_bound_bytes
    assert not found.proof and found.gap > 0
    assert "pip install preflash[optimal]" in found.note


def test_without_ortools_the_own_search_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "ortools", None)
    assert not cp_sat.is_installed()
    found = optimal_layout(ODD, seconds=20)
    judge_layout(ODD, found)
    assert found.proof == "bottom-up search: proved that 8 bytes are too few" and found.extent_bytes == 9


GOOD = Layout("mine", (0, 48, 0, 32), 64, 64, "equals the live sum")
SPOILED = [
    ("an overlap", replace(GOOD, offsets=(0, 32, 0, 32)), "share bytes 32..47 at instants 1..2"),
    ("a negative offset", replace(GOOD, offsets=(-16, 48, 0, 32)), "request 0 lies at -16"),
    ("a wrong extent", replace(GOOD, extent_bytes=80), "highest buffer ends at 64"),
    ("a bound above the extent", replace(GOOD, lower_bound_bytes=80), "above the extent"),
    ("a bound below the live sum", replace(GOOD, lower_bound_bytes=48), "below the 64 bytes alive"),
    ("a proof of nothing", replace(GOOD, lower_bound_bytes=48), "is claimed"),
    ("a missing offset", replace(GOOD, offsets=(0, 48, 0)), "3 offsets for 4 requests"),
]


@pytest.mark.parametrize(("spoiled", "fault"), [s[1:] for s in SPOILED], ids=[s[0] for s in SPOILED])
def test_the_judge_refuses_a_spoiled_layout(spoiled: Layout, fault: str) -> None:
    judge_layout(FOUR, GOOD)
    with pytest.raises(PlanInvalid) as caught:
        judge_layout(FOUR, spoiled)
    assert fault in "; ".join(caught.value.faults)


def test_the_judge_refuses_a_fixed_buffer_that_moved() -> None:
    with pytest.raises(PlanInvalid) as caught:
        judge_layout([Request(16, 0, 1, 32)], Layout("mine", (0,), 16, 16))
    assert "fixed at 32" in "; ".join(caught.value.faults)


def test_the_judge_lets_fixed_buffers_overlap_each_other() -> None:
    judge_layout([Request(16, 0, 1, 0), Request(16, 0, 1, 8)], Layout("mine", (0, 8), 24, 24))
