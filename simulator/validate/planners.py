"""How good are the planners? Hard instances and recorded plans of compiled networks."""

from __future__ import annotations

from ..memory.planners.best import GREEDY
from ..memory.planners.exact import optimal_layout
from ..memory.planners.judge import judge_layout
from ..memory.planners.problem import extent
from .facts import Facts
from .recorded_plans import CAPACITY_BYTES, hard_instances, recorded_plans
from .table import Claim, ValidationTable

_SECONDS = 10.0
_GREEDY_COLUMNS = {
    "greedy-by-size": "greedy_by_size_ratio",
    "greedy-by-area": "greedy_by_area_ratio",
    "greedy-by-duration": "greedy_by_duration_ratio",
}


def hard_instances_table(facts: Facts) -> ValidationTable:
    """Per instance: greedy and exact extents over the capacity; greedy ones against recorded ratios."""
    rows, equal, reached = [], 0, 0
    instances = hard_instances(facts)
    for instance in instances:
        ratios = {name: _ratio(extent(instance.requests, GREEDY[name](instance.requests))) for name in GREEDY}
        equal += sum(ratios[name] == instance.recorded[column] for name, column in _GREEDY_COLUMNS.items())
        found = optimal_layout(instance.requests, seconds=_SECONDS, capacity_bytes=CAPACITY_BYTES)
        judge_layout(instance.requests, found)
        reached += found.extent_bytes <= CAPACITY_BYTES
        rows.append((
            instance.name, len(instance.requests), _ratio(found.lower_bound_bytes), ratios["tflm-greedy"],
            ratios["greedy-by-size"], ratios["greedy-by-breadth"], ratios["greedy-by-conflict"],
            _ratio(found.extent_bytes), found.proof or "no proof",
        ))  # fmt: skip
    compared = len(instances) * len(_GREEDY_COLUMNS)
    return ValidationTable(
        "minimalloc",
        f"hard allocation instances: extent / capacity of 1 MiB; exact for at most {_SECONDS:.0f} s each",
        ("instance", "buffers", "lower bound", "tflm greedy", "by size", "by breadth", "by conflict",
         "exact", "proof of the optimum"), tuple(rows),
        (Claim("exact reaches the capacity on at least 8 of 11", f"{reached} of {len(instances)}",
               reached >= 8),
         Claim("greedy by size, area and duration equal the recorded ratios",
               f"{equal} of {compared}", equal == compared)),
    )  # fmt: skip


def _ratio(size_bytes: int) -> str:
    return f"{size_bytes / CAPACITY_BYTES:.3f}"


def tensor_plans_table(facts: Facts) -> ValidationTable:
    """Per memory: plans that are not above the recorded one, that equal the live sum, that are proven."""
    counts: dict[str, list[int]] = {}
    for plan in recorded_plans(facts):
        found = optimal_layout(plan.requests, seconds=_SECONDS)
        judge_layout(plan.requests, found)
        where = " ".join(plan.name.split()[1:])
        now = counts.setdefault(where, [0] * 4)
        now[0] += 1
        now[1] += found.extent_bytes <= plan.layout.extent_bytes
        now[2] += found.extent_bytes == plan.layout.lower_bound_bytes
        now[3] += bool(found.proof)
    total = [sum(column) for column in zip(*counts.values(), strict=True)]
    return ValidationTable(
        "tensor-plans",
        f"plans of compiled networks: ours against recorded, at most {_SECONDS:.0f} s each",
        ("compiled for", "plans", "not above recorded", "equal the live sum", "proven"),
        tuple((where, *now) for where, now in counts.items()),
        (Claim("never above the recorded plan", f"{total[1]} of {total[0]}", total[1] == total[0]),
         Claim("equal to the live sum or proven", f"{total[3]} of {total[0]}", total[3] == total[0])),
    )  # fmt: skip
