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
from .sweep_words import HEADS, figure_text, spread_text, target_label, variant_label


def render_front(table: SweepTable, front: Front, form: str, *, near: npt.NDArray[np.bool_]) -> str:
    """The points that no other beats: `form` is text, json or csv.

    Args:
        near: per point of the table, whether nothing beats it beyond the error.
    """
    if form == "json":
        return dump({"axes": [list(axis) for axis in front.axes], "points": _records(table, front)})
    return _csv(table, front) if form == "csv" else _text(table, front, near)


def _text(table: SweepTable, front: Front, near: npt.NDArray[np.bool_]) -> str:
    named = ", ".join(f"{'least' if way == 'min' else 'most'} {HEADS[name]}" for name, way in front.axes)
    columns = ["variant", "target", "verdict"]
    for name, _ in front.axes:
        columns += [HEADS[name], "p10–p90" if name != "accuracy" else "95 %"]
    rows = []
    for point in front.best.tolist():
        row = [variant_label(table, point), target_label(table, point), WORDS[table.word[point]]]
        for name, _ in front.axes:
            row += [figure_text(table, name, point), spread_text(table, name, point)]
        rows.append(row)
    lines = [f"{len(front.best):,} of {front.compared:,} points that no other beats in {named}"]
    if front.unknown:
        lines.append(f"{front.unknown:,} left out: a figure is unknown")
    others = int(near.sum()) - int(near[front.best].sum())
    if others > 0:
        lines.append(f"{others:,} more are beaten by less than the errors of the figures")
    return "\n".join([*lines, "", *(clean(line) for line in aligned(columns, rows))]) + "\n"


def _records(table: SweepTable, front: Front) -> list[dict[str, object]]:
    found = []
    for point in front.best.tolist():
        variant, target = table.variants[table.variant[point]], table.targets[table.target[point]]
        figures = {name: _three(column, point) for name, column in table.figures.items()}
        found.append({
            "model": clean(variant.model), "recipe": clean(variant.name), "steps": clean(variant.text),
            "axes": variant.axes, "device": target.device, "runtime": target.runtime,
            "clock_hz": target.clock_hz, "place": target.place, "verdict": WORDS[table.word[point]],
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
    writer.writerow(("model", "recipe", "steps", "device", "runtime", "clock_hz", "place", "verdict", *ends))
    for point in front.best.tolist():
        variant, target = table.variants[table.variant[point]], table.targets[table.target[point]]
        figures = [part[point] for column in table.figures.values() for part in column[:3]]
        names = variant.model, variant.name, variant.text, target.device, target.runtime, target.clock_hz
        known = ["" if np.isnan(value) else value for value in figures]
        writer.writerow((*names, target.place, WORDS[table.word[point]], *known))
    return out.getvalue()
