"""Where buffers go: TFLM's greedy rule (specs/tflm_memory.md section 4) by hand, and laws that hold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from preflash.simulator.memory.planners.problem import Request, extent, live_bytes
from preflash.simulator.memory.planners.tflm_greedy import place
from preflash.simulator.memory.rounding import up


def test_the_largest_buffer_lies_lowest() -> None:
    assert place([Request(16, 0, 1), Request(64, 0, 1), Request(32, 0, 1)]) == [96, 0, 64]


def test_of_equal_buffers_the_later_one_is_placed_first() -> None:
    assert place([Request(32, 0, 1), Request(32, 0, 1)]) == [32, 0]


def test_buffers_that_never_meet_share_an_offset() -> None:
    assert place([Request(32, 0, 1), Request(32, 2, 3)]) == [0, 0]


def test_lifetimes_are_closed_so_one_common_instant_is_a_meeting() -> None:
    assert place([Request(32, 0, 2), Request(32, 2, 3)]) == [32, 0]


def test_a_gap_is_used_if_it_is_large_enough() -> None:
    """64 at 0 (0..1), 48 at 0 (2..3) meets 32; 32 at 64 (0..3); 16 fits at 48 below it in 2..3."""
    requests = [Request(64, 0, 1), Request(48, 2, 3), Request(32, 0, 3), Request(16, 2, 3)]
    assert place(requests) == [0, 0, 64, 48]


def test_offline_buffers_keep_their_offset_and_others_work_around_them() -> None:
    requests = [Request(32, 0, 1), Request(16, 0, 1, 16), Request(16, 0, 1)]
    assert place(requests) == [32, 16, 0]


def test_an_offline_buffer_may_overlap_another_because_nobody_checks() -> None:
    assert place([Request(32, 0, 1, 0), Request(32, 0, 1, 16)]) == [0, 16]


def test_nothing_to_place_needs_nothing() -> None:
    assert (place([]), extent([], [])) == ([], 0)


def test_live_bytes_start_at_the_instant_before_the_first() -> None:
    assert live_bytes([Request(16, 0, 1), Request(32, 1, 2), Request(64, -1, -1)], 2) == [64, 16, 48, 32]


requests = st.lists(
    st.builds(
        lambda size, first, length: Request(16 * size, first, first + length),
        st.integers(0, 9), st.integers(0, 12), st.integers(0, 6),
    ),
    max_size=24,
)  # fmt: skip


@given(requests)
def test_no_two_buffers_ever_overlap(wanted: list[Request]) -> None:
    placed = list(zip(wanted, place(wanted), strict=True))
    for i, (a, at) in enumerate(placed):
        for b, bt in placed[i + 1 :]:
            apart_in_time = a.last < b.first or b.last < a.first
            assert apart_in_time or at + a.size_bytes <= bt or bt + b.size_bytes <= at


@given(requests)
def test_the_head_is_never_below_the_largest_live_sum(wanted: list[Request]) -> None:
    end = max((r.last for r in wanted), default=0)
    assert extent(wanted, place(wanted)) >= max(live_bytes(wanted, end))


@given(requests)
def test_one_buffer_more_never_shrinks_the_bound(wanted: list[Request]) -> None:
    end = max((r.last for r in wanted), default=0)
    bounds = [max(live_bytes(wanted[:n], end)) for n in range(len(wanted) + 1)]
    assert bounds == sorted(bounds)


@given(st.integers(0, 10**9), st.sampled_from([1, 4, 16, 64]))
def test_rounding_up_gives_the_next_multiple(size: int, alignment: int) -> None:
    rounded = up(size, alignment)
    assert rounded % alignment == 0
    assert size <= rounded < size + alignment
