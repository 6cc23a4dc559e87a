"""Does it fit: every need against its budget, and the worst of all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from .budget_words import BY_SEVERITY, severities
from .estimate import (
    BudgetCheck,
    Conditions,
    DutyCycle,
    Finding,
    Interval,
    MemoryFit,
    Severity,
    Verdict,
    Word,
    total,
)


def check_budget(
    name: str, need: Interval, budget: float, *, unit: str, tight_headroom: float
) -> BudgetCheck:
    """One need against one budget, by the rule of `budget_words`."""
    value, lo, hi = (math.nan if end is None else end for end in (need.value, need.lo, need.hi))
    severity = severities(value, lo, hi, budget=budget, tight_headroom=tight_headroom)
    headroom = None if need.value is None or budget <= 0 else 1 - need.value / budget
    return BudgetCheck(name, unit, need, budget, BY_SEVERITY[severity], headroom)


def memory_budgets(memories: Sequence[MemoryFit], *, tight_headroom: float) -> tuple[BudgetCheck, ...]:
    """One budget per memory that something lies in; the name is role:memory ("ram:sram")."""
    return tuple(
        check_budget(
            f"{memory.role}:{memory.name}",
            total((use.used for use in memory.used), empty_source="nothing placed"),
            memory.budget_bytes,
            unit="B",
            tight_headroom=tight_headroom,
        )
        for memory in memories
        if memory.is_used
    )


def time_budgets(cycle: DutyCycle, conditions: Conditions) -> tuple[BudgetCheck, ...]:
    """Everything that happens in a period against the deadline, and against the period itself."""
    limits = (("latency", conditions.deadline_s), ("period", conditions.duty.period_s))
    return tuple(
        check_budget(name, cycle.response_s, limit, unit="s", tight_headroom=conditions.tight_headroom)
        for name, limit in limits
        if limit is not None
    )


def limit_budgets(needs: Mapping[str, Interval], conditions: Conditions) -> tuple[BudgetCheck, ...]:
    """Everything of a kind against the user's own limit; the name is "ram limit".

    Args:
        needs: "ram", "flash", "energy" -> what is needed in all.
    """
    headroom = conditions.tight_headroom
    return tuple(
        check_budget(
            f"{limit.name} limit", needs[limit.name], limit.value, unit=limit.unit, tight_headroom=headroom
        )
        for limit in conditions.limits
    )


def decide(budgets: Sequence[BudgetCheck], refusals: Sequence[Finding]) -> Verdict:
    """The worst word over all budgets; NO when the runtime refuses the model."""
    if refusals:
        first, more = refusals[0], len(refusals) - 1
        tail = f" (and {more} more reasons)" if more else ""
        rules = tuple(dict.fromkeys(f.rule for f in refusals))
        return Verdict(Word.NO, "runtime", f"{first.message}{tail}", tuple(budgets), rules)
    limiting = max(budgets, key=_badness)
    sentence = "; ".join(_clause(b) for b in sorted(budgets, key=_badness, reverse=True))
    reasons = tuple(dict.fromkeys(r for b in budgets for r in budget_rules(b)))
    return Verdict(limiting.word, limiting.name, sentence, tuple(budgets), reasons)


def _badness(check: BudgetCheck) -> tuple[int, float]:
    headroom = 1.0 if check.headroom is None else check.headroom
    return check.word.severity, -headroom


_WORDS = {
    Word.NO: "does not fit",
    Word.UNKNOWN: "is unknown",
    Word.RISKY: "may not fit",
    Word.TIGHT: "fits tightly",
    Word.FITS: "fits",
}


def _clause(check: BudgetCheck) -> str:
    return f"{check.name} {_WORDS[check.word]}"


# (what the budget is of, verdict) -> the rule that explains it
_RULES = {
    ("ram", Word.NO): "PF201", ("ram", Word.RISKY): "PF201",
    ("ram", Word.UNKNOWN): "PF205", ("ram", Word.TIGHT): "PF206",
    ("flash", Word.NO): "PF301", ("flash", Word.RISKY): "PF301",
    ("flash", Word.UNKNOWN): "PF302", ("flash", Word.TIGHT): "PF304",
    ("latency", Word.NO): "PF402", ("latency", Word.RISKY): "PF403",
    ("latency", Word.UNKNOWN): "PF401", ("latency", Word.TIGHT): "PF403",
    ("period", Word.NO): "PF406", ("period", Word.RISKY): "PF407",
    ("period", Word.UNKNOWN): "PF401", ("period", Word.TIGHT): "PF407",
    ("energy", Word.NO): "PF803", ("energy", Word.RISKY): "PF804",
    ("energy", Word.UNKNOWN): "PF805", ("energy", Word.TIGHT): "PF804",
}  # fmt: skip
_SEVERITY = {
    Word.NO: Severity.ERROR,
    Word.UNKNOWN: Severity.WARNING,
    Word.RISKY: Severity.WARNING,
    Word.TIGHT: Severity.WARNING,
}


def budget_rules(check: BudgetCheck) -> tuple[str, ...]:
    """The rule ids that a budget's word stands for; () if it fits."""
    rule = _RULES.get((_kind(check).removesuffix(" limit"), check.word))
    return (rule,) if rule else ()


def budget_findings(budgets: Sequence[BudgetCheck]) -> tuple[Finding, ...]:
    """A finding per budget that does not simply fit."""
    return tuple(
        Finding(rule, _SEVERITY[check.word], _sentence(check), fix=_FIXES[_kind(check)])
        for check in budgets
        for rule in budget_rules(check)
    )


def _kind(check: BudgetCheck) -> str:
    """What the budget is of: "ram" of "ram:sram", "ram limit", "latency"."""
    return check.name.partition(":")[0]


_FIXES = {
    "ram": "shrink the input or the widest activations, or free RAM with a smaller --reserve",
    "flash": "use fewer weights or a smaller type, or a device with more flash",
    "latency": "use fewer MACs, a faster kernel library or clock, or a longer --deadline",
    "ram limit": "shrink the input or the widest activations, or allow more with --limit ram=",
    "flash limit": "use fewer weights or a smaller type, or allow more with --limit flash=",
    "energy limit": "use fewer MACs or a faster kernel library, or allow more with --limit energy=",
    "period": "infer less often with a longer --period, or make the inference and the steps around it faster",
}


def _sentence(check: BudgetCheck) -> str:
    need, budget = check.need, check.budget
    if need.value is None:
        bound = "" if not need.lo else f", at least {_amount(need.lo, check.unit)}"
        return f"{check.name}: need unknown{bound} of {_amount(budget, check.unit)}: {need.reason}"
    spread = ""
    if need.lo != need.hi:
        spread = f" (p10 to p90: {_amount(need.lo or 0, check.unit)} to {_amount(need.hi or 0, check.unit)})"
    return (
        f"{check.name} {_WORDS[check.word]}: needs {_amount(need.value, check.unit)}{spread} "
        f"of {_amount(budget, check.unit)}"
    )


def _amount(value: float, unit: str) -> str:
    return f"{value:,.0f} B" if unit == "B" else f"{value * 1e3:.4g} m{unit}"
