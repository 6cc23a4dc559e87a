"""Planners on recorded problems: 11 hard instances and 128 plans of compiled networks."""

from __future__ import annotations

from functools import cache

import pytest
from preflash.simulator.memory.planners.best import GREEDY
from preflash.simulator.memory.planners.cp_sat import is_installed
from preflash.simulator.memory.planners.exact import optimal_layout
from preflash.simulator.memory.planners.judge import judge_layout
from preflash.simulator.memory.planners.problem import extent
from preflash.simulator.validate.facts import Facts
from preflash.simulator.validate.recorded_plans import (
    CAPACITY_BYTES,
    Instance,
    RecordedPlan,
    hard_instances,
    recorded_plans,
)
from shared_data import shared_dir

# rule -> column of instances.csv; ties by list index, each buffer in the lowest gap
RECORDED = {
    "greedy-by-size": "greedy_by_size_ratio",
    "greedy-by-area": "greedy_by_area_ratio",
    "greedy-by-duration": "greedy_by_duration_ratio",
}


@cache
def instances() -> dict[str, Instance]:
    return {i.name: i for i in hard_instances(Facts(shared_dir()))}


@cache
def plans() -> list[RecordedPlan]:
    return recorded_plans(Facts(shared_dir()))


@pytest.mark.parametrize("rule", RECORDED)
def test_a_greedy_rule_reaches_the_recorded_ratio_on_every_hard_instance(rule: str) -> None:
    ratios = {
        name: f"{extent(i.requests, GREEDY[rule](i.requests)) / CAPACITY_BYTES:.3f}"
        for name, i in instances().items()
    }
    assert ratios == {name: i.recorded[RECORDED[rule]] for name, i in instances().items()}
    assert len(ratios) == 11


@pytest.mark.parametrize("name", ["B", "H", "K"])
def test_an_instance_that_is_quick_reaches_the_capacity(name: str) -> None:
    """Those need less than a second of CPU time each; all eleven are in benchmarks/planners.py."""
    if name == "K" and not is_installed():
        pytest.skip("extra `optimal` is not installed")
    requests = instances()[name].requests
    found = optimal_layout(requests, seconds=60, capacity_bytes=CAPACITY_BYTES)
    judge_layout(requests, found)
    assert (found.extent_bytes, found.proof) == (CAPACITY_BYTES, "equals the live sum")


def test_no_recorded_plan_overlaps_once_views_are_one_buffer() -> None:
    assert len(plans()) == 128
    for plan in plans():
        judge_layout(plan.requests, plan.layout)


def test_every_plan_of_a_compiled_network_reaches_the_live_sum_and_the_recorded_plan() -> None:
    for plan in plans():
        found = optimal_layout(plan.requests, seconds=20)
        judge_layout(plan.requests, found)
        assert found.extent_bytes <= plan.layout.extent_bytes, plan.name
        assert found.proof, plan.name
        assert all(offset % 16 == 0 for offset in found.offsets), plan.name
