"""What went wrong or is not known, by reason: how often, and for example where."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..table import WORDS, SweepTable
from .suitable import unknown_without_limit

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_EXAMPLES = 3
_MOST_NAMES = 1_000
_Shape = Callable[[str], str]
_ERROR, _UNKNOWN, _NO = WORDS.index("ERROR"), WORDS.index("UNKNOWN"), WORDS.index("NO")


@dataclass(frozen=True, slots=True)
class Failure:
    """Points, variants or targets with the same reason.

    Args:
        kind: "error", "unknown", "refused", "partly unknown"; "variant not made", "target not usable";
            "not limited" is no failure: a figure that is unknown where nobody limits it.
        reason: as the first of them says it; others may differ in numbers, or in names, which are "…" then.
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
    shape = _shapes(table)
    return (
        *_never("variant not made", [(row.error, row.label) for row in table.variants], shape),
        *_never("target not usable", [(row.error, row.label) for row in table.targets], shape),
        *_of_points(table, shape),
        *_not_limited(table, shape),
    )


def _never(kind: str, rows: list[tuple[str, str]], shape: _Shape) -> list[Failure]:
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for error, label in rows:
        if error:
            found[shape(error)].append((error, label))
    made = [
        Failure(kind, _said({error for error, _ in same}, same[0][0], alike), len(same), (),
                tuple(label for _, label in same[:_EXAMPLES]))
        for alike, same in found.items()
    ]  # fmt: skip
    return sorted(made, key=lambda failure: -failure.count)


def _of_points(table: SweepTable, shape: _Shape) -> list[Failure]:
    """Points with a reason, or whose word is an error or unknown; a kind and a shape make a group."""
    said = np.flatnonzero(
        ((table.reason > 0) | (table.word == _ERROR) | (table.word == _UNKNOWN)) & ~_is_aside(table)
    )
    shapes: dict[str, int] = {}
    shape_of = np.array([shapes.setdefault(shape(text), len(shapes)) for text in table.texts] or [0])
    key = shape_of[table.reason[said]] * len(_ORDER) + _kinds(table)[said]
    order = np.argsort(key, kind="stable")
    keys, starts, counts = np.unique(key[order], return_index=True, return_counts=True)
    made, alike = [], list(shapes) or [""]
    for code, start, count in zip(keys, starts, counts, strict=True):
        group = said[order[start : start + count]]
        texts = {table.texts[place] for place in np.unique(table.reason[group])}
        reason = _said(texts, table.texts[table.reason[group[0]]], alike[code // len(_ORDER)])
        points = tuple(int(point) for point in group[:_EXAMPLES])
        names = tuple(_label(table, point) for point in points)
        made.append(Failure(_ORDER[code % len(_ORDER)], reason, int(count), points, names))
    return sorted(made, key=lambda failure: (_ORDER.index(failure.kind), -failure.count))


_ORDER = ("error", "refused", "unknown", "partly unknown")


def _is_aside(table: SweepTable) -> npt.NDArray[np.bool_]:
    """Points that other budgets decide, and of which only figures are unknown that nobody limits."""
    unlimited, limited = unknown_without_limit(table)
    found: npt.NDArray[np.bool_] = (_kinds(table) == _ORDER.index("partly unknown")) & ~limited
    found &= table.reason > 0
    return found & np.any(list(unlimited.values()), axis=0) if unlimited else found & False


def _not_limited(table: SweepTable, shape: _Shape) -> Iterator[Failure]:
    """One per figure: on how many points of how many boards it is unknown, and the most frequent reason."""
    aside = _is_aside(table)
    for name, is_unknown in unknown_without_limit(table)[0].items():
        place = np.flatnonzero(aside & is_unknown)
        if len(place):
            boards = len({table.targets[target].device for target in np.unique(table.target[place])})
            found = np.bincount(table.reason[place], minlength=len(table.texts))
            shapes: Counter[str] = Counter()
            for code in np.flatnonzero(found):
                shapes[shape(table.texts[code])] += int(found[code])
            why = shapes.most_common(1)[0][0].removesuffix(" for …") or "no reason was stored"
            more = f" (and {len(shapes) - 1} more reasons)" if len(shapes) > 1 else ""
            where = f"{len(place):,} points of {boards:,} board{'s' if boards > 1 else ''}"
            said = f"{name} is unknown on {where}: {why}{more}"
            points = tuple(int(point) for point in place[:_EXAMPLES])
            names = tuple(_label(table, point) for point in points)
            yield Failure("not limited", said, len(place), points, names)


def _kinds(table: SweepTable) -> npt.NDArray[np.intp]:
    """Position in _ORDER of every point."""
    is_refusal = np.array([name == "runtime" for name in table.limits_named] or [False])
    refused = (table.word == _NO) & is_refusal[np.clip(table.limiting, 0, len(is_refusal) - 1)]
    kinds = np.select([table.word == _ERROR, refused, table.word == _UNKNOWN], [0, 1, 2], 3)
    return kinds.astype(np.intp)


def _said(texts: set[str], first: str, alike: str) -> str:
    """The text where all say the same or differ in numbers only, else what they share."""
    differ_in_names = len({_NUMBER.sub("#", text) for text in texts}) > 1
    return (alike if differ_in_names else first) or "no reason was stored"


def _label(table: SweepTable, point: int) -> str:
    variant, target = table.variants[table.variant[point]], table.targets[table.target[point]]
    return f"{variant.label} on {target.label}"


def _shapes(table: SweepTable) -> _Shape:
    """Texts without their numbers and the sweep's own names: the same reason elsewhere is the same reason."""
    names = {row.device for row in table.targets} | {row.runtime for row in table.targets}
    names |= {row.model for row in table.variants}
    longest_first = sorted((name for name in names if name), key=len, reverse=True)[:_MOST_NAMES]
    named = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
    return lambda text: _NUMBER.sub("#", named.sub("…", text))
