"""What does a report say of one period: every line with time and energy, then power, battery and slack."""

from __future__ import annotations

from ..simulator.estimate import DutyCycle, Estimate, Interval, Line
from . import format as shown
from .blocks import Block, Cell

TITLE = "One period"
_COLUMNS = ("what", "core", "time", "p10–p90", "energy", "p10–p90", "known as", "source")
_ORDER = {"pre": "before", "inference": "", "post": "after", "sleep": ""}


def duty_blocks(estimate: Estimate) -> tuple[Block, ...]:
    """The period as a table; none where neither deadline, steps, period nor battery were given."""
    if estimate.cycle is None:
        return ()
    return (Block(TITLE, _sentences(estimate), _COLUMNS, tuple(_row(line) for line in estimate.cycle.lines)),)


def _sentences(estimate: Estimate) -> tuple[str, ...]:
    """What was asked, and what it comes to, in a sentence each."""
    cycle, given = estimate.cycle, estimate.conditions
    assert cycle is not None
    said = []
    if given.deadline_s is not None:
        said.append(
            f"Slack to the deadline of {shown.seconds(given.deadline_s)}: {_said(cycle.slack_s, 's')} "
            f"(response time {_said(cycle.response_s, 's')})."
        )
    if given.duty.period_s is not None:
        said += _period_sentences(cycle, given.duty.period_s)
    if given.duty.battery is not None:
        held = shown.joules(given.duty.battery.nominal_j)
        said.append(f"Life on a battery of {held} (nominal): {_said(cycle.battery_days, 'd')}.")
    return tuple(said)


def _period_sentences(cycle: DutyCycle, period_s: float) -> list[str]:
    load = f"Every {shown.seconds(period_s)}: the core works {_said(cycle.cpu_load, '1')} of the time."
    said = [load, f"Average power: {_said(cycle.average_w, 'W')}."]
    if cycle.period_j.value is not None:
        said[1] = f"{said[1][:-1]}; energy of a period: {_said(cycle.period_j, 'J')}."
    if cycle.crossover_s.value is not None:
        at = _said(cycle.crossover_s, "s")
        said.append(f"Sleep takes as much as everything else at a period of {at}.")
    return said


def _said(figure: Interval, unit: str) -> str:
    """ "57.4 ms (47.4–81.2 ms)", or the bound and why there is no more."""
    if figure.value is None:
        return f"{shown.UNKNOWN}{shown.bound_words(figure.lo, figure.hi, unit)}: {figure.reason}"
    value = shown.amount(figure.value, unit)
    return value if figure.lo == figure.hi else f"{value} ({shown.interval(figure.lo, figure.hi, unit)})"


def _row(line: Line) -> tuple[Cell, ...]:
    basis = line.energy_j.basis if line.when == "sleep" else line.time_s.basis
    order = f", {_ORDER[line.when]}" if _ORDER[line.when] else ""
    figure = line.energy_j if line.when == "sleep" else line.time_s
    return (
        f"{line.name}{order}", "asleep" if line.core == "sleep" else "works", *_cells(line.time_s, "s"),
        *_cells(line.energy_j, "J"), basis.value, figure.reason or figure.source,
    )  # fmt: skip


def _cells(figure: Interval, unit: str) -> tuple[str, str]:
    """Value and spread; what is left of an unknown figure stands for the value."""
    if figure.value is None:
        return shown.bounds(figure.lo, figure.hi, unit), ""
    spread = "" if figure.lo == figure.hi else shown.interval(figure.lo, figure.hi, unit)
    return shown.amount(figure.value, unit), spread
