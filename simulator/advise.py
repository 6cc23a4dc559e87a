"""What does a person want to know beside the verdict? How good the plan is, and what needs less RAM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..devices.target import Target
from ..graphs.ir import ModelGraph
from .arena import Option, Rung
from .estimate import Conditions, Estimate, Finding, Severity, Word, most_urgent_first
from .memory.ladder import AS_IT_IS, ladder
from .memory.optimum import QUICK_MOST_BUFFERS, quick_optimum
from .simulate import simulate

_WORTH_NAMING = 0.05  # a plan this much above the best known is worth a line
_SHORT = (Word.NO, Word.RISKY, Word.TIGHT)


def check(graph: ModelGraph, target: Target, conditions: Conditions | None = None) -> Estimate:
    """`simulate`, with the best layout that quick planners know and the ladder of smaller arenas.

    Beyond QUICK_MOST_BUFFERS buffers neither is looked for: `preflash plan` takes its time.
    """
    estimate = simulate(graph, target, conditions)
    plan = estimate.plan
    if plan is None or plan.taken is not None or len(plan.buffers) > QUICK_MOST_BUFFERS:
        return estimate
    advised = replace(estimate, optimum=quick_optimum(plan), ladder=ladder(graph, target))
    found = (*_fitting_finding(advised, target), *estimate.findings, *_plan_finding(advised))
    return replace(advised, findings=most_urgent_first(found))


def _plan_finding(estimate: Estimate) -> tuple[Finding, ...]:
    """The runtime's plan is well above one that is known."""
    plan, best = estimate.plan, estimate.optimum
    if plan is None or best is None or plan.head_bytes <= (1 + _WORTH_NAMING) * best.extent_bytes:
        return ()
    over = plan.head_bytes / best.extent_bytes - 1
    text = (
        f"{estimate.target.runtime}'s plan of {plan.head_bytes:,} B is {100 * over:.0f} % above another "
        f"layout of the same buffers, with {best.extent_bytes:,} B"
    )
    fix = f"preflash plan MODEL -d {estimate.target.device} --offline-plan -o OUT.tflite"
    return (Finding("PF210", Severity.INFO, text, fix=fix),)


def _fitting_finding(estimate: Estimate, target: Target) -> tuple[Finding, ...]:
    """RAM is short, and a measure of the ladder would give the verdict FITS."""
    home = target.device.home_of("arena").name
    check_ = next((b for b in estimate.verdict.budgets if b.name == f"ram:{home}"), None)
    if check_ is None or check_.word not in _SHORT or estimate.plan is None or check_.need.hi is None:
        return ()
    beside = check_.need.hi - estimate.plan.min_bytes
    room = check_.budget * (1 - estimate.conditions.tight_headroom) - beside
    others = (o for o in _options(estimate.ladder) if o.label != AS_IT_IS)
    option = next((o for o in others if o.arena_bytes <= room), None)
    if option is None:
        return ()
    text = f"RAM would fit with {option.label}: {option.arena_bytes:,} B of arena; cost: {option.cost}"
    fix = f"{option.executed_by} executes it; preflash plan shows all ways"
    return (Finding("PF211", Severity.INFO, text, fix=fix),)


def _options(rungs: Sequence[Rung]) -> tuple[Option, ...]:
    """Every measure once, the cheapest first."""
    return tuple(dict.fromkeys(option for rung in rungs for option in rung.options))
