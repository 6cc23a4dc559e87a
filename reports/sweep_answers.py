"""How are the answers laid out: a row per device, a column per goal."""

from __future__ import annotations

from dataclasses import dataclass

from ..simulator.sweep.study.answers import ASKED_FOR, GOALS, Answer
from ..simulator.sweep.study.summary import Summary
from ..simulator.sweep.table import WORDS
from .format import clean, short
from .sweep_data import miss_text
from .sweep_words import figure_text, target_label, variant_label


@dataclass(frozen=True, slots=True)
class AnswerCell:
    """The best point for a goal: its figure, who it is, its number in the store's order."""

    figure: str
    variant: str
    target: str
    word: str
    point: int


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One device; None where no point has the goal's figure."""

    device: str
    fitting: str
    is_answered: bool
    cells: tuple[AnswerCell | None, ...]
    miss: AnswerCell | None


@dataclass(frozen=True, slots=True)
class AnswerTable:
    goals: tuple[str, ...]
    rows: tuple[AnswerRow, ...]


def answer_rows(summary: Summary) -> AnswerTable:
    """All devices; goals that no device has an answer to are left out."""
    figure_of = {goal: figure for goal, figure, _ in GOALS}
    if summary.table.objectives:
        figure_of = {ASKED_FOR: summary.table.objectives[0][0], **figure_of}
    reached = {best.goal for answer in summary.answers for best in answer.best}
    goals = [goal for goal in figure_of if goal in reached and not _repeats(summary, goal)]
    return AnswerTable(
        tuple(goals), tuple(_row(summary, answer, goals, figure_of) for answer in summary.answers)
    )


def _repeats(summary: Summary, goal: str) -> bool:
    """Whether what was asked for is, on every device, what the figure's own goal has found."""
    if goal != ASKED_FOR:
        return False
    figure, way = summary.table.objectives[0]
    same = next((name for name, *by in GOALS if by == [figure, way]), "")
    found = [{best.goal: best.point for best in answer.best} for answer in summary.answers if answer.best]
    return bool(same) and all(points.get(goal) == points.get(same) for points in found)


def _row(summary: Summary, answer: Answer, goals: list[str], figure_of: dict[str, str]) -> AnswerRow:
    points = {best.goal: best.point for best in answer.best}
    cells = tuple(
        _cell(summary, points[goal], figure_text(summary.table, figure_of[goal], points[goal]))
        if goal in points else None
        for goal in goals
    )  # fmt: skip
    miss = None if answer.miss is None else _cell(summary, answer.miss.point, miss_text(answer))
    fitting = f"{answer.fitting:,} of {answer.points:,}"
    return AnswerRow(clean(answer.device), fitting, bool(answer.best), cells, miss)


def _cell(summary: Summary, point: int, figure: str) -> AnswerCell:
    table = summary.table
    on = target_label(table, point).removeprefix(table.targets[table.target[point]].device).strip()
    variant = short(clean(variant_label(table, point)), 90)
    return AnswerCell(clean(figure), variant, short(clean(on), 60), WORDS[table.word[point]], point)
