"""The bars of the latency chart: every op is there, as long as its time, in one of three colours."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from importlib.resources import files
from itertools import combinations

import pytest
from estimates import KINDS, about, estimate, op, unpriced
from preflash.reports.charts import Mark, bullet
from preflash.reports.colouring import NO_PRICE, OTHER, colourings
from preflash.reports.html import render_html
from preflash.reports.latency_chart import MOST_BARS, LatencyBars, latency_bars, latency_chart
from preflash.reports.sections import gauges
from preflash.simulator.estimate import Basis, Estimate, unknown


def _with_ops(*ops: object) -> Estimate:
    return replace(estimate(), ops=ops)  # type: ignore[arg-type]


def _bars(example: Estimate) -> LatencyBars:
    bars = latency_bars(example)
    assert bars is not None
    return bars


def _inside(mark: Mark) -> bool:
    return min(mark.x, mark.y, mark.w, mark.h) >= 0 and mark.x + mark.w <= 100.02


def test_a_bar_is_as_long_as_its_time_and_its_whisker_goes_from_p10_to_p90() -> None:
    # 1, 2, 3 ms, each +-15 %: the axis ends at 3.45 ms; 2 ms: 57.97 %, 1.7 ms: 49.28 %, 2.3 ms: 66.67 %
    bars = _bars(estimate(op_count=3)).shown
    assert [bar.op for bar in bars] == [2, 1, 0]
    assert (bars[1].length, bars[1].lo, bars[1].hi) == (57.97, 49.28, 66.67)
    assert bars[0].hi == 100
    assert bars[1].figure == "2.00 ms"


@pytest.mark.parametrize("count", [1, 6, 32, 33, 100, 250])
def test_every_op_has_a_bar_however_many_there_are(count: int) -> None:
    example = estimate(op_count=count)
    bars = _bars(example)
    assert sorted(bar.op for bar in (*bars.shown, *bars.folded) if bar.op is not None) == list(range(count))
    assert len(bars.shown) == (count if count <= 32 else MOST_BARS)
    chart = latency_chart(example)
    assert chart is not None and len(chart.columns) == count
    page = render_html(example)
    assert all(page.count(f'<div class="row" data-op="{i}">') == 1 for i in range(count))


def test_the_folded_ops_are_drawn_as_their_sum() -> None:
    # ops 0..75 of 100 take 1..76 ms: 2926 ms together, far more than the 115 ms of the axis
    rest = _bars(estimate(op_count=100)).rest
    assert rest is not None and rest.op is None
    assert rest.label == "the other 76 ops together"
    assert (rest.figure, rest.is_priced) == ("2.93 s", True)
    assert (rest.length, rest.note) == (0, "longer than this axis")


def test_a_short_rest_has_a_bar_on_the_same_axis() -> None:
    # 24 ops of 100 ms +-15 % are shown, 16 of 1 ms are folded: 16 of 115 ms
    times = [0.1] * 24 + [0.001] * 16
    ops = (replace(op(i, "CONV_2D"), latency_s=about(time_s)) for i, time_s in enumerate(times))
    rest = _bars(_with_ops(*ops)).rest
    assert rest is not None and (rest.figure, rest.length, rest.note) == ("16.0 ms", 13.91, "")


def test_an_op_without_a_price_is_hatched_behind_the_others_and_says_why() -> None:
    last = _bars(unpriced()).shown[-1]
    assert (last.op, last.is_priced, last.length, last.figure) == (2, False, 0, "unknown")
    assert last.classes == "bn kn zn"
    assert "no cost model for Mystery" in last.title
    chart = latency_chart(unpriced())
    assert chart is not None and chart.unpriced == 1
    assert [(mark.kind, mark.h) for mark in chart.columns if mark.ops == (2,)] == [("bn kn zn", 100)]


def test_a_lower_bound_is_the_solid_part_of_a_hatched_bar() -> None:
    bounded = replace(op(1, "Mystery"), latency_s=unknown("fed by psram", at_least=0.0005))
    bar = _bars(_with_ops(op(0, "CONV_2D"), bounded)).shown[-1]
    # 0.5 ms of an axis that ends at 1.15 ms
    assert (bar.figure, bar.length, bar.is_priced) == ("≥ 500 us", 43.48, False)
    assert "at least 500 us" in bar.title


def test_unpriced_ops_beyond_the_first_eight_are_counted_in_the_rest() -> None:
    example = _with_ops(*(op(i, "CONV_2D", priced=i % 2 == 0) for i in range(80)))
    bars = _bars(example)
    assert sum(not bar.is_priced for bar in bars.shown) == 8
    assert bars.rest is not None
    assert bars.rest.label == "the other 48 ops together, 32 of them without a price"
    assert bars.rest.figure.startswith("≥ ")


def test_without_any_price_there_are_no_bars_and_the_page_says_why() -> None:
    example = _with_ops(*(op(i, "CONV_2D", priced=False) for i in range(3)))
    assert latency_bars(example) is None and latency_chart(example) is None
    assert "No op of this model has a price: no cost model for CONV_2D." in render_html(example)


def test_the_running_sum_ends_at_the_top() -> None:
    drawn = latency_chart(estimate(op_count=7))
    assert drawn is not None
    assert drawn.running[0] == (0, 100) and drawn.running[-1] == (100, 0)
    assert all(map(_inside, drawn.columns))
    assert drawn.total_s == pytest.approx(0.001 * sum(range(1, 8)))


def test_the_three_views_say_bound_kind_and_basis() -> None:
    bound, kind, basis = colourings(estimate())
    assert [text for _, text in bound.legend] == ["compute", "waits for flash", "waits for sram"]
    # times: ops 1..6 ms; CONV_2D has 1 + 3, SOFTMAX 6, FULLY_CONNECTED 5
    assert list(kind.series) == [
        "SOFTMAX", "FULLY_CONNECTED", "CONV_2D", "AVERAGE_POOL_2D", "DEPTHWISE_CONV_2D"
    ]  # fmt: skip
    assert basis.legend == (("2", "calibrated"),)


def test_kinds_beyond_six_share_a_grey_that_the_legend_counts() -> None:
    example = _with_ops(*(op(i, f"KIND_{i}") for i in range(9)))
    kind = colourings(example)[1]
    assert kind.legend[-1] == (OTHER, "3 other kinds")
    assert [kind.of(one) for one in example.ops] == [OTHER] * 3 + ["5", "4", "3", "2", "1", "0"]


def test_a_memory_keeps_its_colour_whatever_ops_wait_for_it() -> None:
    only_sram = replace(op(0, "CONV_2D"), bound="sram")
    assert colourings(_with_ops(only_sram))[0].series == {"sram": "2"}
    assert colourings(estimate())[0].series["sram"] == "2"


def test_an_unpriced_op_is_hatched_in_every_view() -> None:
    example = unpriced()
    assert {view.of(example.ops[2]) for view in colourings(example)} == {NO_PRICE}
    assert all(view.legend[-1] == (NO_PRICE, "no price") for view in colourings(example))


def test_one_view_is_shown_without_javascript_and_the_others_are_radio_buttons() -> None:
    page = render_html(estimate())
    picks = re.findall(r'<input class="pick" type="radio" name="colour" id="by-(\w+)"( checked)?>', page)
    assert picks == [("bound", " checked"), ("kind", ""), ("basis", "")]


def test_a_figure_without_a_budget_has_a_whisker_too() -> None:
    latency = next(g for g in gauges(estimate(deadline_s=None)) if g.label == "latency")
    bar = bullet(latency)
    # 84 ms +-15 %: the axis ends at 96.6 ms
    assert bar is not None
    assert (bar.used, bar.lo, bar.hi, bar.limit) == (86.96, 73.91, 100, None)


def test_a_title_says_how_the_time_is_known() -> None:
    measured = replace(op(0, "CONV_2D", name="net/a"), latency_s=about(0.001, 0.1, Basis.MEASURED))
    title = _bars(_with_ops(measured, *(op(i, KINDS[i]) for i in (1, 2)))).shown[-1].title
    assert title == "op 0 CONV_2D net/a: 1.00 ms (900 us–1.10 ms, measured), bound by compute"


def _lab(rgb: tuple[float, ...]) -> tuple[float, float, float]:
    """CIE L*a*b* of linear sRGB, D65."""
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    xyz = [sum(a * b for a, b in zip(row, rgb, strict=True)) for row in rows]
    f = [t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116
         for t in (max(0.0, v / w) for v, w in zip(xyz, (0.9505, 1.0, 1.089), strict=True))]  # fmt: skip
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def _linear(colour: str) -> tuple[float, ...]:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return tuple(p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)


# Machado, Oliveira, Fernandes: A Physiologically-based Model for Simulation of Color Vision Deficiency
# (2009), severity 1.0.
_SIGHTS = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
                   (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
                     (-0.011820, 0.042940, 0.968881)),
}  # fmt: skip


@pytest.mark.parametrize("sight", _SIGHTS)
@pytest.mark.parametrize("theme", [0, 1])
def test_the_colours_of_series_can_be_told_apart(theme: int, sight: str) -> None:
    sheet = files("preflash.reports").joinpath("templates", "report.css").read_text("utf-8")
    colours = dict(re.findall(r"--(s[0-6]): (#[0-9a-f]{6})", sheet.split("}")[theme]))
    assert len(colours) == 7
    seen = {
        name: _lab(tuple(sum(a * b for a, b in zip(row, _linear(c), strict=True)) for row in _SIGHTS[sight]))
        for name, c in colours.items()
    }
    for one, other in combinations(seen, 2):
        assert math.dist(seen[one], seen[other]) >= 15, (one, other)
