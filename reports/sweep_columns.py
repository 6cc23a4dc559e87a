"""How is a sweep written as columns: numbers with few digits, texts by their number, constants once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..simulator.columns import Rows
from ..simulator.sweep.study.summary import Summary
from .data import number
from .format import clean
from .sweep_words import making_words, model_word, target_words

_DIGITS = 5  # rounding keeps lo <= value <= hi


def packed(values: npt.NDArray[Any]) -> Any:
    """Numbers with five digits, null for nan; one value where all are the same.

    >>> packed(np.array([0.1234567, np.nan, 4096.0])), packed(np.array([7, 7]))
    ([0.12346, None, 4096], {'all': 7})
    """
    rounded = [_short(value) for value in values.tolist()]
    if len(rounded) > 1 and all(value == rounded[0] for value in rounded):
        return {"all": rounded[0]}
    return rounded


def coded(texts: Iterable[str]) -> dict[str, Any]:
    """Each text once, and per row its place.

    >>> coded(["a", "b", "a"])
    {'texts': ['a', 'b'], 'at': [0, 1, 0]}
    """
    places: dict[str, int] = {}
    at = [places.setdefault(clean(text), len(places)) for text in texts]
    return {"texts": list(places), "at": packed(np.array(at, dtype=np.intp))}


def point_columns(summary: Summary) -> dict[str, Any]:
    """The points that are given one by one; `lo` and `hi` only where they are not the value."""
    table, shown = summary.table, summary.shown
    variant, target = _used(table.variant[shown]), _used(table.target[shown])
    columns: dict[str, Any] = {
        "count": len(shown),
        "point": None if summary.is_whole else shown.tolist(),
        "variant": packed(variant[1]),
        "target": packed(target[1]),
        "word": packed(table.word[shown]),
        "worse": packed(summary.worse[shown].astype(np.int8)),
        "limiting": packed(table.limiting[shown]),
        "reason": coded(table.texts[code] for code in table.reason[shown]),
        "figures": {},
    }
    for name, column in table.figures.items():
        value, lo, hi = column.value[shown], column.lo[shown], column.hi[shown]
        is_exact = all(np.array_equal(value, end, equal_nan=True) for end in (lo, hi))
        ends = {} if is_exact else {"lo": packed(lo), "hi": packed(hi)}
        grade = packed(column.grade[shown])
        columns["figures"][name] = {"value": packed(value), **ends, "grade": grade}
    return columns


def variant_columns(summary: Summary) -> dict[str, Any]:
    """The variants of the points that are given, as `point_columns` numbers them."""
    rows = [summary.table.variants[place] for place in _used(summary.table.variant[summary.shown])[0]]
    keys = list(dict.fromkeys(key for row in rows for key in row.axes))
    return {
        "number": packed(np.array([row.number for row in rows], dtype=np.intp)),
        "model": coded(row.model for row in rows),
        "source": coded(model_word(summary.table, row) for row in rows),
        "making": coded(making_words(summary.table, row, summary.table.targets[0]) for row in rows),
        "name": coded(row.name for row in rows),
        "text": coded(row.text for row in rows),
        "label": coded(row.label for row in rows),
        "axes": {clean(key): coded(row.axes.get(key, "–") for row in rows) for key in keys},
        "macs": packed(np.array([row.macs for row in rows])),
        "file_bytes": packed(np.array([row.file_bytes for row in rows])),
        "sparsity": packed(np.array([row.sparsity for row in rows])),
        "retrain": packed(np.array([row.retrain for row in rows], dtype=np.int8)),
        "sha256": [row.sha256[:12] for row in rows] if len(rows) <= _MOST_HASHES else None,
        "row": packed(summary.feasibility.row_code[_used(summary.table.variant[summary.shown])[0]]),
    }


_MOST_HASHES = 2_000


def target_columns(summary: Summary) -> dict[str, Any]:
    """The targets of the points that are given, as `point_columns` numbers them."""
    used = _used(summary.table.target[summary.shown])[0]
    rows = [summary.table.targets[place] for place in used]
    return {
        "device": coded(row.device for row in rows),
        "runtime": coded(row.runtime for row in rows),
        "clock_hz": packed(np.array([row.clock_hz for row in rows])),
        "place": coded(row.place for row in rows),
        "supply": coded(row.supply for row in rows),
        "npu": coded(row.npu for row in rows),
        "label": coded(row.label for row in rows),
        "words": [target_words(row, summary.table.limits, summary.table.facts) for row in rows],
        "sha256": [
            {
                "device": row.device_sha256,
                "runtime": row.runtime_sha256,
                "calibration": row.calibration_sha256,
            }
            for row in rows
        ],
        "column": packed(summary.feasibility.column_code[used]),
    }


def axis_codes(summary: Summary) -> list[dict[str, Any]]:
    """Every axis with its levels and the level of each point that is given."""
    return [
        {"name": clean(axis.name), "side": axis.side, "levels": [clean(level) for level in axis.levels],
         "code": packed(axis.code[summary.shown])}
        for axis in summary.axes
    ]  # fmt: skip


def _used(rows: Rows) -> tuple[Rows, Rows]:
    """The rows that occur, and for each its place among them."""
    used, place = np.unique(rows, return_inverse=True)
    return used, place.reshape(-1)


def _short(value: Any) -> int | float | None:
    """Five digits, or all of a whole number."""
    if isinstance(value, float) and not value.is_integer():
        return number(float(f"{value:.{_DIGITS}g}"))
    return number(value)
