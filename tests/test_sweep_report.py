"""A sweep as text, JSON and CSV: what is said, what is left out, and that names cannot steer anything."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from preflash.reports.sweep_charts import default_axes, scatter
from preflash.reports.sweep_columns import coded, packed
from preflash.reports.sweep_data import failures_block
from preflash.reports.sweep_front import front_block
from preflash.reports.sweep_report import FORMS, render_sweep
from preflash.reports.sweep_words import command, figure_text, spread_text
from preflash.simulator.sweep.study.summary import MOST_EMBEDDED, summarise
from sweep_tables import EXAMPLES, HOSTILE, NAN, plain, table


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_takes_every_sweep(name: str, form: str) -> None:
    assert render_sweep(EXAMPLES[name], form, command="preflash report x").strip()


def test_the_text_answers_the_question_first() -> None:
    lines = render_sweep(table(21, 5), "text", command="preflash report x.sqlite").splitlines()
    assert lines[0] == "night  sweeps/night.sqlite"
    assert lines[2] == "which board runs which variant under 250 ms?"
    assert "105 points" in lines[3]
    titles = [
        "What answers it on each device", "What no other beats", "What matters", "What a RAM budget buys",
        "What each kind of compression gives up", "Failures and unknowns", "Axes and method",
    ]  # fmt: skip
    assert [line for line in lines if line in titles] == titles
    assert lines[-1] == "Again: preflash report sweeps/night.sqlite -o report.html"


def test_without_a_store_the_command_is_said_as_it_was() -> None:
    assert "Again: preflash sweep x\n" in render_sweep(plain("F"), "text", command="preflash sweep x")
    assert "Again" not in render_sweep(plain("F"), "text")


def test_what_nobody_knows_is_not_listed_as_known_somehow() -> None:
    assert "How the figures are known" not in render_sweep(EXAMPLES["nothing known"], "text")
    assert "How the figures are known: RAM" in render_sweep(EXAMPLES["one point"], "text")


@pytest.mark.parametrize("form", ["text", "html", "json", "csv"])
def test_a_shape_that_has_to_be_trained_is_marked_in_every_form(form: str) -> None:
    sweep = plain("FF", ram_bytes=[1024, 2048], latency_s=[2, 1])
    shape = replace(sweep.variants[1], retrain=True)
    said = render_sweep(replace(sweep, variants=(sweep.variants[0], shape)), form)
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(said)))
        assert {(row["point"], row["retrain"]) for row in rows} == {("0", "0"), ("1", "1")}
    elif form == "json":
        found = json.loads(said)["variants"]
        assert found["retrain"] == [0, 1] and found["label"]["texts"][1] == shape.label
    else:
        assert shape.label in said and shape.label.endswith(" · untrained")


def test_equal_points_of_the_front_are_one_line_with_a_count() -> None:
    count = 13
    sweep = plain("F" * count, ram_bytes=[1] * 12 + [0.5], latency_s=[1] * 12 + [2])
    block = front_block(summarise(sweep))
    assert [row[-1] for row in block.rows] == ["", "and 11 more alike"] and block.notes == ()
    assert "ties" not in front_block(summarise(plain("F", ram_bytes=[1], latency_s=[1]))).columns


def test_long_reasons_are_cut_to_a_line() -> None:
    sweep = replace(plain("E"), reason=np.array([1]), texts=("", "why " * 100))
    (row,) = failures_block(summarise(sweep)).rows
    assert len(row[2]) == 120


def test_the_example_of_a_failure_keeps_both_ends_of_its_variant_and_target() -> None:
    sweep = plain("E")
    shape = replace(sweep.variants[0], name="x" * 200, retrain=True)
    (row,) = failures_block(summarise(replace(sweep, variants=(shape,)))).rows
    assert "· untrained on nucleo-l4r5zi" in row[3] and len(row[3]) < 110


def test_the_scatter_takes_axes_that_a_point_has_both_of() -> None:
    sweep = plain("FF", ram_bytes=[1, NAN], latency_s=[NAN, 2], energy_j=[NAN, 3])
    assert default_axes(summarise(sweep)) == ("energy_j", "latency_s")
    apart = plain("FF", ram_bytes=[1, NAN], latency_s=[NAN, 2])
    assert not scatter(summarise(apart)).cells
    assert "The drawing is empty" in render_sweep(apart, "html")
    assert "The drawing is empty" not in render_sweep(sweep, "html")


def test_no_label_of_an_axis_repeats() -> None:
    sweep = plain("FF", ram_bytes=[100761, 100763], latency_s=[1, 2], accuracy=[0.89701, 0.89703])
    for objectives in ((), (("latency_s", "min"), ("ram_bytes", "min"))):
        drawn = scatter(summarise(replace(sweep, objectives=objectives)))
        texts = [text for _, text in drawn.y_ticks]
        assert texts and len(texts) == len(set(texts))


@pytest.mark.parametrize("form", ["text", "html", "json", "csv"])
def test_names_cannot_steer_the_terminal_or_the_page(form: str) -> None:
    shown = render_sweep(table(21, 5, hostile=True), form, command=HOSTILE)
    assert "\x1b" not in shown and "\u202e" not in shown
    if form == "html":
        assert "<img" not in shown and "<b>" not in shown


def test_json_is_strict_and_says_every_point() -> None:
    sweep = table(21, 5)
    found = json.loads(render_sweep(sweep, "json"), parse_constant=lambda text: pytest.fail(text))
    assert found["schema"] == "preflash/sweep/1"
    assert found["counts"]["points"] == found["points"]["count"] == 105
    assert sum(found["counts"]["words"].values()) == 105
    late = found["points"]["figures"]["latency_s"]
    known = sweep.figures["latency_s"].value
    assert [value is None for value in late["value"]] == np.isnan(known).tolist()
    assert late["value"][0] == pytest.approx(known[0], rel=1e-4)
    assert "lo" not in found["points"]["figures"]["arena_bytes"]  # exact: the value is its own interval


def test_points_in_json_lead_back_to_variant_and_target() -> None:
    sweep = table(300, 100)
    found = json.loads(render_sweep(sweep, "json"))
    labels, numbers = found["variants"]["label"], found["points"]["point"]
    for place in (0, len(numbers) // 2, -1):
        label = labels["texts"][labels["at"][found["points"]["variant"][place]]]
        assert label == sweep.variants[sweep.variant[numbers[place]]].label


def test_a_large_sweep_gives_the_best_and_counts_the_rest() -> None:
    sweep = table(300, 100)
    assert len(sweep) > MOST_EMBEDDED
    found = json.loads(render_sweep(sweep, "json"))
    given = set(found["points"]["point"])
    assert len(given) == found["counts"]["given"] < 3000
    assert set(found["front"]["points"]) <= given
    assert {best["point"] for answer in found["answers"] for best in answer["best"]} <= given
    known = int((~np.isnan(sweep.figures["latency_s"].value)).sum())
    grid = next(d for d in found["densities"] if {d["x"], d["y"]} == {"latency_s", "accuracy"})
    assert sum(grid["points"]) == known
    assert "All are in the store: sweeps/night.sqlite" in render_sweep(sweep, "text")


def test_csv_has_a_line_per_answer_and_per_point_of_the_front() -> None:
    sweep = table(21, 5)
    rows = list(csv.DictReader(io.StringIO(render_sweep(sweep, "csv"))))
    goals = [row["goal"] for row in rows]
    assert goals.count("fastest") == 5 and "not beaten" in goals
    fastest = next(row for row in rows if row["goal"] == "fastest")
    assert float(fastest["latency_s"]) == sweep.figures["latency_s"].value[int(fastest["point"])]


def test_columns_are_packed_by_what_repeats() -> None:
    assert packed(np.array([1.5, NAN])) == [1.5, None]
    assert packed(np.array([NAN, NAN])) == {"all": None}
    assert packed(np.array([1234567.0])) == [1234567]
    assert coded([])["texts"] == []


def test_a_point_says_how_to_check_it_again() -> None:
    sweep = table(21, 5)
    plain_words = "-d nucleo-l4r5zi -r tflm-cmsis-nn --clock 120MHz --deadline 250ms"
    assert command(sweep, 0) == f"preflash check kws.tflite {plain_words}"
    assert command(sweep, 10) == (
        "preflash variants kws.tflite --recipe 'prune sparsity=0.3 | quantize' -d nucleo-l4r5zi -o variants"
        f" && preflash check variants/prune-sparsity-0.3-quantize.tflite {plain_words}"
    )


def test_a_network_of_the_zoo_is_named_as_a_command_line_takes_it() -> None:
    sweep = replace(table(21, 5), limits={"ram_bytes": 65536})
    zoo = replace(sweep, variants=tuple(replace(v, source="zoo:kws01,width=0.5") for v in sweep.variants))
    assert command(zoo, 0) == (
        "preflash check zoo:kws01,width=0.5 -d nucleo-l4r5zi -r tflm-cmsis-nn --clock 120MHz"
        " --limit ram=64KiB"
    )
    assert "zoo:kws01,width=0.5" in render_sweep(zoo, "json")


def test_what_never_was_in_the_grid_is_said() -> None:
    sweep = table(21, 5)
    facts = sweep.facts | {"left_out": '{"x does not run on the board": 4}'}
    assert "Left out of the grid: x does not run on the board (4)." in render_sweep(
        replace(sweep, facts=facts), "text"
    )
    assert render_sweep(replace(sweep, facts=sweep.facts | {"left_out": "[1"}), "text")


def test_a_bound_is_said_where_the_figure_is_unknown() -> None:
    sweep = plain("U", ram_bytes=[NAN])
    sweep.figures["ram_bytes"].lo[0] = 2048
    assert figure_text(sweep, "ram_bytes", 0) == "≥ 2.0 KiB"
    assert spread_text(sweep, "ram_bytes", 0) == ""


def test_the_scatter_has_room_for_its_whiskers() -> None:
    drawn = scatter(summarise(table(63, 8)))
    assert (drawn.x_label, drawn.y_label) == ("latency", "accuracy")
    assert drawn.dots
    for dot in drawn.dots:
        assert 0 < dot.lo_x < dot.x < dot.hi_x < 100
        assert 0 < dot.hi_y < dot.y < dot.lo_y < 100


def test_what_repeats_the_fastest_is_no_column_of_its_own() -> None:
    sweep = replace(table(21, 5), objectives=(("latency_s", "min"),))
    assert "<th>asked for</th>" not in render_sweep(sweep, "html")
    other = replace(sweep, objectives=(("arena_bytes", "min"), ("latency_s", "min")))
    assert "<th>asked for</th>" in render_sweep(other, "html")


def test_the_front_is_of_points_that_keep_the_stated_limits() -> None:
    sweep = plain("FF", ram_bytes=[1, 2], latency_s=[1, 2], accuracy=[0.7, 0.9])
    assert summarise(sweep).front.best.tolist() == [0, 1]
    assert summarise(replace(sweep, limits={"accuracy": 0.8})).front.best.tolist() == [1]


def test_the_two_axes_of_the_heat_map_cross() -> None:
    both = summarise(table(21, 48)).together  # every board at two clocks of its own
    assert {both.rows.name, both.columns.name} != {"device", "clock MHz"}
    assert not np.isnan(both.effect).all(axis=1).any()


def test_a_grid_that_is_not_finished_says_so() -> None:
    sweep = table(21, 5)
    facts = sweep.facts | {"points": "1000"}
    for form in ("text", "html"):
        assert "895 points of the grid are not finished yet" in render_sweep(
            replace(sweep, facts=facts), form
        )


def test_very_long_recipes_are_left_to_the_store() -> None:
    sweep = table(21, 5)
    long = tuple(replace(row, text=row.text + " " * 200_000) for row in sweep.variants)
    assert not summarise(replace(sweep, variants=long)).is_whole
    assert summarise(sweep).is_whole
