"""Which ways of building the firmware are still open, and what are the two ends called."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from ...devices.runtime import CodeModel

_DEFAULT_FLAGS = "Oscore+O2kernels"
_ALL_FLAGS = (_DEFAULT_FLAGS, "Os", "O2", "O3")


class Choice(NamedTuple):
    """One way to build, as firmwares were linked."""

    flags: str
    strip: bool
    is_narrow: bool


def open_choices(code: CodeModel) -> tuple[Choice, ...]:
    """Every way that the declarations leave open; the first is what TFLM does unless told otherwise."""
    flags = (code.flags,) if code.flags else _ALL_FLAGS
    strips = (False, True) if code.strip_error_strings is None else (code.strip_error_strings,)
    narrow = (False, True) if code.registrations is None else (code.registrations == "int8",)
    return tuple(Choice(*way) for way in product(flags, strips, narrow))


def ends(code: CodeModel, narrow: str) -> tuple[str, str, str] | None:
    """Names of the low end, the high end and the value over what is not declared; None if all is.

    Args:
        narrow: what the narrower registrations of this model are called; "" if it has none.
    """
    low, high, value = [], [], []
    for is_open, names in (
        (not code.flags, ("-Os", "-O3", "-Os with kernels at -O2")),
        (code.strip_error_strings is None, ("error strings stripped", "kept", "kept")),
        (code.registrations is None and bool(narrow), (f"{narrow} registrations", "all types", "all types")),
        (code.ndebug is None, ("NDEBUG", "no NDEBUG", "NDEBUG")),
        (code.libc is None, ("newlib-nano", "full newlib", "newlib-nano")),
        (code.debug_log is None, ("a log callback", "any log", "a log callback")),
    ):
        if is_open:
            low.append(names[0])
            high.append(names[1])
            value.append(names[2])
    if not low:
        return None
    return ", ".join(low), ", ".join(high), ", ".join(value)
