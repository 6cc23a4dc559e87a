"""Which kernel of the runtime's library runs this op: one table, read by scratch, code size and cycles."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KernelChoice:
    """The kernel of one op.

    Args:
        library: the library the kernel comes from ("cmsis-nn", "esp-nn", "reference").
        route: the rule that was taken, e.g. "conv_1x1_fast"; see ROUTES.
        why: one sentence: why this kernel and not a faster one; "" for the expected one.
    """

    library: str
    route: str
    why: str = ""
