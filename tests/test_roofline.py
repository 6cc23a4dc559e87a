"""The roofline: MACs per second over MACs per byte of each op's slowest memory, under roofs with a source."""

from __future__ import annotations

import doctest
import math
from dataclasses import replace

import pytest
from estimates import estimate, op, unpriced
from preflash.devices.catalog import load_target
from preflash.graphs.zoo import build
from preflash.reports import roofline_chart as drawing
from preflash.reports.html import render_html
from preflash.reports.roofline import peak_sentence, roofline
from preflash.reports.roofline_chart import Axis, roofline_chart
from preflash.simulator.estimate import Basis, Estimate, Interval, unknown
from preflash.simulator.simulate import simulate

_REAL = ("nucleo-l4r5zi", "esp32-s3-devkitc-1-n8r8", "stm32h747i-disco")


def _offering(example: Estimate, **bytes_per_s: float | None) -> Estimate:
    """The example with memories that offer this."""
    offered = {
        name: unknown(f"the device file states no access speed for {name}")
        if speed is None else Interval(speed, speed, speed, Basis.DATASHEET, "datasheet")
        for name, speed in bytes_per_s.items()
    }  # fmt: skip
    memories = tuple(replace(m, bandwidth_offered_bytes_per_s=offered[m.name]) for m in example.memories)
    return replace(example, memories=memories)


def test_examples_in_docstrings_hold() -> None:
    assert doctest.testmod(drawing).failed == 0


def test_an_op_counts_each_byte_once_in_the_memory_that_is_slowest_for_it() -> None:
    # op 0: 1000 MACs in 1 ms +-15 %. flash: 256 B at 1 MB/s = 256 us.
    # sram: 2048 + 1024 - 512 read again = 2560 B at 100 MB/s = 26 us.
    point = roofline(_offering(estimate(), flash=1e6, sram=1e8)).points[0]
    assert (point.memory, point.moved_bytes) == ("flash", 256)
    assert point.macs_per_byte == pytest.approx(1000 / 256)
    assert point.macs_per_s == pytest.approx(1e6)
    assert point.lo_macs_per_s == pytest.approx(1e6 / 1.15)
    assert point.hi_macs_per_s == pytest.approx(1e6 / 0.85)
    assert roofline(_offering(estimate(), flash=1e8, sram=1e8)).points[0].memory == "sram"


def test_the_core_s_roof_is_its_fastest_kernel_and_says_so() -> None:
    figures = roofline(_offering(estimate(), flash=1e6, sram=1e8))
    assert figures.peak is not None
    assert (figures.peak.op, figures.peak.basis) == (0, "calibrated")
    assert figures.peak.macs_per_cycle == pytest.approx(1e6 / 120e6)
    sentence = peak_sentence(figures.peak)
    assert sentence == (
        "Core: 1.00 MMAC/s, 0.00833 MAC/cycle, what the fastest kernel of this model reaches "
        "(op 0 CONV_2D, calibrated)"
    )


def test_without_a_memory_of_known_speed_there_is_a_sentence_instead() -> None:
    example = _offering(estimate(), flash=None, sram=None)
    figures = roofline(example)
    assert figures.points == () and figures.peak is None
    assert figures.why_not == "No roofline: the device file states no access speed for flash and sram."
    assert roofline_chart(example) is None
    assert figures.why_not in render_html(example)


def test_without_macs_there_is_a_sentence_instead() -> None:
    example = replace(estimate(), ops=tuple(replace(one, macs=0) for one in estimate().ops))
    assert roofline(example).why_not == "No roofline: no op has MACs."


def test_what_is_not_drawn_is_counted() -> None:
    base = unpriced()
    figures = roofline(replace(base, ops=(*base.ops, replace(op(6, "RESHAPE"), macs=0))))
    assert figures.left_out == (
        "Not drawn: 1 op without MACs, 1 op without a price.",
        "No slope for sram: the device file states no access speed for it.",
    )


def test_axes_hold_every_dot_and_the_ridges() -> None:
    chart = roofline_chart(_offering(estimate(), flash=1e6, sram=1e8))
    assert chart is not None
    for dot in chart.dots:
        assert 0 < dot.x < 100 and 0 < dot.hi_y <= dot.y <= dot.lo_y < 100
    for slope in chart.slopes:
        assert 0 <= slope.x1 < slope.x2 < 100
        assert slope.y2 == chart.core.y1 < slope.y1 <= 100
    assert chart.core.x1 == min(slope.x2 for slope in chart.slopes)


def test_a_slope_rises_by_a_decade_per_decade() -> None:
    x_axis, y_axis = Axis(0.01, 100), Axis(1e5, 1e9)
    assert (x_axis.at(0.1), x_axis.at(1)) == (25, 50)
    assert y_axis.at(1e7) - y_axis.at(1e6) == 25


@pytest.mark.parametrize("board", _REAL)
def test_no_op_beats_the_roof_of_its_memory_or_core(board: str) -> None:
    figures = roofline(simulate(build("vww01", dtype="int8"), load_target(board)))
    speeds = {slope.memory: slope.bytes_per_s for slope in figures.slopes}
    assert figures.peak is not None and len(figures.points) > 20
    for point in figures.points:
        assert point.macs_per_s <= speeds[point.memory] * point.macs_per_byte * 1.0001
        assert point.macs_per_s <= figures.peak.macs_per_s
        assert math.isclose(point.macs_per_byte * point.moved_bytes, point.op.macs or 0)
