"""By how much does declared sparsity hardware divide the multiplications of a row?

  n:m           the declared factor, for weights of which at most n of m neighbours are not zero
  unstructured  MACs / MACs whose weight is not zero, at most the declared factor
  block         the same, for weights whose zeros lie in such blocks
  channel       1: a channel without weights is better left out of the model

The factor is the hardware's peak: the high end of the interval takes none. Where the file declares no factor
the row is unknown; its low end skips every zero.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...devices.spec import SparsitySpec
from ..columns import Floats, KernelTable
from ..filters import FilterFacts
from .spmm import nonzero_share

_N_OF_M = re.compile(r"(\d{1,3}):(\d{1,3})")
_NO_DEPTH = frozenset({"DEPTHWISE_CONV_2D"})  # its sum has no input channels to take N of M of


class Skipped(NamedTuple):
    """Divisors of a row's multiplications: as declared (nan is unknown), and at most."""

    factor: Floats
    most: Floats


def skipped(table: KernelTable, sparsity: SparsitySpec | None) -> Skipped:
    """1 for every row that the hardware does not speed up."""
    plain = np.ones(len(table))
    if sparsity is None:
        return Skipped(plain, plain)
    profits = profiting_rows(table, sparsity)
    most = np.where(profits, 1 / np.maximum(nonzero_share(table), 1e-9), plain)
    if sparsity.max_speedup is None:
        return Skipped(np.where(profits, np.nan, plain), most)
    limit = sparsity.max_speedup
    factor = np.full(len(table), limit) if sparsity.pattern == "n:m" else np.minimum(most, limit)
    factor = np.where(profits, factor, plain)
    return Skipped(factor, factor)


def profiting_rows(table: KernelTable, sparsity: SparsitySpec) -> npt.NDArray[np.bool_]:
    """Rows whose zeros the hardware can skip."""
    fits, kinds = _FITS[sparsity.pattern], frozenset(sparsity.ops)
    never = _NO_DEPTH if sparsity.pattern == "n:m" else frozenset[str]()
    return np.array([
        facts.bits > 0 and (op.kind in kinds if kinds else op.kind not in never) and fits(facts, sparsity)
        for op, facts in zip(table.ops, table.filters, strict=True)
    ], dtype=bool)  # fmt: skip


def _fits_n_of_m(facts: FilterFacts, sparsity: SparsitySpec) -> bool:
    match = _N_OF_M.fullmatch(facts.pattern)
    return match is not None and int(match[1]) <= (sparsity.n or 0) and int(match[2]) == sparsity.m


def _fits_any(facts: FilterFacts, sparsity: SparsitySpec) -> bool:
    """A zero here and there, as every filter has them, makes no figure unknown."""
    return facts.is_pruned or sparsity.max_speedup is not None


def _fits_block(facts: FilterFacts, sparsity: SparsitySpec) -> bool:
    return facts.pattern == f"{sparsity.n}x{sparsity.m}"


_FITS: dict[str, Callable[[FilterFacts, SparsitySpec], bool]] = {
    "n:m": _fits_n_of_m,
    "block": _fits_block,
    "unstructured": _fits_any,
    "channel": lambda _facts, _sparsity: False,
}
