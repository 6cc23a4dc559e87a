"""How much larger is the firmware with another C library, another log, or without NDEBUG."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from ...devices.runtime import CodeModel
from .links import VariantLink, variant_links

_MAIN_TABLE = "newlib-nano/callback"  # how the firmwares of the main table were linked
_LIBRARIES = ("newlib-nano", "newlib-nano-float", "newlib")
_LOGS = ("callback", "default")
_NO_NDEBUG = "no NDEBUG"
# NDEBUG was left out on Cortex-M4 at -Os only. For another core or other flags the same share of that
# build's code is taken, with this assumed width.
_OTHER_BUILD = (0.8, 1.3)


class Extra(NamedTuple):
    """Bytes on top of the firmware of the main table."""

    value: float
    lo: float
    hi: float
    note: str = ""

    def __add__(self, other: object) -> Extra:
        assert isinstance(other, Extra)
        note = "; ".join(text for text in (self.note, other.note) if text)
        return Extra(self.value + other.value, self.lo + other.lo, self.hi + other.hi, note)


NOTHING = Extra(0.0, 0.0, 0.0)


class LinkedCode(NamedTuple):
    """The firmware of the main table that the extra comes on top of."""

    core: str
    kernels: str
    flags: str
    strip: bool
    code_bytes: float
    base_bytes: float


def extra_of(code: CodeModel, linked: LinkedCode) -> Extra:
    """What the declared C library, log and NDEBUG add; what is not declared widens the interval."""
    libraries = _LIBRARIES if code.libc is None else (code.libc,)
    logs = _LOGS if code.debug_log is None else (code.debug_log,)
    printing = [_printing(library, log, linked) for library in libraries for log in logs]
    assertions = [_assertions(is_defined, linked) for is_defined in _ways(code.ndebug)]
    return _one_of(printing) + _one_of(assertions)


def _ways(ndebug: bool | None) -> tuple[bool, ...]:
    return (True, False) if ndebug is None else (ndebug,)


def _one_of(ways: list[Extra]) -> Extra:
    """The first way is the value; the others are what it may be."""
    first = ways[0]
    return Extra(first.value, min(w.lo for w in ways), max(w.hi for w in ways), first.note)


def _printing(library: str, log: str, linked: LinkedCode) -> Extra:
    name = f"{library}/{log}"
    if name == _MAIN_TABLE:
        return NOTHING
    found = [link for link in variant_links() if link.variant == name]
    if not found:  # each of the two was linked, not both together
        return _printing(library, "callback", linked) + _printing("newlib-nano", log, linked)
    own = [link for link in found if link.core == linked.core]
    extras = [link.extra_bytes for link in own or found]
    lo, hi = min(extras), max(extras)
    if linked.strip:
        return Extra(hi, 0.0, hi, f"{name}: at most what it adds to a firmware that logs")
    kws = [float(link.extra_bytes) for link in own or found if link.config == "mlperf_kws"]
    has_ops = linked.code_bytes > linked.base_bytes
    value = _middle(kws) if has_ops else lo + (hi - lo) / 2
    note = "" if own else f"{name} was not linked for this core"
    return Extra(value, lo, hi, note)


def _assertions(is_ndebug: bool, linked: LinkedCode) -> Extra:
    """extra = of the runtime + share x (code of the ops); both from the firmwares linked without NDEBUG."""
    if is_ndebug:
        return NOTHING
    runtime, low, middle, high = _assertion_shares(linked.kernels)
    ops_bytes = max(0.0, linked.code_bytes - linked.base_bytes)
    less, more = (1.0, 1.0) if linked.core == "m4" and linked.flags == "Os" else _OTHER_BUILD
    return Extra(
        runtime + middle * ops_bytes,
        0.0 if linked.strip else less * (runtime + low * ops_bytes),
        more * (runtime + high * ops_bytes),
        "NDEBUG left out: from firmwares linked for Cortex-M4 at -Os",
    )


@lru_cache(maxsize=4)
def _assertion_shares(kernels: str) -> tuple[float, float, float, float]:
    """Bytes of the runtime's own assertions; lowest, median, highest share of the ops' code."""
    links = [link for link in variant_links() if link.variant == _NO_NDEBUG]
    runtime = next(link.extra_bytes for link in links if link.config == "baseline_noops")
    shares = list(_shares((link for link in links if link.kernels == kernels), runtime))
    return float(runtime), min(shares), _middle(shares), max(shares)


def _middle(values: list[float]) -> float:
    """The median (the upper one of two): `statistics` takes longer to import than all of this."""
    return sorted(values)[len(values) // 2]


def _shares(links: Iterable[VariantLink], runtime_bytes: int) -> Iterable[float]:
    for link in links:
        if not link.config.startswith("baseline"):
            yield (link.extra_bytes - runtime_bytes) / (link.linked_bytes - link.base_bytes)
