"""Variants side by side: real files, measured, priced; one that cannot be made is a row with its reason."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from preflash.devices.catalog import load_target
from preflash.devices.target import Target
from preflash.errors import RecipeInvalid, VariantInvalid
from preflash.graphs.ir import ModelGraph, WeightForm
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.recipe import Recipe, parse_recipe
from preflash.graphs.variants.recipe_file import load_recipes
from preflash.graphs.variants.weights import Selection, changed, chosen, real_values, with_tensors
from preflash.graphs.zoo import build
from preflash.reports.variants_chart import LinearAxis, cost_charts
from preflash.reports.variants_data import finding_rows, points
from preflash.reports.variants_report import render_variants, write_folder
from preflash.simulator.variant_study import Quality, VariantStudy, sparsity_and_bits, study_variants


@dataclass(frozen=True)
class Smallest:
    """The smallest share of every chosen weight becomes zero."""

    word: ClassVar[str] = "smallest"
    share: float

    def apply(self, graph: ModelGraph, given: Given) -> ModelGraph:
        if self.share >= 1:
            raise VariantInvalid("nothing would be left", where=graph.name, fix="keep some")
        new = []
        for one in chosen(graph, Selection()):
            tensor = graph.tensors[one.tensor]
            reals = real_values(tensor)
            mask = np.abs(reals) > np.quantile(np.abs(reals), self.share)
            new.append(changed(tensor, reals * mask, WeightForm(mask=mask)))
        return with_tensors(graph, new)


def judge_by_length(file: bytes, _target: Target) -> Quality:
    """The longer the file (our entry of forms included) the worse; only for the order of dots."""
    value = 1 - len(file) / 1e6
    return Quality("top1", "reference", value, value - 0.01, value + 0.01, 500, None, "")


def study(judged: bool = True) -> VariantStudy:
    recipes = [Recipe("half", (Smallest(0.5),)), Recipe("all", (Smallest(1.0),)), Recipe("half", ())]
    targets = [load_target("nucleo-l4r5zi"), load_target("stm32h747i-disco", "x-cube-ai@8.1")]
    return study_variants(
        build("kws01", dtype="int8"), recipes, targets, judge=judge_by_length if judged else None
    )


def test_the_model_as_it_is_comes_first_and_every_recipe_after_it() -> None:
    assert [v.name for v in study().variants] == ["as it is", "half", "all", "half (2)"]


def test_a_recipe_that_cannot_be_made_is_a_row_and_the_others_go_on() -> None:
    found = study().variants
    assert "nothing would be left" in found[2].error and found[2].estimates == ()
    assert [bool(v.error) for v in found] == [False, False, True, False]


def test_sparsity_counts_zeros_of_all_weights() -> None:
    found = study().variants
    graph = parse_tflite(found[1].file)
    zeros = sum(
        int((real_values(graph.tensors[t]) == 0).sum())
        for t in (one.tensor for one in chosen(graph, Selection(depthwise=True, first=True)))
    )
    assert found[1].sparsity == pytest.approx(zeros / found[1].weight_count)
    assert sparsity_and_bits(graph) == (found[1].sparsity, 8.0, found[1].weight_count)


def test_pruning_shrinks_the_download_and_not_the_file() -> None:
    dense, pruned = study().variants[:2]
    assert pruned.gzip_bytes < 0.9 * dense.gzip_bytes
    assert len(pruned.file) >= len(dense.file)


def test_zeros_alone_change_no_latency() -> None:
    dense, pruned = study().variants[:2]
    for before, after in zip(dense.estimates, pruned.estimates, strict=True):
        assert after.metric("latency_s").value == before.metric("latency_s").value


def test_only_variants_that_no_other_beats_in_both_are_best() -> None:
    found = points(study(), 0, "latency_s")
    best = [p.variant for p in found if p.is_best]
    lengths = {p.variant: p.y for p in found}
    assert best == [n for n in lengths if lengths[n] == max(lengths.values())]


def test_a_chart_is_drawn_where_a_figure_differs() -> None:
    charts = cost_charts(study())
    assert {chart.x_label for chart in charts} <= {"latency", "flash"}
    for chart in charts:
        assert all(0 <= dot.x <= 100 and 0 <= dot.y <= 100 for dot in chart.dots)


@pytest.mark.parametrize(
    ("lo", "hi", "ticks"),
    [
        (78, 105, (80, 85, 90, 95, 100, 105)),
        (0, 1, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        (5, 5, (5.0,)),
    ],
)
def test_ticks_of_a_linear_axis_are_round(lo: float, hi: float, ticks: tuple[float, ...]) -> None:
    assert LinearAxis(lo, hi).ticks(6) == pytest.approx(ticks)


def test_the_folder_holds_every_model_the_table_and_the_page(tmp_path: Path) -> None:
    found = study()
    paths = write_folder(found, tmp_path / "out", command="preflash variants x")
    names = [path.name for path in paths]
    assert names[:3] == ["as-it-is.tflite", "half.tflite", "half-2.tflite"]
    assert (tmp_path / "out" / "half.tflite").read_bytes() == found.variants[1].file
    record = json.loads((tmp_path / "out" / "variants.json").read_text(encoding="utf-8"))
    assert [v["name"] for v in record["variants"]] == [v.name for v in found.variants]
    assert record["variants"][2]["error"].startswith("kws01")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "Not made" in page and "<script src" not in page and "http" not in page.split("<body>")[1]


def test_a_csv_has_a_line_per_variant_and_target() -> None:
    rows = list(csv.DictReader(io.StringIO(render_variants(study(), "csv"))))
    assert len(rows) == 8
    assert rows[0]["device"] == "nucleo-l4r5zi" and rows[1]["runtime"] == "x-cube-ai@8.1"
    assert float(rows[0]["latency_s_lo"]) <= float(rows[0]["latency_s"]) <= float(rows[0]["latency_s_hi"])
    assert rows[4]["latency_s"] == "" and rows[4]["error"]


def test_without_samples_nothing_claims_an_accuracy() -> None:
    text = render_variants(study(judged=False), "text")
    assert "Accuracy was not measured" in text and "top1" not in text


def test_accuracy_of_a_shape_that_was_never_trained_is_unknown() -> None:
    """A number measured on it would say nothing of what it could learn."""
    recipes = [parse_recipe("width multiplier=0.5"), parse_recipe("prune-channels keep=0.5")]
    targets = [load_target("nucleo-l4r5zi")]
    _, shape, pruned = study_variants(build("kws01"), recipes, targets, judge=judge_by_length).variants
    assert shape.quality is not None and pruned.quality is not None
    assert (shape.quality.value, shape.quality.reason) == (None, "shape only, retrain needed")
    assert pruned.quality.value is not None
    assert shape.estimates[0].metric("latency_s").value is not None


def test_findings_that_the_model_had_before_are_not_repeated() -> None:
    found = study()
    before = {(f.rule, f.message) for e in found.baseline.estimates for f in e.findings}
    assert not {(row[0], row[3]) for row in finding_rows(found)} & before


def test_names_of_models_cannot_leave_the_folder_or_the_page(tmp_path: Path) -> None:
    recipes = [Recipe("../../<b>x</b>"), Recipe("../../<B>x</B>"), Recipe("...")]
    found = study_variants(build("ad01", dtype="int8"), recipes, [load_target("nucleo-l4r5zi")])
    paths = write_folder(found, tmp_path / "out")
    assert all(path.parent == tmp_path / "out" for path in paths)
    assert len({path.name.lower() for path in paths}) == len(paths)
    assert "<b>x</b>" not in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[[recipe]]\nname = 5", "recipe 1: name: a text"),
        ("recipe = 5", "tables"),
        ("other = 1\n[[recipe]]\nname='a'", "other: belongs into"),
        ("recipe = [3]", "recipe 1"),
        ("step = 3", "a list of tables"),
        ("[[step]]\ndo = 'fly'", "'fly' is not known"),
        ("a = [", "TOML syntax"),
        ("name = ''", "name: a text"),
        ("steps = 'fly high'", "high: options are written key=value"),
    ],
)
def test_a_recipe_file_with_faults_says_all_of_them(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeInvalid, match=fault):
        load_recipes(path)


def test_a_file_may_hold_several_recipes(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text("[[recipe]]\nname = 'a'\n[[recipe]]\nname = 'b'\n", encoding="utf-8")
    assert load_recipes(path) == (Recipe("a"), Recipe("b"))


def test_a_file_that_is_not_there_is_an_error_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(RecipeInvalid, match="cannot be read"):
        load_recipes(tmp_path / "none.toml")


def test_what_steps_say_of_what_they_did_is_in_the_table_and_the_file() -> None:
    recipes = [parse_recipe("quantize random_samples=2", name="int8")]
    found = study_variants(build("ad01", dtype="float32"), recipes, [load_target("nucleo-l4r5zi")])
    notes = found.variants[1].notes
    assert any("SQNR" in note for note in notes)
    assert any("noise" in note for note in notes)
    assert "How they were made" in render_variants(found, "text")
    assert json.loads(render_variants(found, "json"))["variants"][1]["notes"] == list(notes)


def test_weights_of_few_bits_take_few_bits_in_their_smallest_encoding() -> None:
    recipes = [parse_recipe("quantize-weights bits=4", name="4 bits")]
    found = study_variants(build("kws01", dtype="int8"), recipes, [load_target("nucleo-l4r5zi")])
    plain, small = (sum(one.smallest_bytes.value or 0 for one in v.storage) for v in found.variants)
    raw = sum(one.raw_bytes for one in found.variants[1].storage)
    assert small <= raw / 2 < plain <= raw
