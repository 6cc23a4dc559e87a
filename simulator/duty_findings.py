"""What of deadline, period and battery should the user know: what takes time, what empties the battery."""

from __future__ import annotations

from collections.abc import Sequence

from ..devices.target import Target
from .estimate import BudgetCheck, Conditions, DutyCycle, Finding, OpEstimate, Severity, Word
from .sleep import sleep_of

# "no battery vendor I've found specifies a shelf life longer than a decade" (J. Ganssle, "How much energy can
# you really get from a coin cell?", embedded.com, 21 April 2014).
_SHELF_LIFE_DAYS = 3650
_SHORT = (Word.NO, Word.RISKY, Word.TIGHT)
# seconds in it, its unit, from how many seconds on it is used
_TIMES = ((86400, "d", 172800), (3600, "h", 7200), (60, "min", 600), (1, "s", 1))


def duty_findings(
    cycle: DutyCycle, ops: Sequence[OpEstimate], budgets: Sequence[BudgetCheck], *,
    target: Target, conditions: Conditions,
) -> tuple[Finding, ...]:  # fmt: skip
    """Findings on time first, then on energy."""
    if conditions.deadline_s is None and not conditions.duty.is_given:
        return ()
    return (
        *_deadline_findings(cycle, ops, budgets),
        *_sleep_findings(target, conditions),
        *_bound_findings(cycle, conditions),
    )


def _deadline_findings(
    cycle: DutyCycle, ops: Sequence[OpEstimate], budgets: Sequence[BudgetCheck]
) -> tuple[Finding, ...]:
    """By how much deadline or period is missed or kept, and what takes most of the time."""
    short = [b for b in budgets if b.name in ("latency", "period") and b.word in _SHORT]
    need = cycle.response_s
    if not short or need.value is None or need.hi is None:
        return ()
    check = min(short, key=lambda budget: budget.budget)
    what = "deadline" if check.name == "latency" else "period"
    margin_s, worst_s = check.budget - need.value, check.budget - need.hi
    said = f"missed by {_time(-margin_s)}" if margin_s < 0 else f"kept by {_time(margin_s)}"
    at_p90 = f" (at p90 missed by {_time(-worst_s)})" if margin_s >= 0 > worst_s else ""
    slowest, share = _slowest(ops)
    most, indices = "", tuple[int, ...]()
    if slowest is not None:
        most = f"; op {slowest.index} {slowest.kind} takes {100 * share:.0f} % of the inference"
        indices = (slowest.index,)
    text = f"{what} of {_time(check.budget)} {said}{at_p90}{most}{_steps_clause(cycle)}"
    fix = "what takes most of the time is worth changing first"
    return (Finding("PF405", Severity.INFO, text, indices, fix),)


def _slowest(ops: Sequence[OpEstimate]) -> tuple[OpEstimate | None, float]:
    """The op that takes the most time, and its share of all that is priced."""
    priced = [op for op in ops if op.latency_s.value]
    whole_s = sum(op.latency_s.value or 0.0 for op in priced)
    if not priced or not whole_s:
        return None, 0.0
    slowest = max(priced, key=lambda op: op.latency_s.value or 0.0)
    return slowest, (slowest.latency_s.value or 0.0) / whole_s


def _steps_clause(cycle: DutyCycle) -> str:
    """ "; mfcc takes 12 ms beside it"; "" without steps."""
    steps = [line for line in cycle.lines if line.when in ("pre", "post") and line.time_s.value]
    if not steps:
        return ""
    named = ", ".join(f"{line.name} {_time(line.time_s.value or 0.0)}" for line in steps[:3])
    return f"; around it: {named}{', ...' if len(steps) > 3 else ''}"


def _sleep_findings(target: Target, conditions: Conditions) -> tuple[Finding, ...]:
    """A sleep that nobody states, and one in which the arena is lost."""
    if conditions.duty.period_s is None:
        return ()
    draw = sleep_of(target, conditions.duty)
    if draw is None:
        text = f"what {target.device.name} draws asleep is not known: no average power, bounds at best"
        fix = "measure it and give it with --sleep 3uA@3V, or [sleep] of a --scenario"
        return (Finding("PF812", Severity.WARNING, text, fix=fix),)
    if draw.ram != "lost":
        return ()
    state = draw.state or "the declared sleep"
    text = f"in {state} RAM is lost: setting the model up at each wake-up is not counted"
    fix = "sleep in a state that keeps RAM, or declare the set-up as a [[step]]"
    return (Finding("PF813", Severity.WARNING, text, fix=fix),)


def _bound_findings(cycle: DutyCycle, conditions: Conditions) -> tuple[Finding, ...]:
    """Whether work or sleep empties the battery, and at which period that turns; a life beyond the cell's."""
    awake_j, asleep_j, crossover = cycle.awake_j.value, cycle.asleep_j.value, cycle.crossover_s.value
    if not conditions.duty.period_s or not cycle.period_j.value or crossover is None:
        return ()
    assert awake_j is not None and asleep_j is not None
    by_work = awake_j >= asleep_j
    share = max(awake_j, asleep_j) / cycle.period_j.value
    first, other = ("work", "sleep") if by_work else ("sleep", "work")
    when = "from a period of {} on it is {}" if by_work else "below a period of {} it is {}"
    fix = "a faster or smaller model, or a longer period"
    if not by_work:
        fix = "a deeper sleep: a faster model gains little"
    most = "more than 99 %" if share > 0.99 else f"{100 * share:.0f} %"
    text = f"{first} takes {most} of the energy; {when.format(_time(crossover), other)}"
    found = [Finding("PF811", Severity.INFO, text, fix=fix)]
    days = cycle.battery_days.value
    if days is not None and days > _SHELF_LIFE_DAYS:
        text = f"{days:,.0f} days are longer than a cell's shelf life of about ten years"
        found.append(Finding("PF814", Severity.INFO, text, fix="take the shelf life instead"))
    return tuple(found)


def _time(time_s: float) -> str:
    """ "12 ms", "112 s", "3.5 h"."""
    for scale_s, unit, least_s in _TIMES:
        if time_s >= least_s:
            return f"{time_s / scale_s:.4g} {unit}"
    return f"{time_s * 1e3:.4g} ms"
