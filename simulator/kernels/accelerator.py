"""How long a declared accelerator takes: multiplications and elements per cycle, between two utilisations."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...devices.runtime import RateModel
from ..columns import Floats, KernelTable


class RateColumns(NamedTuple):
    """Cycles of the accelerator per row (nan is unknown), and their interval."""

    value: Floats
    lo: Floats
    hi: Floats


def rate_cycles(table: KernelTable, rate: RateModel) -> RateColumns:
    """(macs / macs_per_cycle + elements / elements_per_cycle) / utilisation + overhead.

    elements: those that fused ops work on, and the results of kernels that multiply nothing.
    """
    alone = np.where(table.macs == 0, np.maximum(table.out_elements, table.in_elements), 0.0)
    busy = table.macs / rate.macs_per_cycle + (alone + table.swallowed_elements) / rate.elements_per_cycle
    busy = np.where(np.array(table.is_sized, dtype=bool), busy, np.nan)
    middle = (rate.utilisation_lo * rate.utilisation_hi) ** 0.5
    value, lo, hi = (
        busy / utilisation + rate.overhead_cycles_per_kernel
        for utilisation in (middle, rate.utilisation_hi, rate.utilisation_lo)
    )
    return RateColumns(value, lo, hi)
