"""What was varied in a sweep: every axis with its levels, and the level of each point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...columns import Rows
from ..table import SweepTable, TargetRow, VariantRow
from .families import families

NOT_SWEPT = "–"  # the level of a variant that has no such axis


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis.

    Args:
        side: "variant" or "target": what it is a property of.
        levels: as text; numbers by size, else as they first appear.
        code: per point, the position of its level.
    """

    name: str
    side: str
    levels: tuple[str, ...]
    code: Rows


def sweep_axes(table: SweepTable) -> tuple[Axis, ...]:
    """Model, recipe and swept options, then device, runtime and how it is used.

    Only what has two levels, and does not merely repeat another (a clock that each device has one of).
    """
    sides = (
        ("variant", _distinct(_of_variants(table.variants)), table.variant),
        ("target", _distinct(_of_targets(table.targets)), table.target),
    )
    found = [_axis(side, name, texts, row) for side, named, row in sides for name, texts in named]
    return tuple(axis for axis in found if len(axis.levels) > 1)


def _distinct(named: list[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
    """Without those that split the rows exactly as one before them does."""
    kept: dict[bytes, tuple[str, list[str]]] = {}
    for name, texts in named:
        places: dict[str, int] = {}
        split = np.array([places.setdefault(text, len(places)) for text in texts], dtype=np.int64)
        kept.setdefault(split.tobytes(), (name, texts))
    return list(kept.values())


def _of_variants(variants: Sequence[VariantRow]) -> list[tuple[str, list[str]]]:
    keys = dict.fromkeys(key for variant in variants for key in variant.axes)
    named: list[tuple[str, list[str]]] = [
        ("model", [variant.model for variant in variants]),
        ("recipe", [variant.name for variant in variants]),
    ]
    named += [(key, [variant.axes.get(key, NOT_SWEPT) for variant in variants]) for key in keys]
    return [*named, ("family", families(variants))]


_TARGET_AXES: tuple[tuple[str, Callable[[TargetRow], str]], ...] = (
    ("device", lambda row: row.device),
    ("runtime", lambda row: row.runtime),
    ("clock MHz", lambda row: f"{row.clock_hz / 1e6:g}"),
    ("place", lambda row: row.place or NOT_SWEPT),
    ("supply", lambda row: row.supply or NOT_SWEPT),
    ("npu", lambda row: row.npu or NOT_SWEPT),
)


def _of_targets(targets: Sequence[TargetRow]) -> list[tuple[str, list[str]]]:
    return [(name, [of(target) for target in targets]) for name, of in _TARGET_AXES]


def _axis(side: str, name: str, texts: list[str], row: Rows) -> Axis:
    """The axis over the points; levels that no point has are left out."""
    levels = _in_order(dict.fromkeys(texts))
    place = {level: position for position, level in enumerate(levels)}
    code = np.array([place[text] for text in texts] or [0], dtype=np.intp)[row]
    used = np.flatnonzero(np.bincount(code, minlength=len(levels)))
    renumbered = np.zeros(len(levels) + 1, dtype=np.intp)
    renumbered[used] = np.arange(len(used))
    return Axis(name, side, tuple(levels[position] for position in used), renumbered[code])


def _in_order(texts: dict[str, None]) -> list[str]:
    """By size where all are numbers (not swept first), else as they come."""
    try:
        return sorted(texts, key=lambda text: float("-inf") if text == NOT_SWEPT else float(text))
    except ValueError:
        return list(texts)
