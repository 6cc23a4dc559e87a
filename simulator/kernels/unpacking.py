"""What do kernels pay that unpack weights of few bits while they run, on a core that multiplies whole bytes?

  instructions = MACs of rows with such weights x instructions per MAC

Fitted to two published networks on one board (scripts/fit_unpacking.py): on other cores it is analytic.
Weights whose values need few bits but which lie as whole bytes cost nothing: nothing is unpacked. CMSIS-NN's
own int4 kernels (*_s4) have counts of their own, unpacking included.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...devices.target import Target
from ..columns import KernelTable
from ..interval import Basis, grade_of
from .instructions import InstructionColumns

_DATA = Path(__file__).parents[1] / "data" / "unpacking.csv"


def unpacked_rows(table: KernelTable, target: Target) -> npt.NDArray[np.bool_]:
    """Rows whose weights this runtime keeps packed and whose kernel is not counted with unpacking."""
    most = target.runtime.unpacks_bits
    return np.array([
        0 < facts.bits <= most < facts.stored_bits and not choice.route.endswith("_s4")
        for facts, choice in zip(table.filters, table.choices, strict=True)
    ], dtype=bool)  # fmt: skip


def with_unpacking(counted: InstructionColumns, table: KernelTable, target: Target) -> InstructionColumns:
    """The counts with what unpacking adds."""
    if not target.runtime.unpacks_bits:
        return counted
    found, rows = coefficients(), unpacked_rows(table, target)
    per_mac = found["per_mac", ""]
    added = np.where(rows, np.nan_to_num(table.macs), 0.0)
    basis = Basis.CALIBRATED if ("rows", target.device.core.name) in found else Basis.ANALYTIC
    weaker = np.maximum(counted.grade, np.int8(grade_of(basis)))
    text = f"{per_mac:.2g} instructions per MAC more to unpack weights of {target.runtime.unpacks_bits} bits"
    reasons = [
        "; ".join(part for part in (reason, text) if part) if packed else reason
        for reason, packed in zip(counted.reason, rows.tolist(), strict=True)
    ]
    return counted._replace(
        value=counted.value + per_mac * added,
        lo=counted.lo + found["per_mac_lo", ""] * added,
        hi=counted.hi + found["per_mac_hi", ""] * added,
        grade=np.where(rows, weaker, counted.grade).astype(np.int8),
        reason=reasons,
    )


@lru_cache(maxsize=1)
def coefficients() -> dict[tuple[str, str], float]:
    """(name, core) -> value."""
    with _DATA.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {(row["name"], row["core"]): float(row["value"]) for row in rows}
