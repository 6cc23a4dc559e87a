"""What matters: how much each axis of a sweep moves a figure, and how two of them act together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...columns import Floats, Rows
from ..table import SweepTable
from .axes import Axis
from .suitable import suitable

_LINEAR = ("accuracy",)  # differences; everything else is compared as a ratio


@dataclass(frozen=True, slots=True)
class Level:
    """One level of an axis.

    Args:
        effect: geometric mean over that of all points (accuracy: the difference of means); None if unknown.
        fits: share of its points that answer the question.
    """

    name: str
    points: int
    effect: float | None
    fits: float


@dataclass(frozen=True, slots=True)
class Effect:
    """One axis on one figure; `share` is eta squared: variance between levels / variance of all."""

    axis: str
    figure: str
    share: float
    levels: tuple[Level, ...]


@dataclass(frozen=True, eq=False)
class Together:
    """Two axes on one figure.

    Args:
        effect: rows x columns, as of a Level; nan where no point is.
        extra: share of the variance that the cells explain beyond the two axes by themselves.
    """

    figure: str
    rows: Axis
    columns: Axis
    effect: Floats
    extra: float


def effects(table: SweepTable, axes: Sequence[Axis], figure: str) -> tuple[Effect, ...]:
    """The axes by their share, the largest first; () where the figure is unknown or all the same."""
    scaled, known = _scaled(table, figure)
    if len(scaled) < 2 or np.ptp(scaled) == 0:
        return ()
    good = suitable(table)
    found = [_effect(axis, figure, (scaled, known), good) for axis in axes]
    return tuple(sorted(found, key=lambda effect: -effect.share))


def together(table: SweepTable, rows: Axis, columns: Axis, figure: str) -> Together | None:
    """The two axes' cells; None where the figure is unknown or all the same."""
    scaled, known = _scaled(table, figure)
    if len(scaled) < 2 or np.ptp(scaled) == 0:
        return None
    shape = (len(rows.levels), len(columns.levels))
    cell = rows.code[known] * shape[1] + columns.code[known]
    mean, counts = _means(cell, scaled, shape[0] * shape[1])
    alone = [_share(axis.code[known], scaled, len(axis.levels)) for axis in (rows, columns)]
    extra = max(0.0, _share(cell, scaled, shape[0] * shape[1]) - sum(alone))
    effect = np.where(counts > 0, _readable(mean - scaled.mean(), figure), np.nan)
    return Together(figure, rows, columns, effect.reshape(shape), extra)


def _effect(axis: Axis, figure: str, known: tuple[Floats, Rows], good: npt.NDArray[np.bool_]) -> Effect:
    scaled, place = known
    count = len(axis.levels)
    mean, counts = _means(axis.code[place], scaled, count)
    effect = _readable(mean - scaled.mean(), figure)
    points = np.bincount(axis.code, minlength=count)
    fits = np.bincount(axis.code, weights=good, minlength=count) / np.maximum(points, 1)
    levels = tuple(
        Level(name, int(points[i]), float(effect[i]) if counts[i] else None, float(fits[i]))
        for i, name in enumerate(axis.levels)
    )
    return Effect(axis.name, figure, _share(axis.code[place], scaled, count), levels)


def _scaled(table: SweepTable, figure: str) -> tuple[Floats, Rows]:
    """The known figures, as logarithms but for accuracy, and whose they are."""
    value = table.figures[figure].value
    if figure in _LINEAR:
        known = np.flatnonzero(~np.isnan(value))
        return value[known], known
    known = np.flatnonzero(value > 0)
    return np.log(value[known]), known


def _readable(difference: Floats, figure: str) -> Floats:
    shown: Floats = difference if figure in _LINEAR else np.exp(difference)
    return shown


def _means(code: Rows, scaled: Floats, count: int) -> tuple[Floats, npt.NDArray[np.intp]]:
    counts = np.bincount(code, minlength=count)
    return np.bincount(code, weights=scaled, minlength=count) / np.maximum(counts, 1), counts


def _share(code: Rows, scaled: Floats, count: int) -> float:
    """eta² = sum over levels of n (mean of level - mean)² / sum of (value - mean)²."""
    mean, counts = _means(code, scaled, count)
    between = float((counts * (mean - scaled.mean()) ** 2).sum())
    return min(1.0, between / float(((scaled - scaled.mean()) ** 2).sum()))
