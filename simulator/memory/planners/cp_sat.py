"""Do these strips fit under a ceiling? OR-tools' CP-SAT: rectangles of time x address that do not overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .problem import ONLINE
from .strips import Strips

if TYPE_CHECKING:
    from collections.abc import Iterator


def is_installed() -> bool:
    """Whether OR-tools can be imported (extra `optimal`); imports it if so."""
    try:
        import ortools.sat.python.cp_model  # noqa: F401
    except ImportError:
        return False
    return True


class Solver:
    """One CP-SAT search, which another thread may stop.

    Args:
        strips: what is to be placed; fixed strips stay, and may overlap each other.
        ceiling: in units.
        seed: of the search.
    """

    def __init__(self, strips: Strips, ceiling: int, *, seed: int) -> None:
        from ortools.sat.python import cp_model

        self._names = cp_model
        self._model: Any = cp_model.CpModel()
        self._solver: Any = cp_model.CpSolver()
        self._solver.parameters.num_workers = 1
        self._solver.parameters.random_seed = seed
        self._offsets = self._build(strips, ceiling)

    def _build(self, strips: Strips, ceiling: int) -> list[Any]:
        model, columns = self._model, range(len(strips.sizes))
        area = [(strips.ends[i] - strips.firsts[i]) * strips.sizes[i] for i in columns]
        offsets: list[Any] = [strips.fixed[i] for i in columns]
        times, addresses = [], []
        for i in sorted(columns, key=lambda i: -area[i]):
            if strips.fixed[i] != ONLINE:
                continue
            if strips.sizes[i] > ceiling:
                model.add_bool_or([])
                return offsets
            offsets[i] = model.new_int_var(0, ceiling - strips.sizes[i], f"offset {i}")
            times.append(
                model.new_fixed_size_interval_var(strips.firsts[i], strips.ends[i] - strips.firsts[i], "")
            )
            addresses.append(model.new_fixed_size_interval_var(offsets[i], strips.sizes[i], ""))
        for instant, start, end in _held(strips):
            times.append(model.new_fixed_size_interval_var(instant, 1, ""))
            addresses.append(model.new_fixed_size_interval_var(start, end - start, ""))
        model.add_no_overlap_2d(times, addresses)
        return offsets

    def prefer_lowest(self) -> None:
        """Branch on the strip with the lowest floor first, onto its floor."""
        names = self._names
        free = [o for o in self._offsets if not isinstance(o, int)]
        self._model.add_decision_strategy(free, names.CHOOSE_LOWEST_MIN, names.SELECT_MIN_VALUE)
        self._solver.parameters.search_branching = names.FIXED_SEARCH

    def fits(self, *, work_s: float, seconds: float) -> tuple[bool | None, list[int]]:
        """Whether all strips fit, and their offsets in units; None if time or deterministic work run out."""
        self._solver.parameters.max_deterministic_time = work_s
        self._solver.parameters.max_time_in_seconds = max(seconds, 0.01)
        status = self._solver.solve(self._model)
        if status in (self._names.OPTIMAL, self._names.FEASIBLE):
            return True, [o if isinstance(o, int) else self._solver.value(o) for o in self._offsets]
        return (False if status == self._names.INFEASIBLE else None), []

    def stop(self) -> None:
        """End the search soon; its answer is None."""
        self._solver.stop_search()


def _held(strips: Strips) -> Iterator[tuple[int, int, int]]:
    """(instant, start, end) of what fixed strips occupy, each unit once."""
    fixed = [i for i, offset in enumerate(strips.fixed) if offset != ONLINE]
    for instant in range(strips.instants):
        reached = 0
        for start, size in sorted(
            (strips.fixed[i], strips.sizes[i]) for i in fixed if strips.firsts[i] <= instant < strips.ends[i]
        ):
            if start + size > reached:
                yield instant, max(start, reached), start + size
            reached = max(reached, start + size)
