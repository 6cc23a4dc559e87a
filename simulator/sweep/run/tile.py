"""What does one batch of points cost? A rectangle of the grid, priced by whoever is free."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ....graphs.ir import ModelGraph
from ...accuracy.kernels import kernels_for
from ...columns import Grades
from ...figures import Objects
from ...interval import grade_of
from ...points import Points, price_points
from ...variant_study import Quality
from ..asked.specs import Grid, TargetSpec
from ..table import VariantRow
from .making import Made, make
from .quality import bench_of
from .sheet import Ends, Sheet

_NOT_MEASURED = "accuracy was not measured"
_MOST_CHUNKS = 1


class Tile(NamedTuple):
    """Variants from `first` to before `last` on the targets from `left` to before `right`."""

    number: int
    first: int
    last: int
    left: int
    right: int

    def __len__(self) -> int:
        return (self.last - self.first) * (self.right - self.left)


@dataclass(frozen=True, eq=False)
class TileResult:
    """Everything that is known of a tile's points, variant by variant, targets in order.

    Args:
        variants: what each of its variants turned out to be.
        qualities: (variant number, kernel set) -> accuracy.
        figures: of FIGURES: (value, lo, hi, grade) by [variant, target].
        word: positions in WORDS; limiting, reason: texts.
    """

    tile: Tile
    variants: tuple[VariantRow, ...]
    qualities: dict[tuple[int, str], Quality]
    figures: dict[str, Ends]
    word: Grades
    limiting: Objects
    reason: Objects


@dataclass(frozen=True, eq=False)
class Worker:
    """What a process keeps between tiles: the grid, the models it made, what it worked out of them."""

    grid: Grid
    _chunks: OrderedDict[tuple[int, int], _Chunk] = field(default_factory=OrderedDict)
    _originals: dict[str, ModelGraph] = field(default_factory=dict)
    _bench: list[Any] = field(default_factory=list)

    def evaluate(self, tile: Tile) -> TileResult:
        """All points of the tile; a point that fails says so, and the others go on."""
        chunk = self._chunk(tile.first, tile.last)
        targets = self.grid.targets[tile.left : tile.right]
        result = Sheet(len(chunk.made), len(targets))
        for variant, made in enumerate(chunk.made):
            if made.graph is None:
                result.fail(variant, slice(None), made.row.error)
        columns = [place for place, target in enumerate(targets) if not result.set_aside(place, target)]
        _price(chunk, targets, columns, result)
        _measure(chunk, targets, result, self.grid.limits.get("accuracy"))
        qualities = {
            (made.row.number, name): one
            for made in chunk.made
            for name, one in (made.qualities or {}).items()
        }
        return TileResult(
            tile, tuple(made.row for made in chunk.made), qualities, result.figures, result.word,
            result.limiting, result.reason,
        )  # fmt: skip

    def _chunk(self, first: int, last: int) -> _Chunk:
        """The variants of a tile, made once as long as its neighbours are asked for."""
        key = first, last
        if key not in self._chunks:
            while len(self._chunks) >= _MOST_CHUNKS:
                self._chunks.popitem(last=False)
            if not self._bench:
                self._bench.append(bench_of(self.grid))
            made = [
                make(spec, self.grid, self._bench[0], self._originals)
                for spec in self.grid.variants[first:last]
            ]
            self._chunks[key] = _Chunk(made)
        self._chunks.move_to_end(key)
        return self._chunks[key]


@dataclass(frozen=True, eq=False)
class _Chunk:
    """Variants, and what pricing them worked out; `known` holds for the graphs in `rows`, in this order."""

    made: Sequence[Made]
    known: dict[Any, Any] = field(default_factory=dict)

    @property
    def rows(self) -> list[int]:
        return [row for row, made in enumerate(self.made) if made.graph is not None]

    def graphs(self, rows: Sequence[int]) -> list[ModelGraph]:
        return [graph for row in rows if (graph := self.made[row].graph) is not None]


def _price(chunk: _Chunk, targets: Sequence[TargetSpec], columns: Sequence[int], sheet: Sheet) -> None:
    """All at once; where that fails, point by point, so that only what is at fault is lost."""
    if not columns:
        return
    try:
        sheet.put(_points(chunk, chunk.rows, targets, columns, known=chunk.known), chunk.rows, columns)
    except Exception:
        for row in chunk.rows:
            for column in columns:
                try:
                    sheet.put(_points(chunk, [row], targets, [column], known=None), [row], [column])
                except Exception as error:
                    sheet.fail(row, column, f"{type(error).__name__}: {error}"[:500])


def _points(
    chunk: _Chunk, rows: Sequence[int], targets: Sequence[TargetSpec], columns: Sequence[int], *,
    known: dict[Any, Any] | None,
) -> Points:  # fmt: skip
    on = [target for column in columns if (target := targets[column].target) is not None]
    return price_points(
        chunk.graphs(rows), on, [targets[column].conditions for column in columns], known=known
    )


def _measure(chunk: _Chunk, targets: Sequence[TargetSpec], sheet: Sheet, least: float | None) -> None:
    """Accuracy by the kernels of each target's runtime, and the verdict with what the scenario asks of it."""
    measured = [(row, made.qualities) for row, made in enumerate(chunk.made) if made.qualities]
    if not measured and least is None:
        return
    value, lo, hi, grade = sheet.figures["accuracy"]
    why = np.full(value.shape, _NOT_MEASURED, dtype=object)
    for column, spec in enumerate(targets):
        if spec.target is None:
            continue
        kernels = kernels_for(spec.target.runtime)
        for row, qualities in measured:
            quality = qualities.get(kernels.name)
            if quality is not None and quality.value is not None:
                ends = (quality.value if end is None else end for end in (quality.lo, quality.hi))
                value[row, column], (lo[row, column], hi[row, column]) = quality.value, ends
                grade[row, column] = grade_of(kernels.basis)
            elif quality is not None and quality.reason:
                why[row, column] = quality.reason
    if least is not None:
        sheet.hold_accuracy(least, why)
    silent = np.isnan(value) & (sheet.reason == "") & (why != _NOT_MEASURED)
    sheet.reason[silent] = why[silent]


def tiles_of(grid: Grid, chunk: int, width: int) -> Iterator[Tile]:
    """The grid in rectangles of `chunk` variants and `width` targets, those of one chunk after each other."""
    number = 0
    for first in range(0, len(grid.variants), chunk):
        for left in range(0, len(grid.targets), width):
            last, right = min(first + chunk, len(grid.variants)), min(left + width, len(grid.targets))
            yield Tile(number, first, last, left, right)
            number += 1


def layout_of(grid: Grid) -> tuple[int, int]:
    """(variants, targets) of a tile: some 8,000 points, whoever prices them and however many there are."""
    chunk = max(1, min(_LARGEST_CHUNK, -(-len(grid.variants) // _CHUNKS)))
    return chunk, max(1, min(len(grid.targets), _POINTS // chunk))


_LARGEST_CHUNK, _CHUNKS, _POINTS = 125, 8, 8000
