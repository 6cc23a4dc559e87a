"""What does no other point beat: said in a sentence, listed, equal ones together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..simulator.columns import Floats, Rows
from ..simulator.sweep.study.summary import Summary
from ..simulator.sweep.table import WORDS, SweepTable
from .blocks import Block, Cell
from .sweep_words import HEADS, figure_names, figure_text, target_label, variant_label

_MOST_ROWS = 12


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
    table, names = summary.table, figure_names(summary.table)
    groups = alike(table, best.best, [table.figures[name].value for name, _ in best.axes])
    has_ties = any(len(group) > 1 for group in groups[:_MOST_ROWS])
    rows = tuple(
        (*point_row(summary, group[0], (), names), *((more_alike(group),) if has_ties else ()))
        for group in groups[:_MOST_ROWS]
    )
    more = sum(map(len, groups[_MOST_ROWS:]))
    notes = (f"{more:,} more in the page, in JSON and in the store.",) if more > 0 else ()
    columns = ("variant", "on", *(HEADS[name] for name in names), "verdict", *(("ties",) if has_ties else ()))
    return Block("What no other beats", (front_sentence(summary),), columns if rows else (), rows, notes)


def alike(table: SweepTable, points: Rows, columns: Sequence[Floats]) -> list[list[int]]:
    """These points, those together that are equal in all columns and in their verdict; nan equals nan."""
    groups: dict[tuple[float, ...], list[int]] = {}
    named = [np.where(np.isnan(column[points]), -1.0, column[points]).tolist() for column in columns]
    for point, *key in zip(points.tolist(), table.word[points].tolist(), *named, strict=True):
        groups.setdefault(tuple(key), []).append(point)
    return list(groups.values())


def more_alike(group: Sequence[int]) -> str:
    """How many stand behind the first; "" if none."""
    return f"and {len(group) - 1:,} more alike" if len(group) > 1 else ""


def point_row(
    summary: Summary, point: int, first: tuple[str, ...], names: tuple[str, ...]
) -> tuple[Cell, ...]:
    """What was asked first, then who it is, its figures, its verdict."""
    table = summary.table
    figures = tuple(figure_text(table, name, point) for name in names)
    own = table.targets[table.target[point]].device if first else ""
    where = (variant_label(table, point), target_label(table, point).removeprefix(own).strip())
    return (*first, *where, *figures, WORDS[table.word[point]])
