"""Which extents became which, and what does a shape become that only counts elements anew?"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

Shape = tuple[int, ...]


class Extents:
    """Heights and widths of pictures (NHWC) before and after, as they are met."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], set[int]] = {}  # (axis, old extent) -> new ones

    def meet(self, old: Shape, new: Shape) -> None:
        """A picture of that shape has this one now."""
        if len(old) == len(new) == 4:
            for axis in (1, 2):
                self._known.setdefault((axis, old[axis]), set()).add(new[axis])

    def of(self, axis: int, extent: int) -> int | None:
        """What the extent became, where all pictures agree; None where they do not or none has it."""
        found = self._known.get((axis, extent), set())
        return next(iter(found)) if len(found) == 1 else None


def reshaped_to(source: Shape, target: Shape, new_source: Shape, extents: Extents) -> Shape | None:
    """The target shape for a new source: dimensions that are joined or split are so again.

    None where it is not clear which dimension grows.

    >>> reshaped_to((1, 4, 4, 8), (1, 128), (1, 2, 2, 8), Extents())
    (1, 32)
    >>> reshaped_to((1, 8, 8, 18), (1, 192, 6), (1, 4, 4, 18), Extents())
    (1, 48, 6)
    """
    if prod(source) != prod(target) or 0 in source:
        return None
    found: list[int] = []
    for from_dims, to_dims in _blocks(source, target):
        old, new = ([shape[d] for d in from_dims] for shape in (source, new_source))
        part = _part(old, new, [target[d] for d in to_dims], extents)
        if part is None:
            return None
        found += part
    return tuple(found)


def _blocks(source: Shape, target: Shape) -> list[tuple[list[int], list[int]]]:
    """The smallest runs of dimensions of both shapes that hold as many elements."""
    found: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(source) and j < len(target):
        left, right = [i], [j]
        while prod(source[d] for d in left) != prod(target[d] for d in right):
            if prod(source[d] for d in left) < prod(target[d] for d in right):
                left.append(left[-1] + 1)
            else:
                right.append(right[-1] + 1)
        found.append((left, right))
        i, j = left[-1] + 1, right[-1] + 1
    rest = (list(range(i, len(source))), list(range(j, len(target))))  # ones
    return [*found, rest] if any(rest) else found


def _part(old: list[int], new: list[int], target: list[int], extents: Extents) -> list[int] | None:
    """What one block becomes."""
    if old == new:
        return target
    count, wide = prod(new), [d for d, extent in enumerate(target) if extent != 1]
    if len(target) == 1 or len(wide) == 1:
        at = wide[0] if wide else 0
        return [count if d == at else extent for d, extent in enumerate(target)]
    if not wide:
        return None
    changed = max(d for d in range(len(old)) if old[d] != new[d])
    rest = prod(target[wide[0] + 1 :])
    if len(old) > 1 and prod(old[changed + 1 :]) % rest == 0:
        return [count // rest if d == wide[0] else extent for d, extent in enumerate(target)]
    return _as_picture(count, target, extents)


def _as_picture(count: int, target: Sequence[int], extents: Extents) -> list[int] | None:
    """A flat axis as height and width again."""
    if len(target) != 2:
        return None
    height, width = extents.of(1, target[0]), extents.of(2, target[1])
    return [height, width] if height and width and height * width == count else None
