"""Windows: output extents, padding and the taps that meet data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from preflash.graphs.geometry import Padding, slide, taps_inside


@pytest.mark.parametrize(
    ("extent", "kernel", "stride", "dilation", "padding", "out", "before", "total"),
    [
        (96, 3, 2, 1, Padding.SAME, 48, 0, 1),  # (48-1)*2 + 3 - 96 = 1: the odd row goes behind
        (49, 10, 2, 1, Padding.SAME, 25, 4, 9),  # MLPerf Tiny KWS, first conv
        (10, 3, 1, 1, Padding.VALID, 8, 0, 0),
        (10, 3, 1, 2, Padding.SAME, 10, 2, 4),
        (2, 3, 1, 1, Padding.VALID, 0, 0, 0),  # the kernel does not fit
    ],
)
def test_padding_follows_the_rule_of_tflite(
    extent: int, kernel: int, stride: int, dilation: int, padding: Padding, out: int, before: int, total: int
) -> None:
    window = slide(extent, kernel=kernel, stride=stride, dilation=dilation, padding=padding)
    assert (window.extent_out, window.pad_before, window.pad_total) == (out, before, total)


@given(
    extent=st.integers(1, 40), kernel=st.integers(1, 50), stride=st.integers(1, 5),
    dilation=st.integers(1, 4), padding=st.sampled_from(Padding),
)  # fmt: skip
def test_taps_inside_equals_the_count_by_hand(
    extent: int, kernel: int, stride: int, dilation: int, padding: Padding
) -> None:
    window = slide(extent, kernel=kernel, stride=stride, dilation=dilation, padding=padding)
    by_hand = sum(
        0 <= position * stride + tap * dilation - window.pad_before < extent
        for position in range(window.extent_out)
        for tap in range(kernel)
    )
    assert taps_inside(window) == by_hand


def test_a_huge_kernel_costs_no_time() -> None:
    assert taps_inside(slide(3, kernel=1 << 40, stride=1, dilation=1, padding=Padding.SAME)) == 9
