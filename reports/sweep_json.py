"""How is a sweep written as JSON: `preflash/sweep/1`, tables as columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import __version__
from ..simulator.interval import BY_WEAKNESS
from ..simulator.sweep.study.density import CELLS
from ..simulator.sweep.study.effects import Effect
from ..simulator.sweep.study.ladder import Stairs
from ..simulator.sweep.study.summary import Summary
from ..simulator.sweep.table import UNITS, WORDS
from .data import dump, number
from .format import clean
from .sweep_columns import axis_codes, packed, point_columns, target_columns, variant_columns

SCHEMA_ID = "preflash/sweep/1"
_MOST_FRONT = 5_000


def render_sweep_json(summary: Summary, *, command: str = "", created: str = "") -> str:
    """The sweep as strict JSON; points beyond what a page carries are left to the store."""
    return dump(sweep_document(summary, command=command, created=created))


def sweep_document(summary: Summary, *, command: str, created: str) -> dict[str, Any]:
    """The sweep as plain dicts and lists; a "point" is its number in the store's order."""
    table = summary.table
    return {
        "schema": SCHEMA_ID,
        "tool": {"name": "preflash", "version": __version__},
        "created": created,
        "command": command,
        "sweep": {clean(key): clean(value) for key, value in table.facts.items()},
        "limits": {name: number(value) for name, value in table.limits.items()},
        "objectives": [list(goal) for goal in table.objectives],
        **_legend(summary),
        "answers": _answers(summary),
        "front": _front(summary),
        "effects": [_effect(effect) for made in summary.effects for effect in made],
        "together": _together(summary),
        "ladder": [_stairs(stairs) for stairs in summary.ladder],
        "curves": [
            {"cost": cost, "model": clean(c.model), "family": c.family, "target": c.target,
             "points": list(c.points), "of": c.of}
            for cost, made in summary.curves for c in made
        ],
        "feasibility": _matrix(summary),
        "failures": [
            {"kind": f.kind, "reason": clean(f.reason), "count": f.count, "points": list(f.examples),
             "names": [clean(name) for name in f.names]}
            for f in summary.failures
        ],
        "scales": [{"figure": s.figure, "lo": s.lo, "hi": s.hi, "is_log": s.is_log} for s in summary.scales],
        "densities": [_density(summary, place) for place in range(len(summary.densities))],
        "axes": axis_codes(summary),
        "variants": variant_columns(summary),
        "targets": target_columns(summary),
        "points": point_columns(summary),
    }  # fmt: skip


def _legend(summary: Summary) -> dict[str, Any]:
    """What the codes of the columns stand for, and how many points there are."""
    table = summary.table
    return {
        "words": list(WORDS),
        "bases": [basis.value for basis in BY_WEAKNESS],
        "units": UNITS,
        "limiting": [clean(name) for name in table.limits_named],
        "counts": {
            "points": len(table), "given": len(summary.shown), "suitable": summary.suitable,
            "words": dict(zip(WORDS, summary.words, strict=True)),
        },
    }  # fmt: skip


def _answers(summary: Summary) -> list[dict[str, Any]]:
    return [
        {
            "device": clean(a.device), "points": a.points, "fitting": a.fitting,
            "best": [{"goal": b.goal, "point": b.point} for b in a.best],
            "miss": None if a.miss is None else {
                "point": a.miss.point, "word": a.miss.word, "limiting": clean(a.miss.limiting),
                "over": number(a.miss.over),
            },
        }
        for a in summary.answers
    ]  # fmt: skip


def _front(summary: Summary) -> dict[str, Any] | None:
    best = summary.front
    if best is None:
        return None
    return {
        "axes": [list(goal) for goal in best.axes], "points": best.best[:_MOST_FRONT].tolist(),
        "count": len(best.best), "compared": best.compared, "unknown": best.unknown,
        "clearly_worse": summary.clearly_worse,
    }  # fmt: skip


def _effect(effect: Effect) -> dict[str, Any]:
    levels = [
        {"name": clean(level.name), "points": level.points, "effect": number(level.effect),
         "fits": level.fits}
        for level in effect.levels[:_MOST_LEVELS]
    ]  # fmt: skip
    return {"axis": clean(effect.axis), "figure": effect.figure, "share": effect.share, "levels": levels,
            "level_count": len(effect.levels)}  # fmt: skip


_MOST_LEVELS = 200


def _together(summary: Summary) -> dict[str, Any] | None:
    both = summary.together
    if both is None or both.effect.size > _MOST_LEVELS * _MOST_LEVELS:
        return None
    return {
        "figure": both.figure, "rows": clean(both.rows.name), "columns": clean(both.columns.name),
        "row_levels": [clean(level) for level in both.rows.levels],
        "column_levels": [clean(level) for level in both.columns.levels],
        "effect": packed(np.asarray(both.effect).ravel()), "extra": both.extra,
    }  # fmt: skip


def _stairs(stairs: Stairs) -> dict[str, Any]:
    steps = [{"need_bytes": number(s.need_bytes), "value": s.value, "point": s.point} for s in stairs.steps]
    return {"model": clean(stairs.model), "goal": list(stairs.goal), "steps": steps}


def _matrix(summary: Summary) -> dict[str, Any]:
    matrix = summary.feasibility
    return {
        "row_of": matrix.row_of, "column_of": matrix.column_of,
        "rows": [clean(text) for text in matrix.rows[:_MOST_LEVELS]],
        "columns": [clean(text) for text in matrix.columns],
        "word": packed(matrix.word[:_MOST_LEVELS].ravel()),
        "limiting": packed(matrix.limiting[:_MOST_LEVELS].ravel()),
        "points": packed(matrix.points[:_MOST_LEVELS].ravel()),
        "fitting": packed(matrix.fitting[:_MOST_LEVELS].ravel()),
    }  # fmt: skip


def _density(summary: Summary, place: int) -> dict[str, Any]:
    grid = summary.densities[place]
    return {
        "x": grid.x.figure, "y": grid.y.figure, "cells": CELLS, "column": packed(grid.column),
        "row": packed(grid.row), "points": packed(grid.points), "fitting": packed(grid.fitting),
    }  # fmt: skip
