"""What does a compiled model look like: a table with one row per kernel, every column an array.

Device-free. Extents are those of `graphs.dims.OpDims`; an op without a window is out_elements / channels
pixels of `channels` channels. All numbers are float64: counts stay exact up to 2**53.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from ..graphs.ir import Op
from .filters import FilterFacts
from .kernel_choice import KernelChoice

Floats = npt.NDArray[np.float64]
Grades = npt.NDArray[np.int8]  # positions in interval.BY_WEAKNESS
Rows = npt.NDArray[np.intp]  # row numbers
UNSIZED = "its shapes do not say how much work it is"


@dataclass(frozen=True, eq=False)
class Extents:
    """The extents of every row; `row_taps` and `col_taps` are (position, tap) pairs inside the input."""

    batch: Floats
    in_h: Floats
    in_w: Floats
    in_c: Floats
    out_h: Floats
    out_w: Floats
    out_c: Floats
    k_h: Floats
    k_w: Floats
    filter_c: Floats
    stride_h: Floats
    stride_w: Floats
    row_taps: Floats
    col_taps: Floats


@dataclass(frozen=True, eq=False)
class KernelTable:
    """One row per kernel of the main subgraph.

    Args:
        ops, choices: the op and the kernel that runs it.
        data_types, weight_types: element type names of the data input and of a constant filter; "" without.
        is_padded, is_dilated, depth_multipliers: what kernel families depend on besides the extents.
        is_sized: whether the shapes say how much work the op is; without, nobody can price it.
        macs: multiply-accumulates; nan where nobody knows.
        in_elements, out_elements: of activations.
        in_bytes, out_bytes: of activations, each tensor once.
        filter_bytes, filter_elements: of the constant filter (or of all recurrent weights), as stored.
        weight_bytes: of all constants of the op: filter, bias, lookup tables.
        swallowed_elements: elements that the ops fused into the kernel work on.
        operand_bytes: of activations, as often as the kernel reads them: x + x, or x and then the residual x.
        is_broadcast, copy_runs, index_steps, axis_tests: what `loops.Loops` says.
        filters: what is known of the filters beyond their bytes.
        nonzero_elements: filter values that do not stand for zero.
    """

    ops: tuple[Op, ...]
    choices: tuple[KernelChoice, ...]
    data_types: tuple[str, ...]
    weight_types: tuple[str, ...]
    is_padded: tuple[bool, ...]
    is_dilated: tuple[bool, ...]
    depth_multipliers: tuple[int, ...]
    has_window: tuple[bool, ...]
    is_sized: tuple[bool, ...]
    is_broadcast: tuple[bool, ...]
    filters: tuple[FilterFacts, ...]
    extents: Extents
    macs: Floats
    in_elements: Floats
    out_elements: Floats
    in_bytes: Floats
    out_bytes: Floats
    filter_bytes: Floats
    filter_elements: Floats
    weight_bytes: Floats
    swallowed_elements: Floats
    operand_bytes: Floats
    copy_runs: Floats
    index_steps: Floats
    axis_tests: Floats
    nonzero_elements: Floats
    _cache: dict[Any, Any] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.ops)


def joined(tables: Sequence[KernelTable]) -> KernelTable:
    """The rows of all tables below each other, for one pass over many variants of one kernel build."""
    named = {part.name: [getattr(table, part.name) for table in tables] for part in fields(KernelTable)}
    del named["_cache"]
    extents = {
        part.name: np.concatenate([getattr(table.extents, part.name) for table in tables])
        for part in fields(Extents)
    }
    columns: dict[str, Any] = {"extents": Extents(**extents)}
    for name, parts in named.items():
        if isinstance(parts[0], tuple):
            columns[name] = tuple(item for part in parts for item in part)
        elif name != "extents":
            columns[name] = np.concatenate(parts)
    return KernelTable(**columns)
