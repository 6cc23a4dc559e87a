"""What do kernels of a library that nobody counted cost, against those counted? From its single ops.

    cycles of a row - waits = cpi(core) x (inner x loops + rest x the rest)

Per kernel class inner and rest, or one factor for both where there are fewer than three rows. Least squares
of relative errors. The rows fit nothing else: neither a core nor a board learns of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ...devices.calibration import KernelFit
from .assemble import rounded
from .features import SPLIT, Features, row_features
from .fit import Fit
from .rows import read_rows

OPS = Path(__file__).parents[1] / "data" / "measured" / "ops.csv"
LABELS = frozenset({"cmsis-nn-uint8"})  # runtimes whose own ops.csv rows make their factors
_FEWEST_ROWS = 3
Pair = tuple[float, float]


def op_features() -> tuple[Features, ...]:
    """The rows of ops.csv that these fits take."""
    rows = read_rows(OPS)
    return tuple(row_features(row) for row in rows if row.runtime in LABELS and not row.left_out)


def op_kernels(rows: Sequence[Features], fit: Fit) -> tuple[KernelFit, ...]:
    """One entry per runtime and kernel class.

    Args:
        fit: of the rows of whole networks; the cost of the core is taken from it.
    """
    found = []
    for label in sorted({one.label for one in rows}):
        own = [one for one in rows if one.label == label]
        for name in sorted({class_of(one) for one in own}):
            alike = [one for one in own if class_of(one) == name]
            inner, rest = class_factors(alike, fit)
            source = f"in sample: fitted to {len(alike)} single-op rows of one board and network (ops.csv)"
            found.append(KernelFit(
                runtime=label, kernels=name, factor=rounded(inner), rest_factor=rounded(rest), source=source
            ))  # fmt: skip
    return tuple(found)


def class_of(one: Features) -> str:
    """The kernel class of a row of one op."""
    (name,) = {part[0] for part in one.instructions}
    return name


def class_factors(rows: Iterable[Features], fit: Fit) -> Pair:
    """The two factors of these rows, all of one class; (1, 1) if there are none."""
    own = list(rows)
    if not own:
        return 1.0, 1.0
    loops, rest, left = np.array([_parts(one, fit) for one in own]).T
    together = (loops + rest) / left
    plain = float(together.sum() / (together @ together))
    if len(own) < _FEWEST_ROWS or class_of(own[0]) not in SPLIT:
        return plain, plain
    matrix = np.stack([loops / left, rest / left], axis=1)
    inner, outer = np.linalg.lstsq(matrix, np.ones(len(own)), rcond=None)[0].tolist()
    return (inner, outer) if min(inner, outer) > 0 else (plain, plain)


def cycles_with(one: Features, factors: Pair, fit: Fit) -> float:
    """Cycles of a row of one op with these factors."""
    loops, rest, left = _parts(one, fit)
    return loops * factors[0] + rest * factors[1] + one.measured_cycles - left


def _parts(one: Features, fit: Fit) -> tuple[float, float, float]:
    """Cycles counted inside loops and outside, and those measured that are no waits."""
    core, device = one.core, one.device
    cpi = fit.coefficient("cpi", core) * fit.coefficient("board", device)
    per_byte = fit.coefficient("per_byte", core) * fit.coefficient("stall", device)
    waits = per_byte * fit.coefficient("fetch", one.library) * one.fetched_bytes + one.waits_cycles
    name = class_of(one)
    loops = one.instructions.get((name, "loops"), 0.0)
    rest = one.instructions.get((name, "rest"), 0.0) + one.instructions.get((name, "all"), 0.0)
    return cpi * loops, cpi * rest, one.measured_cycles - waits
