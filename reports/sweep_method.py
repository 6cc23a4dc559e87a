"""What does a sweep rest on: what was varied, how its figures are known, what was left out."""

from __future__ import annotations

import json
import shlex

from ..simulator.sweep.study.summary import Summary
from . import format as shown
from .blocks import Block, Cell
from .sweep_words import HEADS, figure_names

_MOST_ROWS = 12


def method_block(summary: Summary) -> Block:
    """What was varied, what it depends on, what is left out."""
    table, facts = summary.table, summary.table.facts
    rows: list[tuple[Cell, ...]] = [
        (f"{axis.name} ({axis.side})", len(axis.levels), ", ".join(axis.levels[:_MOST_ROWS])
         + (" …" if len(axis.levels) > _MOST_ROWS else ""))
        for axis in summary.axes
    ]  # fmt: skip
    said = [
        f"Grid: {_many(facts.get('variants'), len(table.variants))} variants on "
        f"{_many(facts.get('targets'), len(table.targets))} targets, "
        f"{_many(facts.get('points'), len(table))} points; {len(table):,} are finished."
    ]
    if not summary.is_whole:
        said.append(
            f"Of {len(table):,} points {len(summary.shown):,} are given here one by one: the front, the "
            "best of each figure, answers and examples. "
            f"All are in the store: {facts.get('store') or 'not named'}."
        )
    known = [
        f"{HEADS[figure]} {', '.join(f'{name} {count:,}' for name, count in counts)}"
        for figure, counts in summary.bases if figure in figure_names(table)
    ]  # fmt: skip
    said += [f"How the figures are known: {'; '.join(known)}."] if known else []
    said += _left_out(facts.get("left_out", ""))
    return Block("Axes and method", tuple(said), ("axis", "levels", "which"), tuple(rows))


def again(summary: Summary, command: str) -> str:
    """The command line that says all this once more: from the store, which is there now."""
    store = summary.table.facts.get("store", "")
    return shown.clean(f"preflash report {shlex.quote(store)} -o report.html" if store else command)


def _left_out(said: str) -> list[str]:
    """What never was in the grid, as the store states it: {"reason": combinations}."""
    try:
        found = json.loads(said or "{}")
    except ValueError:
        return []
    if not isinstance(found, dict) or not found:
        return []
    reasons = "; ".join(f"{reason} ({count})" for reason, count in list(found.items())[:_MOST_ROWS])
    return [f"Left out of the grid: {reasons}."]


def _many(said: str | None, else_: int) -> str:
    return f"{int(said):,}" if said and said.isdecimal() else f"{else_:,}"
