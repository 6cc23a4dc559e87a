"""Which order has the smallest peak, asked of a constraint solver? CP-SAT, loaded on first use.

Every op takes one of n places; a tensor is an interval from the first to the last op that touches it; the
sum of the intervals' bytes never exceeds the capacity, which is made as small as possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from .exact import Found
from .problem import OrderProblem


def solver_order(problem: OrderProblem, hint: Sequence[int], *, upper: int, effort: float) -> Found | None:
    """An order with a peak below `upper`, or the bound proved on the way; None without OR-tools.

    Args:
        hint: an order to begin with.
        effort: the solver's own deterministic time, about seconds.
    """
    try:
        from ortools.sat.python import cp_model
    except ImportError:
        return None
    if problem.shares or not problem.before:
        return None
    model = cp_model.CpModel()
    count = len(problem.before)
    places = [model.new_int_var(0, count - 1, f"place of op {op}") for op in range(count)]
    _constrain(model, problem, places)
    capacity = model.new_int_var(problem.floor_bytes, upper, "capacity")
    _demand(model, problem, places, capacity)
    model.minimize(capacity)
    for place, op in enumerate(hint):
        model.add_hint(places[op], place)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_deterministic_time = effort
    status = solver.status_name(solver.solve(model))
    if status not in ("OPTIMAL", "FEASIBLE"):
        bound = upper if status == "INFEASIBLE" else ceil(solver.best_objective_bound)
        return Found((), min(bound, upper), 0)
    order = tuple(sorted(range(count), key=lambda op: solver.value(places[op])))
    return Found(order, ceil(solver.best_objective_bound), solver.num_branches)


def _constrain(model: Any, problem: OrderProblem, places: Sequence[Any]) -> None:
    model.add_all_different(places)
    for op, ops in enumerate(problem.before):
        for earlier in ops:
            model.add(places[earlier] < places[op])


def _demand(model: Any, problem: OrderProblem, places: Sequence[Any], capacity: Any) -> None:
    count = len(places)
    intervals, demands = [], []
    for n, t in enumerate(problem.tensors):
        first, last = model.new_int_var(0, count - 1, ""), model.new_int_var(0, count - 1, "")
        if t.from_start or not t.ops:
            model.add(first == 0)
        else:
            model.add_min_equality(first, [places[op] for op in t.ops])
        if t.to_end or not t.ops:
            model.add(last == count - 1)
        else:
            model.add_max_equality(last, [places[op] for op in t.ops])
        length = model.new_int_var(1, count, "")
        intervals.append(model.new_interval_var(first, length, last + 1, f"tensor {n}"))
        demands.append(t.size_bytes)
    for op, own in enumerate(problem.own_bytes):
        if own:
            intervals.append(model.new_fixed_size_interval_var(places[op], 1, f"own bytes of op {op}"))
            demands.append(own)
    model.add_cumulative(intervals, demands, capacity)
