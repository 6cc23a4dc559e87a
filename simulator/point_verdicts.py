"""Does each variant fit one target? The verdict of `simulate`, for all variants of a target at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..devices.spec import MemorySpec
from ..devices.target import Target
from .budget_words import headrooms, severities
from .columns import Floats, Grades, Rows
from .duty import awake_lines
from .estimate import Conditions, Word
from .figures import Figures, Objects, ends_of, sum_of_bounds
from .interval import Interval, exact, total, unknown
from .needs import Planned
from .placement import Contents, memory_uses

_MODEL = ("weights", "weights_image")  # what of a memory's contents is the model itself
_LATER = exact(0.0, "stands for the model, which is added per variant")


class Held(NamedTuple):
    """What one structure has to keep in memory beside the model itself."""

    planned: Planned
    arena: Interval
    static: Interval
    code: Interval


class Kept(NamedTuple):
    """What one memory has to keep beside the model, per structure, and how many copies of the model."""

    memory: MemorySpec
    value: Floats
    lo: Floats
    hi: Floats
    copies: int


class Needs(NamedTuple):
    """What every variant needs on one target: figures by [variant].

    Args:
        refusals: why the runtime refuses a structure, "" if it does not; `kept` likewise is per structure.
        rows: the structure of every variant.
    """

    refusals: Sequence[str]
    kept: Sequence[Kept]
    rows: Rows
    model: Figures
    ram: Figures
    flash: Figures
    latency_s: Figures
    energy_j: Figures


class Verdicts(NamedTuple):
    """Severity of the word, the budget that decides, and why; by [variant] or [variant, target]."""

    severity: Grades
    limiting: Objects
    reason: Objects


Ends = tuple[Floats, Floats, Floats]  # value, low and high end; nan is unknown


class _Budget(NamedTuple):
    name: str
    value: Floats
    lo: Floats
    hi: Floats
    budget: float


def verdicts(needs: Needs, target: Target, conditions: Conditions) -> Verdicts:
    """The worst word over all budgets, the first of the worst; NO where the runtime refuses the model."""
    count = len(needs.rows)
    severity, left = np.full(count, -1, dtype=np.int8), np.full(count, np.inf)
    limiting = np.full(count, "", dtype=object)
    for budget in _budgets(needs, target, conditions):
        own = severities(
            budget.value, budget.lo, budget.hi, budget=budget.budget, tight_headroom=conditions.tight_headroom
        )
        room = headrooms(budget.value, budget.budget)
        room = np.where(np.isnan(room), 1.0, room)
        worse = (own > severity) | ((own == severity) & (room < left))
        severity, left = np.where(worse, own, severity), np.where(worse, room, left)
        limiting[worse] = budget.name
    refused = np.array([bool(why) for why in needs.refusals], dtype=bool)[needs.rows]
    severity = np.where(refused, np.int8(Word.NO.severity), severity).astype(np.int8)
    limiting[refused] = "runtime"
    return Verdicts(severity, limiting, _reasons(needs, refused))


def _budgets(needs: Needs, target: Target, conditions: Conditions) -> Iterator[_Budget]:
    """In the order of `simulate`: memories, deadline and period, limits."""
    yield from _memory_budgets(needs, target, conditions)
    limits_s = (("latency", conditions.deadline_s), ("period", conditions.duty.period_s))
    if any(limit is not None for _, limit in limits_s):
        response_s = _response_s(needs.latency_s, target, conditions)
        for name, limit_s in limits_s:
            if limit_s is not None:
                yield _Budget(name, *response_s, limit_s)
    whole = {"ram": needs.ram, "flash": needs.flash, "energy": needs.energy_j}
    for limit in conditions.limits:
        yield _Budget(f"{limit.name} limit", *whole[limit.name][:3], limit.value)


def kept_in(held: Sequence[Held], target: Target) -> tuple[Kept, ...]:
    """What every memory that something lies in has to keep, whatever the clock."""
    uses = [memory_uses(target, Contents(_LATER, h.code, h.arena, h.static, h.planned.plan)) for h in held]
    found = []
    for memory in target.device.memories:
        used = [one[memory.name] for one in uses]
        if used[0]:
            rest = [[use.used for use in one if use.kind not in _MODEL] for one in used]
            ends = ends_of([total(parts, empty_source="the model alone") for parts in rest])
            found.append(Kept(memory, *ends, sum(use.kind in _MODEL for use in used[0])))
    return tuple(found)


def _memory_budgets(needs: Needs, target: Target, conditions: Conditions) -> Iterator[_Budget]:
    """One per memory that something lies in; the model's part differs per variant, the rest per structure."""
    model, lost = needs.model, np.isnan(needs.model.hi)
    for kept in needs.kept:
        value, lo, hi = (ends[needs.rows] for ends in (kept.value, kept.lo, kept.hi))
        for _ in range(kept.copies):
            value, lo = value + model.value, sum_of_bounds(lo, model.lo)
            hi = np.where(lost, np.nan, hi + model.hi)
        memory = kept.memory
        budget = max(0, memory.size_bytes - _reserved_bytes(target, memory.name, conditions))
        role = "flash" if memory.is_nonvolatile else "ram"
        yield _Budget(f"{role}:{memory.name}", value, lo, hi, budget)


def _reserved_bytes(target: Target, memory: str, conditions: Conditions) -> int:
    own = sum(spec.size_bytes for spec in target.device.reserved if spec.memory == memory)
    return own + sum(r.size_bytes for r in conditions.reservations if r.memory == memory)


def _response_s(latency_s: Figures, target: Target, conditions: Conditions) -> Ends:
    """Wake-up, steps before, the inference, steps after: added in that order, as `duty_cycle` adds them."""
    stand_in = unknown("stands for the inference of every variant")
    value, lo, hi = (np.zeros(len(latency_s.value)) for _ in range(3))
    for line in awake_lines(stand_in, stand_in, target, conditions.duty):
        is_inference = line.time_s is stand_in
        more, more_lo, more_hi = latency_s[:3] if is_inference else ends_of([line.time_s])
        lost = np.isnan(value + more) | np.isnan(hi + more_hi)
        value, lo = np.where(lost, np.nan, value + more), sum_of_bounds(lo, more_lo)
        hi = np.where(lost, np.nan, hi + more_hi)
    return value, lo, hi


def _reasons(needs: Needs, refused: npt.NDArray[np.bool_]) -> Objects:
    """Why the runtime refuses, else why a figure is unknown, energy last; "" where everything is known."""
    said = np.array(needs.refusals, dtype=object)[needs.rows]
    found = np.full(len(needs.rows), "", dtype=object)
    for figure in (needs.energy_j, needs.latency_s, needs.flash, needs.ram):
        lost = np.isnan(figure.value)
        found[lost] = figure.reason[lost]
    found[refused] = said[refused]
    return found
