"""How long a declared accelerator takes: multiplications and elements per cycle, between two utilisations.

What its sparsity hardware skips: skipping.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...devices.runtime import RateModel
from ...devices.spec import SparsitySpec
from ..columns import Floats, KernelTable
from .skipping import skipped


class RateColumns(NamedTuple):
    """Cycles of the accelerator per row (nan is unknown), and their interval."""

    value: Floats
    lo: Floats
    hi: Floats


def rate_cycles(table: KernelTable, rate: RateModel, sparsity: SparsitySpec | None = None) -> RateColumns:
    """(macs / skipped / macs_per_cycle + elements / elements_per_cycle) / utilisation + overhead.

    elements: those that fused ops work on, and the results of kernels that multiply nothing.
    """
    alone = np.where(table.macs == 0, np.maximum(table.out_elements, table.in_elements), 0.0)
    elements = (alone + table.swallowed_elements) / rate.elements_per_cycle
    elements = np.where(np.array(table.is_sized, dtype=bool), elements, np.nan)
    middle = (rate.utilisation_lo * rate.utilisation_hi) ** 0.5
    divisors, fewest = skipped(table, sparsity)
    whole = np.where(np.isnan(divisors), np.nan, table.macs)
    value, lo, hi = (
        (macs / rate.macs_per_cycle + elements) / utilisation + rate.overhead_cycles_per_kernel
        for macs, utilisation in (
            (table.macs / divisors, middle), (table.macs / fewest, rate.utilisation_hi),
            (whole, rate.utilisation_lo),
        )
    )  # fmt: skip
    return RateColumns(value, lo, hi)
