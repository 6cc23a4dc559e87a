"""By how much are figures varied that follow from fits and tables, where no file states them?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Factors on what is known; 1 is as it is known.

    Args:
        compute: cycles of the kernels without waiting for memory.
        stalls: cycles per weight byte that the kernels wait, as it was fitted.
        code: bytes of runtime and kernels in flash.
        static_ram: bytes that the runtime keeps beside the arena.
        arena: bytes of an arena that is modelled, not planned to the byte.
    """

    compute: float = 1.0
    stalls: float = 1.0
    code: float = 1.0
    static_ram: float = 1.0
    arena: float = 1.0


AS_KNOWN = WhatIf()
