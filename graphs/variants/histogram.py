"""How are the values of a tensor distributed? Counted as they come, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
HALF = 4096  # bins on each side of zero


@dataclass
class Histogram:
    """Lowest and highest value, and counts in equal bins [i * width, (i + 1) * width) around zero.

    The first values set the width so that they reach half the bins of a side; where later ones lie beyond
    all bins the width doubles, which merges whole pairs and so stays exact. 2048 to 4096 bins are in use.

    Args:
        bins: whether to count, or to keep the ends alone.
    """

    bins: bool = True
    low: float = np.inf
    high: float = -np.inf
    width: float = 0.0
    seen: int = 0
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(2 * HALF, np.int64))

    def add(self, values: Array) -> None:
        """Count more values; those that are no numbers are refused by the caller."""
        if values.size == 0:
            return
        low, high = float(values.min()), float(values.max())
        self.low, self.high = min(self.low, low), max(self.high, high)
        self.seen += values.size
        reach = max(-low, high)
        if not self.bins or (reach == 0.0 and self.width == 0.0):
            self.counts[HALF] += values.size
            return
        if self.width == 0.0:
            self.width = reach / (HALF // 2)
        while reach >= self.width * HALF:
            self._widen()
        places = np.floor(values.reshape(-1).astype(np.float64) / self.width).astype(np.int64) + HALF
        self.counts += np.bincount(np.clip(places, 0, 2 * HALF - 1), minlength=2 * HALF)

    def _widen(self) -> None:
        pairs = self.counts.reshape(HALF, 2).sum(axis=1)
        self.counts = np.concatenate([np.zeros(HALF // 2, np.int64), pairs, np.zeros(HALF // 2, np.int64)])
        self.width *= 2

    @property
    def edges(self) -> npt.NDArray[np.float64]:
        """The ends of all bins, one more than bins."""
        return np.arange(-HALF, HALF + 1) * self.width
