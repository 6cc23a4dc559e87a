"""What does a study of fragility say: what turns the verdict, what moves the figures, what is not varied."""

from __future__ import annotations

from ..simulator.estimate import BudgetCheck, Verdict, Word
from ..simulator.fragility import End, Fragility, Swing, Turn
from . import format as shown
from .blocks import Block, Cell
from .gauges import LIMIT_LABELS, ROLE_LABELS

# figure -> (its name in a heading, its unit)
FIGURES = {
    "latency_s": ("latency", "s"), "energy_j": ("energy", "J"), "ram_bytes": ("RAM", "B"),
    "flash_bytes": ("flash", "B"), "slack_s": ("slack", "s"), "battery_days": ("battery", "d"),
}  # fmt: skip
FIRST = "measure this first"
_MOST_SENTENCES = 4
_SAME = 5e-4  # a smaller relative change is none
_LONGEST_NAME = 34


def fragility_blocks(found: Fragility) -> tuple[Block, ...]:
    """What turns the verdict, what each assumption moves, what moves nothing, what is not varied."""
    turning = [swing for swing in found.swings if swing.is_turning]
    return (
        _turning_block(found, turning),
        *_far_blocks(found),
        _effects_block(found),
        *_fixed_blocks(found),
    )


def by_words(found: Fragility) -> tuple[str, str]:
    """ "-20 %", "+20 %"."""
    amount = f"{100 * found.by:g} %"
    return f"-{amount}", f"+{amount}"


def lead(found: Fragility) -> str:
    low, high = by_words(found)
    return f"Each assumption at {low} and {high}, one at a time, everything else as assumed."


def verdict_line(verdict: Verdict) -> str:
    """Every budget in one sentence, the limiting one first; why the runtime refuses the model if it does."""
    if verdict.limiting == "runtime" or not verdict.budgets:
        return verdict.sentence
    first = sorted(verdict.budgets, key=lambda check: check.name != verdict.limiting)
    return "; ".join(_budget_words(check) for check in first)


def limit_words(name: str) -> str:
    """ "RAM in sram" of "ram:sram", "RAM limit", "latency"."""
    role, _, place = name.partition(":")
    label = (ROLE_LABELS | LIMIT_LABELS).get(role, role)
    return f"{label} in {place}" if place else label


def _budget_words(check: BudgetCheck) -> str:
    need = check.need
    if need.value is None:
        return f"{limit_words(check.name)} {shown.UNKNOWN} of {shown.amount(check.budget, check.unit)}"
    both = " of ".join(shown.need_of(need.value, check.budget, check.unit))
    high = "" if need.lo == need.hi else f" (p90 {shown.amount(need.hi, check.unit)})"
    return f"{limit_words(check.name)} {both}{high}"


def end_words(end: End) -> str:
    """ "NO: latency"; what fits limits nothing."""
    word = end.word
    return word.value if word is Word.FITS else f"{word.value}: {limit_words(end.verdict.limiting)}"


def assumed_words(swing: Swing) -> str:
    """ "120 MHz": the value as it is assumed."""
    knob = swing.knob
    return "" if knob.value is None else shown.amount(knob.value, knob.unit)


def turn_words(swing: Swing) -> str:
    """ "NO below x 0.825, TIGHT above x 1.08"."""
    sides = (("below", swing.below), ("above", swing.above))
    return ", ".join(f"{turn.word} {side} x {_factor(turn)}" for side, turn in sides if turn is not None)


def turn_sentence(swing: Swing, side: str, turn: Turn) -> str:
    """ "The verdict turns from FITS to NO (latency) when clock is below 0.83 of the assumed 120 MHz."."""
    assumed = assumed_words(swing)
    of = f" {assumed}" if assumed else ""
    limited = "" if turn.word is Word.FITS else f" ({limit_words(turn.limiting)})"
    return (
        f"The verdict turns from {swing.base} to {turn.word}{limited} when {swing.knob.name} is {side} "
        f"{_factor(turn)} of the {'given' if swing.knob.confidence == 'given' else 'assumed'}{of}."
    )


def change_words(swing: Swing, name: str, base: End) -> str | None:
    """ "-16.7 / +25.0 %" at the low and the high end; None where nothing changes or nothing is known."""
    before = base.figures[name].value
    ends = [end.figures[name].value for end in (swing.low, swing.high)]
    if before is None:
        return None
    if name == "slack_s":  # it may start next to zero: the change itself
        if all(end is not None and abs(end - before) < 1e-9 for end in ends):
            return None
        return " / ".join(_signed_s(None if end is None else end - before) for end in ends)
    if all(end is not None and abs(end - before) <= _SAME * abs(before) for end in ends):
        return None
    return " / ".join(_signed_percent(before, end) for end in ends) + " %"


def _signed_percent(before: float, end: float | None) -> str:
    if end is None or not before:
        return shown.UNKNOWN
    change = 100 * (end / before - 1)
    return f"{change:+.1f}" if abs(change) >= 0.05 else "0"


def _signed_s(change_s: float | None) -> str:
    return shown.UNKNOWN if change_s is None else f"{'+' if change_s > 0 else ''}{shown.seconds(change_s)}"


def _factor(turn: Turn) -> str:
    return f"{turn.beyond:.3g}"


def knob_words(swing: Swing) -> str:
    return shown.short(shown.clean(swing.knob.name), _LONGEST_NAME)


def _turning_block(found: Fragility, turning: list[Swing]) -> Block:
    low, high = by_words(found)
    title = "What turns the verdict"
    if not turning:
        within = f"No single assumption turns the verdict {found.base.word} within {low} and {high}."
        return Block(title, (within,))
    rows: list[tuple[Cell, ...]] = [
        (knob_words(s), assumed_words(s), end_words(s.low), end_words(s.high), turn_words(s),
         s.knob.confidence, FIRST if s.is_first else "")
        for s in turning
    ]  # fmt: skip
    columns = ("assumption", "as assumed", low, high, f"{found.base.word} turns to", "known as", "")
    return Block(title, (), columns, tuple(rows), tuple(_sentences(turning)))


def _sentences(turning: list[Swing]) -> list[str]:
    """The nearest turns in words, then what is to be measured and where its figure comes from."""
    sides = [
        (abs(1 - turn.beyond), turn_sentence(swing, side, turn))
        for swing in turning
        for side, turn in (("below", swing.below), ("above", swing.above))
        if turn is not None
    ]
    nearest = [sentence for _, sentence in sorted(sides, key=lambda pair: pair[0])[:_MOST_SENTENCES]]
    notes = [f"{shown.clean(s.knob.name)}: {s.knob.note}." for s in turning if s.knob.note]
    first = [
        f"Measure first: {shown.clean(s.knob.name)} ({s.knob.confidence}): {shown.short(s.knob.source, 160)}"
        for s in turning
        if s.is_first
    ]
    return nearest + notes + first


def _far_blocks(found: Fragility) -> tuple[Block, ...]:
    """What turns the verdict only further off than it was varied."""
    far = [s for s in found.swings if not s.is_turning and (s.below or s.above)]
    if not far:
        return ()
    rows = tuple((knob_words(s), assumed_words(s), turn_words(s), s.knob.confidence) for s in far)
    columns = ("assumption", "as assumed", f"{found.base.word} turns to", "known as")
    return (Block("What turns it further off, up to a factor 4", (), columns, rows),)


def _effects_block(found: Fragility) -> Block:
    """Per assumption the change of every figure; those that change none in one sentence."""
    changes = [(s, [change_words(s, name, found.base) for name in FIGURES]) for s in found.swings]
    moved = [(s, cells) for s, cells in changes if any(cells)]
    seen = [n for n in range(len(FIGURES)) if any(cells[n] for _, cells in moved)]
    heads = [head for head, _ in FIGURES.values()]
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (knob_words(s), *(cells[n] or "" for n in seen), s.knob.confidence) for s, cells in moved
    )
    columns = ("assumption", *(heads[n] for n in seen), "known as")
    still = [knob_words(s) for s, cells in changes if not any(cells)]
    notes = [f"No figure changes with {', '.join(still)}: they change budgets at most."] if still else []
    lost = [
        f"{heads[n]} unknown: {found.base.figures[name].reason}"
        for n, name in enumerate(FIGURES)
        if found.base.figures[name].value is None
    ]
    notes += [note for note in lost if "was given" not in note]
    low, high = by_words(found)
    return Block(f"What moves the figures, at {low} / {high}", (), columns, rows, tuple(notes))


def _fixed_blocks(found: Fragility) -> tuple[Block, ...]:
    if not found.fixed:
        return ()
    lines = tuple(f"{one.name}: {one.reason}" for one in found.fixed)
    return (Block("Not varied", lines),)
