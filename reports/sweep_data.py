"""What does a sweep say, block by block: answers, the front, what matters, budgets, failures, method."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..simulator.sweep.study.answers import Answer
from ..simulator.sweep.study.effects import Effect
from ..simulator.sweep.study.summary import Summary
from ..simulator.sweep.table import WORDS
from . import format as shown
from .blocks import Block, Cell
from .sweep_method import method_block
from .sweep_words import (
    HEADS,
    amount,
    figure_names,
    figure_text,
    spread_text,
    target_label,
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
        yield _point_row(summary, point, (*first, ", ".join(reached)), names)
    if answer.miss is not None:
        yield _point_row(summary, answer.miss.point, (answer.device, fit, miss_text(answer)), names)
    if not answer.points:
        nothing = ("",) * (len(names) + 1)
        yield (answer.device, fit, "no point is finished", "", "", *nothing)


def miss_text(answer: Answer) -> str:
    """What keeps the closest miss from fitting."""
    if answer.miss is None:
        return ""
    by = f" (×{answer.miss.over:.3g} of its budget)" if answer.miss.over is not None else ""
    return f"none; closest: {answer.miss.limiting or answer.miss.word}{by}"


def _point_row(
    summary: Summary, point: int, first: tuple[str, ...], names: tuple[str, ...]
) -> tuple[Cell, ...]:
    table = summary.table
    figures = tuple(figure_text(table, name, point) for name in names)
    own = table.targets[table.target[point]].device if first else ""
    where = (variant_label(table, point), target_label(table, point).removeprefix(own).strip())
    return (*first, *where, *figures, WORDS[table.word[point]])


def front_sentence(summary: Summary) -> str:
    """What the front was taken from, and by what."""
    best = summary.front
    if best is None:
        return "No figure is known of any point, so none can be compared."
    if not best.compared:
        return "No point that answers the question has all of these figures, so there is nothing to compare."
    by = ", ".join(f"{'more' if way == 'max' else 'less'} {HEADS[name]}" for name, way in best.axes)
    worse = summary.clearly_worse
    within = best.compared - len(best.best) - worse
    left = f" {best.unknown:,} were left out: a figure is unknown." if best.unknown else ""
    return (
        f"Of {best.compared:,} points that answer the question, no other beats {len(best.best):,} by {by}. "
        f"{worse:,} are worse beyond the error, {max(0, within):,} within it.{left}"
    )


def front_block(summary: Summary) -> Block | None:
    """The first points of the front."""
    best = summary.front
    if best is None:
        return None
    names = figure_names(summary.table)
    rows = tuple(_point_row(summary, int(point), (), names) for point in best.best[:_MOST_ROWS])
    more = len(best.best) - len(rows)
    notes = (f"{more:,} more in the page, in JSON and in the store.",) if more > 0 else ()
    columns = ("variant", "on", *(HEADS[name] for name in names), "verdict")
    return Block("What no other beats", (front_sentence(summary),), columns if rows else (), rows, notes)


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


def ladder_block(summary: Summary) -> Block | None:
    """Per model, or for all, from which budget on what can be had."""
    if not summary.ladder:
        return None
    several = len(summary.ladder) > 1
    each = summary.ladder[1:] if several else summary.ladder
    least = [
        f"{stairs.model or _only_model(summary)} from {shown.memory(stairs.steps[0].need_bytes)}"
        for stairs in each
    ]
    rows: list[tuple[Cell, ...]] = []
    for stairs in each:
        steps = stairs.steps
        kept = steps if len(steps) <= _MOST_ROWS else (*steps[: _MOST_ROWS - 1], steps[-1])
        needs = told_apart("ram_bytes", [step.need_bytes for step in kept])
        for step, need in zip(kept, needs, strict=True):
            figure, name = amount(stairs.goal[0], step.value), stairs.model or _only_model(summary)
            rows.append((name, need, figure, variant_label(summary.table, step.point)))
    goal = "best accuracy" if summary.ladder[0].goal[0] == "accuracy" else "lowest latency"
    sentence = f"From how much RAM on which {goal} can be had, on any device; flash and time still decide."
    fits = f"Fits at all: {', '.join(least[:_MOST_ROWS])}{' …' if len(least) > _MOST_ROWS else ''}."
    return Block("What a RAM budget buys", (sentence, fits), ("model", "from", goal, "with"), tuple(rows))


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


def failures_block(summary: Summary) -> Block | None:
    """Reasons with counts and an example."""
    rows = tuple((f.kind, f.count, f.reason, f.names[0] if f.names else "") for f in summary.failures)
    more = len(rows) - 2 * _MOST_ROWS
    notes = (f"{more:,} more reasons are in the JSON.",) if more > 0 else ()
    columns = ("what", "times", "why", "for example")
    return Block("Failures and unknowns", (), columns, rows[: 2 * _MOST_ROWS], notes) if rows else None


_BLOCKS: tuple[Callable[[Summary], Block | None], ...] = (
    _question, answers_block, front_block, effects_block, ladder_block, curves_block, failures_block,
    method_block,
)  # fmt: skip
