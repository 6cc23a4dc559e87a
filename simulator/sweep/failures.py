"""What went wrong or is not known, by reason: how often, and for example where."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from .table import WORDS, SweepTable

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_EXAMPLES = 3
_ERROR, _UNKNOWN, _NO = WORDS.index("ERROR"), WORDS.index("UNKNOWN"), WORDS.index("NO")


@dataclass(frozen=True, slots=True)
class Failure:
    """Points, variants or targets with the same reason.

    Args:
        kind: "error", "unknown", "refused", "partly unknown"; "variant not made", "target not usable".
        reason: as the first of them says it; others may differ in numbers.
        examples: positions of points; () where the variant or target never became one.
        names: labels of the examples.
    """

    kind: str
    reason: str
    count: int
    examples: tuple[int, ...]
    names: tuple[str, ...]


def failures(table: SweepTable) -> tuple[Failure, ...]:
    """Variants and targets that never became points, then points, the most frequent first."""
    return (
        *_never("variant not made", [(row.error, row.label) for row in table.variants]),
        *_never("target not usable", [(row.error, row.label) for row in table.targets]),
        *_of_points(table),
    )


def _never(kind: str, rows: list[tuple[str, str]]) -> list[Failure]:
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for error, label in rows:
        if error:
            found[_shape(error)].append((error, label))
    made = [
        Failure(kind, same[0][0], len(same), (), tuple(label for _, label in same[:_EXAMPLES]))
        for same in found.values()
    ]
    return sorted(made, key=lambda failure: -failure.count)


def _of_points(table: SweepTable) -> list[Failure]:
    """Points with a reason, or whose word is an error or unknown."""
    said = np.flatnonzero((table.reason > 0) | (table.word == _ERROR) | (table.word == _UNKNOWN))
    shapes = list(dict.fromkeys(_shape(text) for text in table.texts)) or [""]
    shape_of = np.array([shapes.index(_shape(text)) for text in table.texts] or [0], dtype=np.intp)
    word = np.minimum(table.word[said], _ERROR).astype(np.intp)
    key = shape_of[table.reason[said]] * len(WORDS) + word
    order = np.argsort(key, kind="stable")
    keys, starts, counts = np.unique(key[order], return_index=True, return_counts=True)
    made = []
    for code, start, count in zip(keys, starts, counts, strict=True):
        points = said[order[start : start + min(count, _EXAMPLES)]]
        text = table.texts[table.reason[points[0]]] or "no reason was stored"
        names = tuple(_label(table, point) for point in points)
        kind = _KINDS.get(int(code % len(WORDS)), "partly unknown")
        made.append(Failure(kind, text, int(count), tuple(int(point) for point in points), names))
    return sorted(made, key=lambda failure: (_ORDER.index(failure.kind), -failure.count))


_KINDS = {_ERROR: "error", _UNKNOWN: "unknown", _NO: "refused"}
_ORDER = ("error", "refused", "unknown", "partly unknown")


def _label(table: SweepTable, point: int) -> str:
    variant, target = table.variants[table.variant[point]], table.targets[table.target[point]]
    return f"{variant.label} on {target.label}"


def _shape(text: str) -> str:
    """The text without its numbers: the same reason at another op or size is the same reason."""
    return _NUMBER.sub("#", text)
