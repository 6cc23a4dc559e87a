"""What a study of the plan finds: planners beside the runtime's, order, offline plan, patches, placement."""

from __future__ import annotations

import jsonschema
import pytest
from preflash.devices.catalog import load_target
from preflash.errors import PatchesInvalid, PlanInvalid
from preflash.graphs.cells import branches_by_breadth
from preflash.graphs.ir import ModelGraph
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.zoo import build
from preflash.reports.blocks import Block, aligned, block_lines
from preflash.reports.plan_blocks import MOST_BUFFERS, buffer_block, study_blocks
from preflash.reports.plan_report import PLAN_SCHEMA, render_study
from preflash.reports.plan_sections import compared, ladder_sentence, plan_sentence
from preflash.simulator.advise import check
from preflash.simulator.arena import Layout
from preflash.simulator.memory.optimum import better, own_layout, quick_optimum, requests_of
from preflash.simulator.memory.plan import plan_tflm
from preflash.simulator.memory.planners.judge import judge_layout
from preflash.simulator.simulate import simulate
from preflash.simulator.study import Asked, PlanStudy, study

QUICK = Asked(solver="best", search_s=0.5)


@pytest.fixture(scope="module")
def vww() -> ModelGraph:
    return build("vww01", dtype="int8")


@pytest.fixture(scope="module")
def full(vww: ModelGraph) -> PlanStudy:
    asked = Asked(search_s=2.0, reorder=True, in_place=True, patches="auto", place=True, offline_plan=True)
    return study(vww, load_target("nucleo-h743zi"), asked=asked)


def test_every_layout_passes_the_judge(full: PlanStudy) -> None:
    requests = requests_of(full.plan)
    for layout in full.layouts:
        judge_layout(requests, layout)
    names = [layout.planner for layout in full.layouts]
    assert names[0] == "tflm-greedy" and len(names) == len(set(names)) >= 9


def test_the_optimum_is_never_above_the_runtime_and_never_below_the_live_sum(full: PlanStudy) -> None:
    best = full.estimate.optimum
    assert best is not None
    assert full.plan.lower_bound_bytes <= best.lower_bound_bytes <= best.extent_bytes <= full.plan.head_bytes


def test_tflm_needs_what_the_offline_plan_promises_once_written(full: PlanStudy) -> None:
    target = load_target("nucleo-h743zi")
    again = plan_tflm(parse_tflite(write_tflite(full.model)), target.kernels)
    assert full.offline is not None
    assert again.min_bytes == full.offline.arena_after_bytes < full.offline.arena_before_bytes


def test_a_reordered_model_needs_what_was_promised_and_the_plan_goes_on_top() -> None:
    """Six branches listed breadth first keep all alive; one after the other, they halve the arena."""
    graph, target = branches_by_breadth(6), load_target("nucleo-l4r5zi")
    only = study(graph, target, asked=Asked(solver="best", search_s=0.5, reorder=True))
    assert only.order is not None and only.order.gained_bytes > 0
    written = plan_tflm(parse_tflite(write_tflite(only.model)), target.kernels)
    assert written.min_bytes == only.order.arena_after_bytes
    both = study(graph, target, asked=Asked(solver="best", search_s=0.5, reorder=True, offline_plan=True))
    assert both.offline is not None and both.offline.arena_before_bytes == only.order.arena_after_bytes
    assert both.offline.arena_after_bytes <= both.offline.arena_before_bytes


def test_nothing_asked_leaves_the_model_as_it_was(vww: ModelGraph) -> None:
    found = study(vww, load_target("nucleo-h743zi"), asked=QUICK)
    assert found.model is vww
    assert (found.order, found.patches, found.placement, found.offline, found.pools) == (None,) * 5


def test_one_planner_can_be_named(vww: ModelGraph) -> None:
    found = study(vww, load_target("nucleo-h743zi"), asked=Asked(solver="greedy-by-size"))
    assert [layout.planner for layout in found.layouts] == ["tflm-greedy", "greedy-by-size"]


def test_an_unknown_planner_is_refused_with_the_known_ones(vww: ModelGraph) -> None:
    with pytest.raises(PlanInvalid, match="hill-climb"):
        study(vww, load_target("nucleo-h743zi"), asked=Asked(solver="magic"))


@pytest.mark.parametrize("text", ["3", "0x2", "axb", "2x2x2", "100x1"])
def test_a_grid_that_is_none_is_refused(vww: ModelGraph, text: str) -> None:
    with pytest.raises(PatchesInvalid, match="auto"):
        study(vww, load_target("nucleo-h743zi"), asked=Asked(solver="best", search_s=0.1, patches=text))


def test_patches_keep_a_budget_that_is_given(vww: ModelGraph) -> None:
    asked = Asked(solver="best", search_s=0.1, patches="auto", budget_bytes=80_000)
    found = study(vww, load_target("nucleo-h743zi"), asked=asked).patches
    assert found is not None and found.chosen is not None  # type: ignore[union-attr]
    assert found.chosen.ram_bytes <= 80_000 < found.unpatched_bytes  # type: ignore[union-attr]


def test_a_runtime_that_overlaps_on_purpose_is_not_compared_with_others(vww: ModelGraph) -> None:
    found = study(vww, load_target("nucleo-h743zi", "x-cube-ai"), asked=Asked(search_s=2.0, place=True))
    assert len(found.layouts) == 1 and found.estimate.optimum is None
    assert found.pools is not None and found.pools.pools
    said = render_study(found, "text")
    assert "x-cube-ai" in said and "no plan of these buffers is lower" not in said


def test_a_runtime_that_follows_no_offsets_refuses_an_offline_plan(vww: ModelGraph) -> None:
    with pytest.raises(PlanInvalid, match="offline plan"):
        study(vww, load_target("nucleo-h743zi", "x-cube-ai"), asked=Asked(offline_plan=True))


def test_a_check_adds_the_ladder_and_the_better_plan_and_changes_no_figure(vww: ModelGraph) -> None:
    target = load_target("nucleo-l4r5zi")
    plain, advised = simulate(vww, target), check(vww, target)
    assert advised.metrics == plain.metrics and advised.verdict == plain.verdict
    assert advised.ladder and advised.optimum is not None
    assert "PF210" in {finding.rule for finding in advised.findings}


def test_what_would_fit_is_named_where_ram_is_short(vww: ModelGraph) -> None:
    from preflash.simulator.conditions import parse_conditions

    target = load_target("nucleo-l4r5zi")
    free = 655_360 - 95_000  # the arena needs 100 KB as it is, 82 KB with a better placement
    found = check(vww, target, parse_conditions(target, reserve=f"ram={free}B"))
    (advice,) = [finding for finding in found.findings if finding.rule == "PF211"]
    assert found.verdict.word == "NO" and "better placement" in advice.message


def test_a_plan_at_its_bound_is_its_own_optimum() -> None:
    plan = plan_tflm(build("kws01", dtype="int8"), load_target("nucleo-l4r5zi").kernels)
    assert plan.head_bytes == plan.lower_bound_bytes
    assert quick_optimum(plan) == own_layout(plan)
    assert own_layout(plan).is_optimal


def test_the_better_of_layouts_keeps_the_best_bound_and_its_proof() -> None:
    low, high = Layout("a", (0,), 90, 64), Layout("b", (0,), 96, 90, "CP-SAT: proved")
    assert better(high, low) == Layout("a", (0,), 90, 90)
    assert better(Layout("c", (0,), 90, 90, "equals the live sum"), low).proof == "equals the live sum"


@pytest.mark.parametrize(
    ("head", "best", "said"),
    [
        (100, Layout("x", (), 100, 100, "equals the live sum"), "is the optimum (equals the live sum)"),
        (110, Layout("x", (), 100, 100, "proved"), "is 10.0 % above the optimum of 100 B (proved)"),
        (110, Layout("x", (), 105, 100), "is 4.8 % above the best plan found, 105 B (x), and 10.0 %"),
        (110, Layout("x", (), 110, 100), "is 10.0 % above the lower bound of 100 B; no better plan is known"),
    ],
)
def test_a_plan_is_compared_with_the_optimum_or_the_bound(head: int, best: Layout, said: str) -> None:
    assert said in compared(head, best, owner="the plan")


def test_the_report_holds_a_block_for_each_thing_asked(full: PlanStudy) -> None:
    titles = [block.title for block in study_blocks(full)]
    assert titles == [
        "Arena", "Planners", "Ladder of budgets", "Operator order", "Offline plan", "Patch by patch",
        "Placement",
    ]  # fmt: skip
    text = render_study(full, "text", command="preflash plan x")
    assert all(f"\n{title}\n" in text for title in [*titles, "Plan"])
    assert "above the optimum" in text and plan_sentence(full.estimate) in text.replace("\n    ", " ")


def test_the_page_shows_both_plans_on_one_scale(full: PlanStudy) -> None:
    page = render_study(full, "html", command="preflash plan x")
    assert page.count('class="plot"') == 3  # the runtime's plan, the best known, latency
    assert "The best plan known for the same buffers" in page
    assert all(f">{block.title}<" in page for block in study_blocks(full))


def test_the_json_holds_the_result_and_every_layout(full: PlanStudy) -> None:
    import json

    document = json.loads(render_study(full, "json", command="preflash plan x"))
    jsonschema.validate(document, PLAN_SCHEMA)
    assert document["schema"] == "preflash/plan/1"
    assert document["result"]["schema"] == "preflash/result/1"
    assert [layout["planner"] for layout in document["layouts"]] == [x.planner for x in full.layouts]


def test_a_long_plan_is_cut_in_the_terminal_and_says_so() -> None:
    graph = branches_by_breadth(40)
    found = study(graph, load_target("nucleo-h743zi"), asked=Asked(solver="greedy-by-size"))
    block = buffer_block(found)
    assert len(block.rows) == MOST_BUFFERS and "more buffers" in block.notes[0]


def test_the_ladder_names_the_smallest_budget_of_each_measure(full: PlanStudy) -> None:
    sentence = ladder_sentence(full.estimate)
    assert sentence.startswith("also fits in 128.0 KiB as it is") and "better placement" in sentence


def test_numbers_stand_right_and_text_left() -> None:
    assert aligned(("what", "B"), (("a", 1024), ("bc", 7))) == ["what      B", "a     1,024", "bc        7"]


def test_a_hostile_name_cannot_steer_the_terminal() -> None:
    block = Block("t\x1b[2J", ("s\x1b[2J",), ("c",), (("x\x1b[2J",),), ("n\x1b[2J",))
    assert "\x1b" not in "\n".join(block_lines(block))


def test_no_planner_is_listed_twice(vww: ModelGraph) -> None:
    names = [x.planner for x in study(vww, load_target("nucleo-h743zi"), asked=QUICK).layouts]
    assert len(names) == len(set(names))


def test_patches_are_compared_with_the_smallest_arena_that_works(vww: ModelGraph) -> None:
    target = load_target("nucleo-l4r5zi")
    least = plan_tflm(vww, target.kernels).min_bytes
    asked = Asked(solver="tflm-linear", patches="auto", budget_bytes=least - 1)
    found = study(vww, target, asked=asked).patches
    assert found is not None and found.unpatched_bytes == least
    assert found.chosen is not None  # type: ignore[union-attr]
