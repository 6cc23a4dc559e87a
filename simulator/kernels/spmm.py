"""What does a sparse 1x1 convolution of XNNPACK cost beside a dense one?

  equivalent MACs = pixels x weights that are not zero x cost of one
  bytes streamed  = activations once + 8 per weight that is not zero (its value and where its inputs begin)

A weight is loaded once and multiplied with contiguous pixels of its input channel; the dense kernel keeps a
tile of results in registers and loads less per MAC: hence the cost above one. Results, waiting and bandwidth
are priced as those of dense kernels. The cost is one for all cores: networks on one core differ by more than
the two measured cores do (data/neon_sparse.csv, scripts/fit_sparse.py).

Blocks of R output channels share what they load: R weights take 4 + 4R vector instructions for 16 pixels
instead of 8R. Nobody published what is gained; the low end of the interval is lower by that ratio, (1 + 1/R)
/ 2.
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...devices.target import Target
from ..columns import Floats, KernelTable
from ..neon_routes import SPARSE

_DATA = Path(__file__).parents[1] / "data" / "neon_sparse.csv"
BYTES_PER_NONZERO = 8  # a float32 and an int32: how far the input of the next one lies
_BLOCK = re.compile(r"(\d{1,3})x\d{1,3}")


class SparseCosts(NamedTuple):
    """What sparse products cost on one core.

    Args:
        cost: equivalent MACs of the dense 1x1 kernel per MAC whose weight is not zero.
        lo_ratio, hi_ratio: p10 and p90 of measured / predicted of networks left out.
        other_lo, other_hi: how far a machine without measurements may differ beyond that; 1 with some.
    """

    cost: float
    lo_ratio: float
    hi_ratio: float
    other_lo: float
    other_hi: float
    source: str

    @property
    def is_measured(self) -> bool:
        return self.other_lo == self.other_hi == 1.0


def is_sparse(table: KernelTable) -> Floats:
    """1 for rows that run as a sparse product, else 0."""
    return np.array([choice.route == SPARSE for choice in table.choices], dtype=np.float64)


def nonzero_macs(table: KernelTable) -> Floats:
    """MACs of each row whose weight is not zero, if each weight is used as often as any other."""
    counted: Floats = table.macs * nonzero_share(table)
    return counted


def nonzero_share(table: KernelTable) -> Floats:
    """Of the filter values of each row, those left out by sparse storage included; 1 where it has none."""
    known = np.array([facts.bits > 0 for facts in table.filters], dtype=bool)
    values = np.maximum(_dense_values(table), 1)
    share: Floats = np.where(known, np.minimum(1.0, table.nonzero_elements / values), 1.0)
    return share


def _dense_values(table: KernelTable) -> Floats:
    """Values of each row's filter, those left out by sparse storage included."""
    e = table.extents
    return np.maximum(table.filter_elements, e.out_c * e.k_h * e.k_w * e.filter_c)


def sparse_stream_bytes(table: KernelTable) -> Floats:
    """What a sparse product moves: its weights as packed, the bias, and its activations.

    Weights behind a DENSIFY stand among the operands as if they were activations: nobody reads them dense.
    """
    bias = np.maximum(table.weight_bytes - table.filter_bytes, 0)
    behind = np.array([f.stored_bits / 8 for f in table.filters]) * (table.filter_elements == 0)
    read = table.operand_bytes - behind * _dense_values(table)
    moved: Floats = BYTES_PER_NONZERO * table.nonzero_elements + bias + read + table.out_bytes
    return moved


def block_ratio(table: KernelTable) -> Floats:
    """(1 + 1/R) / 2 for rows whose zeros lie in blocks of R output channels; 1 elsewhere."""
    rows = [_BLOCK.fullmatch(facts.pattern) for facts in table.filters]
    return np.array([1.0 if match is None else (1 + 1 / max(1, int(match[1]))) / 2 for match in rows])


def sparse_costs(target: Target) -> SparseCosts:
    """The cost on this target's core with its threads; measured were single threads."""
    table, core = coefficients(), target.device.core.name
    is_measured = ("rows", core) in table and target.threads == 1
    others = (1.0, 1.0) if is_measured else (table["other_lo", ""], table["other_hi", ""])
    known = f"{core} among them" if is_measured else f"never with {target.threads} threads on {core}"
    source = f"xnnpack sparse products, fitted to sparse.csv, {known}; p10..p90 of networks left out"
    return SparseCosts(table["cost", ""], table["lo", ""], table["hi", ""], *others, source)


@lru_cache(maxsize=1)
def coefficients() -> dict[tuple[str, str], float]:
    """(name, core) -> value."""
    with _DATA.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {(row["name"], row["core"]): float(row["value"]) for row in rows}
