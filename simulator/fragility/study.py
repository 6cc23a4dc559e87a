"""fragility(graph, target) -> Fragility: every assumption a little off, one at a time, and what turns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ...devices.target import Target
from ...devices.units import parse_fraction
from ...errors import BudgetInvalid, UnitInvalid
from ...graphs.ir import ModelGraph
from ..estimate import BudgetCheck, Conditions, Interval, ModelFacts, TargetFacts, Verdict, Word
from ..facts import model_facts, target_facts
from ..outcome import Outcome, Ready, made_ready, outcome
from .case import Case, Fixed, Knob
from .knobs import Ground, all_knobs
from .turning import Turn as Turn
from .turning import turn_of

BY = 0.2
FURTHEST = 4.0  # a break-even is looked for up to so many times the assumed value, and a fourth of it
# What rests on little: these are to be measured first where the verdict hangs on them.
WEAK = frozenset({"secondary", "estimate", "assumed", "analytic"})
_EFFECTS = ("latency_s", "energy_j", "ram_bytes", "flash_bytes", "battery_days")


@dataclass(frozen=True, slots=True)
class End:
    """What comes out with so many times the assumed value.

    Args:
        figures: latency_s, energy_j, ram_bytes, flash_bytes, slack_s, battery_days.
    """

    factor: float
    verdict: Verdict
    figures: Mapping[str, Interval]

    @property
    def word(self) -> Word:
        return self.verdict.word

    @property
    def fullest(self) -> float | None:
        """need / budget of the budget that is used most; None where one is unknown or there is none."""
        shares = [filled(check) for check in self.verdict.budgets]
        known = [share for share in shares if share is not None]
        return max(known) if known and len(known) == len(shares) else None


@dataclass(frozen=True, slots=True)
class Swing:
    """One assumption: what comes out at both ends, and from which factor on the verdict is another one.

    Args:
        below, above: the nearest turns downwards and upwards; None where there is none within a factor 4.
        effect: the largest relative change of a figure, or of a budget's use, at either end.
    """

    knob: Knob
    low: End
    high: End
    below: Turn | None
    above: Turn | None
    effect: float
    base: Word

    @property
    def is_turning(self) -> bool:
        """Whether the verdict is another one at either end, or between them."""
        ends = {self.low.word, self.high.word} != {self.base}
        near = (self.below is not None and self.below.beyond >= self.low.factor) or (
            self.above is not None and self.above.beyond <= self.high.factor
        )
        return ends or near

    @property
    def is_first(self) -> bool:
        """Whether it is to be measured first: the verdict hangs on it, and it rests on little."""
        return self.is_turning and self.knob.confidence in WEAK


@dataclass(frozen=True, slots=True)
class Fragility:
    """How much the verdict hangs on each assumption.

    Args:
        swings: those that turn the verdict first, then by effect.
        fixed: what is not varied, with the reason.
    """

    model: ModelFacts
    target: TargetFacts
    conditions: Conditions
    by: float
    base: End
    swings: tuple[Swing, ...]
    fixed: tuple[Fixed, ...]


def fragility(
    graph: ModelGraph, target: Target, conditions: Conditions | None = None, *, by: float = BY
) -> Fragility:
    """Every assumption at 1 - by and 1 + by of its value, one at a time, and where the verdict turns.

    Raises:
        BudgetInvalid: `by` is not between 0 and 1.
    """
    if not (math.isfinite(by) and 0 < by < 1):
        raise _no_range(f"{by:g}")
    case = Case(graph, target, conditions or Conditions())
    ready = made_ready(graph, target)
    found = outcome(ready, target, case.conditions)
    knobs = all_knobs(Ground(case, ready, found))
    base = _end(1.0, found)
    swings = [_swing(knob, case, ready, base=base, by=by) for knob in knobs if isinstance(knob, Knob)]
    return Fragility(
        model_facts(graph, found.headline.macs), target_facts(target), case.conditions, by, base,
        tuple(sorted(swings, key=lambda swing: (not swing.is_turning, -swing.effect))),
        tuple(one for one in knobs if isinstance(one, Fixed)),
    )  # fmt: skip


def parse_by(text: str) -> float:
    """The fraction that "20%" or "0.2" states, above 0 and below 1.

    >>> parse_by("20%")
    0.2

    Raises:
        BudgetInvalid: it is none.
    """
    try:
        by = parse_fraction(text)
    except UnitInvalid:
        by = math.nan
    if not 0 < by < 1:
        raise _no_range(text[:40])
    return by


def _no_range(text: str) -> BudgetInvalid:
    fix = 'write it like "20%" or "0.2"'
    return BudgetInvalid(f"{text!r} is no part above 0 and below 1", where="--by", fix=fix)


def _swing(knob: Knob, case: Case, ready: Ready, *, base: End, by: float) -> Swing:
    known: dict[float, End] = {1.0: base}

    def end(factor: float) -> End:
        if factor not in known:
            varied = knob.turned(case, factor)
            known[factor] = _end(factor, outcome(_ready_for(varied, case, ready), *varied[1:]))
        return known[factor]

    low, high = end(1 - by), end(1 + by)
    below = turn_of(end, (1 - by, 1 / math.sqrt(FURTHEST), 1 / FURTHEST))
    above = turn_of(end, (1 + by, math.sqrt(FURTHEST), FURTHEST))
    effect = max(_effect(base, low), _effect(base, high))
    return Swing(knob, low, high, below, above, effect, base.word)


def _ready_for(varied: Case, case: Case, ready: Ready) -> Ready:
    """The plan holds unless it is the arena that is varied."""
    same = varied.target.what_if.arena == case.target.what_if.arena
    return ready if same else made_ready(varied.graph, varied.target)


def _end(factor: float, found: Outcome) -> End:
    line = found.headline
    figures = {
        "latency_s": line.latency_s, "energy_j": line.energy_j, "ram_bytes": line.ram_bytes,
        "flash_bytes": line.flash_bytes, "slack_s": line.cycle.slack_s,
        "battery_days": line.cycle.battery_days,
    }  # fmt: skip
    return End(factor, found.verdict, figures)


def filled(check: BudgetCheck) -> float | None:
    """need / budget; None where the need is unknown or nothing is left."""
    return None if check.need.value is None or check.budget <= 0 else check.need.value / check.budget


def _effect(base: End, end: End) -> float:
    """The largest |change| / value. Slack is left out: it may start next to zero; its budget is in."""
    pairs = [(base.figures[name].value, end.figures[name].value) for name in _EFFECTS]
    pairs += [
        (filled(before), filled(after))
        for before, after in zip(base.verdict.budgets, end.verdict.budgets, strict=True)
    ]
    changes = [abs(after / before - 1) for before, after in pairs if before and after is not None]
    return max(changes, default=0.0)
