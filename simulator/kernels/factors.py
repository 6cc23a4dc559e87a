"""How many instructions do a runtime's kernels need against the counted kernels that stand for them?"""

from __future__ import annotations

import numpy as np

from ...devices.target import Target
from ..columns import Floats, KernelTable
from .class_cpi import class_cpi
from .classes import CLASSES, class_numbers
from .instructions import InstructionColumns


def kernel_factors(table: KernelTable, target: Target, counted: InstructionColumns) -> Floats | None:
    """One factor per row: (factor x loops + rest factor x rest) / (loops + rest) x CPI(class) / CPI(core).

    1 where the counted kernels are the runtime's own; None where they are not and nobody fitted factors.
    """
    fits = target.calibration.kernel_table.get(target.runtime.label)
    if fits is None:
        return None if target.kernels.library == "x-cube-ai" else class_cpi(table, target)
    pairs = {name: (fit.factor, fit.rest_factor) for name, fit in fits.items()}
    by_class = np.array([pairs.get(name, (1.0, 1.0)) for name in CLASSES])
    inner, rest = by_class[class_numbers(table)].T
    share = np.divide(counted.loops, counted.value, out=np.zeros(len(table)), where=counted.value > 0)
    factors: Floats = (inner * share + rest * (1 - share)) * class_cpi(table, target)
    return factors
