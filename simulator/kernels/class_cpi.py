"""Which kernel classes wait more per instruction than a core's convolutions do?"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...devices.target import Target
from ..columns import Floats, KernelTable
from .classes import CLASSES, class_numbers

_PATH = Path(__file__).parents[1] / "data" / "class_cpi.csv"


def class_cpi(table: KernelTable, target: Target) -> Floats:
    """CPI(class) / CPI(convolutions) per row; 1 where nobody measured the two side by side."""
    known = _table().get(target.device.core.name)
    if known is None or target.kernels.library != "cmsis-nn":
        return np.ones(len(table))
    by_class: Floats = np.array([known.get(name, 1.0) for name in CLASSES])
    return np.asarray(by_class[class_numbers(table)])


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    with _PATH.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            found.setdefault(row["core"], {})[row["class"]] = float(row["factor"])
    return found
