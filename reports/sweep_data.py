"""What does a sweep say, block by block: answers, the front, what matters, budgets, failures, method."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..simulator.sweep.study.answers import Answer
from ..simulator.sweep.study.effects import Effect
from ..simulator.sweep.study.ladder import Stairs
from ..simulator.sweep.study.summary import Summary
from ..simulator.sweep.table import WORDS
from . import format as shown
from .blocks import Block, Cell
from .sweep_front import front_block, point_row
from .sweep_method import method_block
from .sweep_words import (
    HEADS,
    amount,
    figure_names,
    figure_text,
    spread_text,
    told_apart,
    variant_label,
)

_MOST_ROWS = 12
_PERIOD = "period"
_MEANING = {
    "FITS": "fits", "TIGHT": "fits with little left", "RISKY": "may not fit", "UNKNOWN": "cannot be said",
    "NO": "does not fit", "ERROR": "failed",
}  # fmt: skip


def sweep_blocks(summary: Summary) -> tuple[Block, ...]:
    """Every block that has something to say, in reading order."""
    made = (make(summary) for make in _BLOCKS)
    return tuple(block for block in made if block is not None)


def counts(summary: Summary) -> tuple[tuple[str, str, int], ...]:
    """(word, meaning, points) of every word that occurs."""
    pairs = zip(WORDS, summary.words, strict=True)
    return tuple((word, _MEANING[word], count) for word, count in pairs if count)


def counts_sentence(summary: Summary) -> str:
    """How many points there are, and how many fit, do not, are unknown, failed."""
    said = ", ".join(f"{count:,} {meaning}" for _, meaning, count in counts(summary))
    left = unfinished(summary)
    more = f" {left:,} points of the grid are not finished yet." if left else ""
    return f"{len(summary.table):,} points: {said or 'none is finished'}.{more}"


def unfinished(summary: Summary) -> int:
    """Points of the grid that the store does not have yet."""
    planned = summary.table.facts.get("points", "")
    return max(0, int(planned) - len(summary.table)) if planned.isdecimal() else 0


def limits_sentence(summary: Summary) -> str:
    """The limits that the scenario states."""
    limits = summary.table.limits
    said = [f"{HEADS.get(name, _PERIOD)} {_limit(name, value)}" for name, value in limits.items()]
    return f"Limits: {', '.join(said)}." if said else "No limits were stated but the devices' own."


def _limit(name: str, value: float) -> str:
    if name == "accuracy":
        return f"at least {shown.percent(value)}"
    return f"at most {amount(name, value) if name in HEADS else shown.seconds(value)}"


def _question(summary: Summary) -> Block:
    facts = summary.table.facts
    return Block(
        facts.get("question") or "Which variant runs on which device?",
        (counts_sentence(summary), limits_sentence(summary)),
    )


_MOST_DEVICES, _FEWEST_MISSES = 20, 5


def answers_block(summary: Summary) -> Block | None:
    """A row per device and goal; of devices without an answer those that come closest."""
    good = [answer for answer in summary.answers if answer.best]
    missed = [answer for answer in summary.answers if not answer.best]
    listed = [*good, *missed[: max(_FEWEST_MISSES, _MOST_DEVICES - len(good))]]
    rows = [row for answer in listed for row in _answer_rows(summary, answer)]
    names, left = figure_names(summary.table), len(summary.answers) - len(listed)
    columns = ("device", "fit", "goal", "variant", "on", *(HEADS[name] for name in names), "verdict")
    notes = (
        (f"{left:,} more devices without an answer are in the page, the JSON and the CSV.",) if left else ()
    )
    return Block("What answers it on each device", (), columns, tuple(rows), notes) if rows else None


def _answer_rows(summary: Summary, answer: Answer) -> Iterator[tuple[Cell, ...]]:
    names = figure_names(summary.table)
    fit = f"{answer.fitting:,} of {answer.points:,}"
    goals: dict[int, list[str]] = {}
    for best in answer.best:
        goals.setdefault(best.point, []).append(best.goal)
    for place, (point, reached) in enumerate(goals.items()):
        first = (answer.device, fit) if place == 0 else ("", "")
        yield point_row(summary, point, (*first, ", ".join(reached)), names)
    if answer.miss is not None:
        yield point_row(summary, answer.miss.point, (answer.device, fit, miss_text(answer)), names)
    if not answer.points:
        nothing = ("",) * (len(names) + 1)
        yield (answer.device, fit, "no point is finished", "", "", *nothing)


def miss_text(answer: Answer) -> str:
    """What keeps the closest miss from fitting; a share of its budget only where that says why."""
    miss = answer.miss
    if miss is None:
        return ""
    what = miss.limiting or miss.word
    if miss.word == "UNKNOWN" and miss.limiting:
        return f"none; closest: {what} is unknown"
    if miss.over is None:
        return f"none; closest: {what}"
    of = "the errors allowed" if what == "accuracy" else "its budget"
    may_be = "may be over: " if miss.word == "RISKY" and miss.over <= 1 else "closest: "
    share = f"{miss.over:.3g}" if miss.over < 1000 else f"{miss.over:,.0f}"
    return f"none; {may_be}{what} (×{share} of {of})"


def effects_block(summary: Summary) -> Block | None:
    """Per axis the share of each figure's variance, and the levels at both ends of the first figure."""
    if not summary.effects:
        return None
    order = {effect.axis: place for place, effect in enumerate(_first(summary))}
    shares = [{effect.axis: effect.share for effect in made} for made in summary.effects]
    columns = ("axis", *(f"of {HEADS[made[0].figure]}" for made in summary.effects), "lowest", "highest")
    by_axis = {effect.axis: effect for effect in _first(summary)}
    rows = tuple(
        (axis, *(shown.percent(share.get(axis)) for share in shares), *_ends(by_axis[axis])) for axis in order
    )
    head = HEADS[_first(summary)[0].figure]
    sentence = (
        "Share of the variance that an axis explains by itself (of logarithms; accuracy as it is). Axes that "
        f"go together share it, so a column can add up to more than 100 %. Lowest and highest: of {head}."
    )
    return Block("What matters", (sentence,), columns, rows)


def _first(summary: Summary) -> tuple[Effect, ...]:
    """The effects that are shown level by level: on latency, else on the first figure that has any."""
    found = summary.effects
    return next((made for made in found if made[0].figure == "latency_s"), found[0])


def _ends(effect: Effect) -> tuple[str, str]:
    known = sorted((level.effect, level.name) for level in effect.levels if level.effect is not None)
    if not known:
        return "", ""
    low, high = (f"{name} ({effect_text(effect.figure, value)})" for value, name in (known[0], known[-1]))
    return low, high


def effect_text(figure: str, value: float | None) -> str:
    """An effect as a reader says it.

    >>> effect_text("latency_s", 0.714), effect_text("accuracy", -0.0123)
    ('×0.714', '-1.2 points')
    """
    if value is None:
        return shown.UNKNOWN
    return f"{value * 100:+.1f} points" if figure == "accuracy" else f"×{value:.3g}"


_LADDER = "What a RAM budget buys"


def ladder_block(summary: Summary) -> Block | None:
    """Per model, or for all, from which budget on what can be had."""
    if not summary.ladder:
        return None if summary.suitable else Block(_LADDER, ("Nothing answers the question on any board.",))
    table, several = summary.table, len(summary.ladder) > 1
    each = summary.ladder[1:] if several else summary.ladder
    least = [_least(summary, stairs) for stairs in each]
    rows: list[tuple[Cell, ...]] = []
    for stairs in each:
        steps = stairs.steps
        kept = steps if len(steps) <= _MOST_ROWS else (*steps[: _MOST_ROWS - 1], steps[-1])
        needs = told_apart("ram_bytes", [step.need_bytes for step in kept])
        for step, need in zip(kept, needs, strict=True):
            figure, name = amount(stairs.goal[0], step.value), stairs.model or _only_model(summary)
            rows.append((name, need, figure, variant_label(table, step.point)))
    goal = "best accuracy" if summary.ladder[0].goal[0] == "accuracy" else "lowest latency"
    sentence = f"From how much RAM on which {goal} can be had, by what answers the question on some board."
    fits = f"Fits at all: {', '.join(least[:_MOST_ROWS])}{' …' if len(least) > _MOST_ROWS else ''}."
    return Block(_LADDER, (sentence, fits), ("model", "from", goal, "with"), tuple(rows))


def _least(summary: Summary, stairs: Stairs) -> str:
    first = stairs.steps[0]
    row = summary.table.variants[summary.table.variant[first.point]]
    said = f"{stairs.model or _only_model(summary)} from {shown.memory(first.need_bytes)}"
    return f"{said} (untrained)" if row.retrain else said


def _only_model(summary: Summary) -> str:
    return summary.table.variants[0].model


def curves_block(summary: Summary) -> Block | None:
    """Per family its best points by flash, accuracy with its interval."""
    if not summary.curves:
        return None
    cost, made = summary.curves[0]
    table = summary.table
    rows = tuple(
        (curve.model, curve.family, curve.of, figure_text(table, cost, point),
         figure_text(table, "accuracy", point), spread_text(table, "accuracy", point),
         variant_label(table, point))
        for curve in made for point in dict.fromkeys((curve.points[0], curve.points[-1]))
    )  # fmt: skip
    columns = ("model", "family", "points", HEADS[cost], "accuracy", "interval", "variant")
    return Block("What each kind of compression gives up", ("Both ends of each curve.",), columns, rows)


_LONGEST_WHY, _LONGEST_NAME = 120, 52


def failures_block(summary: Summary) -> Block | None:
    """Reasons with counts and an example; last, in any case, what is unknown but not limited."""
    aside = [f for f in summary.failures if f.kind == "not limited"]
    listed = [f for f in summary.failures if f not in aside][: 2 * _MOST_ROWS - len(aside)] + aside
    rows = tuple(
        (f.kind, f.count, shown.short(f.reason, _LONGEST_WHY), _example(f.names[0] if f.names else ""))
        for f in listed
    )
    more = len(summary.failures) - len(listed)
    notes = (f"{more:,} more reasons are in the JSON.",) if more > 0 else ()
    columns = ("what", "times", "why", "for example")
    return Block("Failures and unknowns", (), columns, rows, notes) if rows else None


def _example(name: str) -> str:
    """A variant, or a variant on a target; both keep their ends."""
    return " on ".join(shown.short(part, _LONGEST_NAME) for part in name.rsplit(" on ", 1))


_BLOCKS: tuple[Callable[[Summary], Block | None], ...] = (
    _question, answers_block, front_block, effects_block, ladder_block, curves_block, failures_block,
    method_block,
)  # fmt: skip
