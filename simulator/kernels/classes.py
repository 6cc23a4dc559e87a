"""Which kind of kernel is a row, where builds, releases and measurements speak of kinds?"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from ..columns import KernelTable, Rows

KernelClass = Literal[
    "conv-first", "conv", "conv1x1", "depthwise", "depthwise-other", "fully-connected", "pool", "other",
    "reference",
]
CLASSES: tuple[KernelClass, ...] = get_args(KernelClass)
_FEW_CHANNELS = 4  # below, CMSIS-NN's im2col cannot read whole words
_PLAIN: dict[str, KernelClass] = {
    "DEPTHWISE_CONV_2D": "depthwise", "FULLY_CONNECTED": "fully-connected", "AVERAGE_POOL_2D": "pool",
    "MAX_POOL_2D": "pool",
}  # fmt: skip


def kernel_classes(table: KernelTable) -> tuple[KernelClass, ...]:
    """One class per row."""
    if "classes" not in table._cache:
        table._cache["classes"] = tuple(_class_of(table, row) for row in range(len(table)))
    found: tuple[KernelClass, ...] = table._cache["classes"]
    return found


def class_numbers(table: KernelTable) -> Rows:
    """One position in CLASSES per row."""
    if "class_numbers" not in table._cache:
        positions = {name: position for position, name in enumerate(CLASSES)}
        numbers = [positions[name] for name in kernel_classes(table)]
        table._cache["class_numbers"] = np.array(numbers, dtype=np.intp)
    found: Rows = table._cache["class_numbers"]
    return found


def _class_of(table: KernelTable, row: int) -> KernelClass:
    """ "reference" is what a vendor's library runs that no counted kernel of its own kind stands for."""
    if table.choices[row].library == "x-cube-ai" and table.choices[row].route == "ref":
        return "reference"
    kind, e = table.ops[row].kind, table.extents
    if kind == "DEPTHWISE_CONV_2D" and (e.k_h[row] != 3 or e.k_w[row] != 3):
        return "depthwise-other"
    if kind != "CONV_2D":
        return _PLAIN.get(kind, "other")
    if e.k_h[row] == 1 and e.k_w[row] == 1:
        return "conv1x1"
    return "conv-first" if e.in_c[row] < _FEW_CHANNELS else "conv"
