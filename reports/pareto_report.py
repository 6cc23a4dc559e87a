"""How does a Pareto front read: text, JSON, CSV."""

from __future__ import annotations

import csv
import io

import numpy as np
import numpy.typing as npt

from ..simulator.sweep.study.pareto import Front
from ..simulator.sweep.table import WORDS, Column, SweepTable
from .blocks import aligned
from .data import dump
from .format import clean
from .sweep_front import alike, more_alike
from .sweep_words import HEADS, figure_text, spread_text, target_label, variant_label

_Mask = npt.NDArray[np.bool_]


def render_front(table: SweepTable, front: Front, form: str, *, asked: _Mask, sure: _Mask) -> str:
    """The points that no other beats: `form` is text, json or csv.

    Args:
        asked: per point of the table, whether it was to take part.
        sure: per point, whether another beats it beyond the error.
    """
    if form == "json":
        return dump({"axes": [list(axis) for axis in front.axes], "points": _records(table, front)})
    return _csv(table, front) if form == "csv" else _text(table, front, asked, sure)


def _text(table: SweepTable, front: Front, asked: _Mask, sure: _Mask) -> str:
    named = ", ".join(f"{'least' if way == 'min' else 'most'} {HEADS[name]}" for name, way in front.axes)
    lines = [f"{len(front.best):,} of {front.compared:,} points that no other beats in {named}"]
    if not front.compared:
        return "\n".join([*lines, _why_none(table, front, asked)]) + "\n"
    if front.unknown:
        lines.append(f"{front.unknown:,} left out: a figure is unknown")
    near = asked & ~sure & _known(table, front)
    others = int(near.sum()) - int(near[front.best].sum())
    if others > 0:
        lines.append(f"{others:,} more are beaten by less than the errors of the figures")
    columns, rows = _listed(table, front)
    if any(row[-1] for row in rows):
        lines.append("points with equal figures are one line: -f csv names them all")
    return "\n".join([*lines, "", *(clean(line) for line in aligned(columns, rows))]) + "\n"


def _listed(table: SweepTable, front: Front) -> tuple[list[str], list[list[str]]]:
    """A line per verdict and figures; the last cell says how many points have the same."""
    columns = ["variant", "target", "verdict"]
    for name, _ in front.axes:
        columns += [HEADS[name], "p10–p90" if name != "accuracy" else "95 %"]
    ends = [part for name, _ in front.axes for part in table.figures[name][:3]]
    rows = []
    for group in alike(table, front.best, ends):
        first = group[0]
        row = [variant_label(table, first), target_label(table, first), WORDS[table.word[first]]]
        for name, _ in front.axes:
            row += [figure_text(table, name, first), spread_text(table, name, first)]
        rows.append([*row, more_alike(group)])
    return [*columns, ""], rows


def _known(table: SweepTable, front: Front) -> _Mask:
    """Whether a point took part with figures that have ends on every axis."""
    ends = [part for name, _ in front.axes for part in table.figures[name][:3]]
    found: _Mask = ~np.isnan(np.stack(ends)).any(axis=0)
    return found


def _why_none(table: SweepTable, front: Front, asked: _Mask) -> str:
    if not len(table):
        return "the store has no finished point"
    if not asked.any():
        return f"none of {len(table):,} points fits: --all compares those that do not fit as well"
    gone = [HEADS[name] for name, _ in front.axes if np.isnan(table.figures[name].value[asked]).all()]
    if gone:
        return f"{' and '.join(gone)} {'is' if len(gone) == 1 else 'are'} unknown for all {front.unknown:,}"
    return f"none of {front.unknown:,} has all of {', '.join(HEADS[name] for name, _ in front.axes)}"


def _records(table: SweepTable, front: Front) -> list[dict[str, object]]:
    found = []
    for point in front.best.tolist():
        variant, target = table.variants[table.variant[point]], table.targets[table.target[point]]
        figures = {name: _three(column, point) for name, column in table.figures.items()}
        found.append({
            "model": clean(variant.model), "recipe": clean(variant.name), "steps": clean(variant.text),
            "axes": variant.axes, "device": target.device, "runtime": target.runtime,
            "clock_hz": target.clock_hz, "place": target.place, "supply": target.supply,
            "npu": target.npu, "verdict": WORDS[table.word[point]],
            "figures": figures,
        })  # fmt: skip
    return found


def _three(column: Column, point: int) -> dict[str, float | None]:
    ends = zip(("value", "lo", "hi"), column[:3], strict=True)
    return {end: None if np.isnan(part[point]) else float(part[point]) for end, part in ends}


def _csv(table: SweepTable, front: Front) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    ends = [f"{name}{end}" for name in table.figures for end in ("", "_lo", "_hi")]
    where = ("device", "runtime", "clock_hz", "place", "supply", "npu")
    writer.writerow(("model", "recipe", "steps", *where, "verdict", *ends))
    for point in front.best.tolist():
        variant, target = table.variants[table.variant[point]], table.targets[table.target[point]]
        figures = [part[point] for column in table.figures.values() for part in column[:3]]
        names = variant.model, variant.name, variant.text, *(getattr(target, key) for key in where)
        known = ["" if np.isnan(value) else value for value in figures]
        writer.writerow((*names, WORDS[table.word[point]], *known))
    return out.getvalue()
