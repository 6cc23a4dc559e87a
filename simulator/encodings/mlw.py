"""How many bits does Arm's Ethos-U weight codec make of a tensor? Between the points where it was run."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

from ...graphs.encodings.values import Values
from ..interval import Basis, Interval, unknown

WORD = "ethos-u-mlw"
_DATA = Path(__file__).parents[1] / "data" / "mlw_codec_bits.csv"
_SOURCE = "mlw_codec_bits.csv: Vela's codec run on drawn weights; between its points linear in the sparsity"
_LARGEST_PALETTE = 32  # of 33 and more values none is made
_FEWEST_WEIGHTS, _FEWEST_CHANNELS = 4096, 32  # the smallest tensor of the table pads neither
_REAL_LO, _REAL_HI = 6.2, 9.1  # p10 and p90 over the weights of 82 real models, U55-128 (specs/ethos_u.md 10)


class _Point(NamedTuple):
    """Bits per weight at one sparsity: over the drawn distributions."""

    sparsity: float
    lo: float
    value: float
    hi: float


def mlw_bits(values: Values, *, is_depthwise: bool = False) -> Interval:
    """Bits of the stream; unknown for tensors whose padding nobody ran, and outside the table.

    Dense weights of 8 bits vary by network more than by distribution: the interval is that of real models.
    """
    channels = values.patterns.shape[-1] if values.patterns.ndim > 1 else 0
    if is_depthwise or values.count < _FEWEST_WEIGHTS or channels < _FEWEST_CHANNELS:
        return unknown("Ethos-U's codec was not run on such a small or depthwise kernel with these zeros")
    codes = len(values.counts[0]) - (1 if values.nonzero_count < values.count else 0)
    if values.bits > 8:
        return unknown("Ethos-U's codec takes weights of 8 bits")
    curve = _curve(codes)
    if values.sparsity > curve[-1].sparsity:
        return unknown(f"Ethos-U's codec was run up to {curve[-1].sparsity:.0%} zeros only")
    at = [point.sparsity for point in curve]
    lo, value, hi = (
        float(np.interp(values.sparsity, at, [getattr(point, end) for point in curve]))
        for end in ("lo", "value", "hi")
    )
    if codes > _LARGEST_PALETTE:  # towards dense, real weights spread as published
        dense = max(0.0, 1 - values.sparsity / curve[1].sparsity)
        lo, hi = min(lo, lo + dense * (_REAL_LO - lo)), max(hi, hi + dense * (_REAL_HI - hi))
    least, n = values.entropy_bits, values.count  # it codes weights one by one
    lo, value, hi = (max(end, least) * n for end in (lo, value, hi))
    return Interval(value, lo, hi, Basis.CALIBRATED, _SOURCE)


def _curve(codes: int) -> tuple[_Point, ...]:
    """The points of the next larger palette, their low ends those of the next smaller; of none above 32."""
    curves = _curves()
    if codes > _LARGEST_PALETTE:
        return curves[0]
    above = min(known for known in curves if known >= max(codes, 1))
    below = max((known for known in curves if 0 < known <= codes), default=above)
    return tuple(
        _Point(high.sparsity, low.lo, high.value, high.hi)
        for low, high in zip(curves[below], curves[above], strict=True)
    )


@lru_cache(maxsize=1)
def _curves() -> dict[int, tuple[_Point, ...]]:
    """Shared values (0: any number) -> points by ascending sparsity, of large tensors."""
    found: dict[int, dict[float, list[float]]] = {}
    with _DATA.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            if row["case"] == "depthfirst":
                at = found.setdefault(int(row["clusters"] or 0), {})
                at.setdefault(float(row["sparsity"]), []).append(float(row["bits_per_weight"]))
    return {
        codes: tuple(_Point(s, min(at[s]), median(at[s]), max(at[s])) for s in sorted(at))
        for codes, at in found.items()
    }
