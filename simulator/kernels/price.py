"""What is known of a kernel family: its coefficients on one core, and how far they may be off."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..columns import Floats
from ..interval import Basis
from .terms import TERMS

_DATA = Path(__file__).parents[1] / "data"
# Terms that a table has besides the extents of its rows.
TABLE_TERMS = (
    "in_elements", "out_elements", "moved_bytes", "out_bytes", "copy_runs", "index_steps", "axis_tests",
    "mac_rows", "tap_sums",
)  # fmt: skip
ALL_TERMS = (*TERMS, *TABLE_TERMS)
_COLUMN = {term: column for column, term in enumerate(ALL_TERMS)}
_FEW_POINTS = 12  # a fit to fewer points has no spread of its own:
_FEW_POINTS_PCT = 10.0  # then at least this error


class Price(NamedTuple):
    """The family of one kernel, and by how much its cost is thought to differ from the family's.

    `reason` says why the factors are not one. An empty family is a kernel nobody can price.
    """

    family: str
    reason: str = ""
    lo: float = 1.0
    factor: float = 1.0
    hi: float = 1.0


class Family(NamedTuple):
    """Coefficients over ALL_TERMS, and the factors between which a kernel of the family lies."""

    coefficients: Floats
    lo: float
    hi: float
    basis: Basis
    reason: str


# Cores whose counts stand for those of another that has none. kernel_instructions.csv: the plain C of
# reference kernels needs the same instructions on M3, M4, M7 and M33 (-4 to +4 %); on M55, with low-overhead
# loops, 0.85 of them in the fully connected kernel, 1.06 in the addition. No memcpy of newlib's on RV32.
_STAND_INS = {
    "m3": ("m4", 0.9, 1.1, ""), "m7": ("m4", 0.9, 1.1, ""), "m33": ("m4", 0.9, 1.1, ""),
    "m55": ("m4", 0.6, 1.1, "counted on Cortex-M4: a Cortex-M55 needs fewer in some loops"),
    "rv32imc": ("m4", 0.6, 3.0, "counted on Cortex-M4: copies depend on the C library of the firmware"),
}  # fmt: skip


def unpriced(reason: str) -> Price:
    return Price("", reason)


def compiled_price(price: Price, library: str, counted: str, kind: str, flags: str) -> Price:
    """The price with the flags that the kernel is compiled with, against -O2.

    Args:
        counted: the core whose counts are used.
        kind: the kernel class of the row.
    """
    if not price.family:
        return price
    loops = library if price.family.startswith("ref_") else f"{library}-elements"
    builds = _builds()
    keys = [(one, *place, flags) for one in (loops, library) for place in ((counted, kind), ("", ""))]
    known = next((builds[key] for key in keys if key in builds), None)
    built = known or builds[library, "", "", "unknown"]
    if built.factor == built.lo == built.hi == 1.0:
        return price
    reason = "; ".join(text for text in (price.reason, built.reason) if text)
    return Price(price.family, reason, price.lo * built.lo, price.factor * built.factor, price.hi * built.hi)


@lru_cache(maxsize=1)
def _builds() -> dict[tuple[str, str, str, str], Price]:
    """(library, counted core, kernel class, flags) -> what they do to a price."""
    builds = {}
    for library in ("reference", "reference-elements", "cmsis-nn", "esp-nn"):
        for row in _rows("kernel_builds.csv", library):
            factors = float(row["lo"]), float(row["factor"]), float(row["hi"])
            key = library, row["counted"], row["class"], row["flags"]
            builds[key] = Price("", row["reason"], *factors)
    return builds


@lru_cache(maxsize=16)
def load_families(core: str) -> dict[str, Family]:
    """The measured families of one core, and the analytic forms that hold for it."""
    families: dict[str, Family] = {}
    _add_counted(families, "kernel_coefficients.csv", core)
    _add_counted(families, "reference_coefficients.csv", core)
    for name in ("any", core):
        for row in _rows("kernel_forms.csv", name):
            bounds = float(row["lo_factor"]), float(row["hi_factor"])
            _add(families, row, Family(np.zeros(len(ALL_TERMS)), *bounds, Basis.ANALYTIC, row["reason"]))
    _borrow(families, core)
    return families


def _add_counted(families: dict[str, Family], name: str, core: str) -> None:
    for row in _rows(name, core):
        spread = float(row["p90_pct"])
        if int(row["n"]) < _FEW_POINTS:
            spread = max(spread, _FEW_POINTS_PCT)
        _add(families, row, Family(np.zeros(len(ALL_TERMS)), max(0.0, 1 - spread / 100), 1 + spread / 100,
                                   Basis.CALIBRATED, ""))  # fmt: skip


def _borrow(families: dict[str, Family], core: str) -> None:
    """Families that were counted on another core only, with a wider interval."""
    if core not in _STAND_INS:
        return
    other, lo, hi, reason = _STAND_INS[core]
    borrowed: dict[str, Family] = {}
    _add_counted(borrowed, "reference_coefficients.csv", other)
    basis = Basis.ANALYTIC if reason else Basis.CALIBRATED
    for name, family in borrowed.items():
        wider = family._replace(lo=family.lo * lo, hi=family.hi * hi, basis=basis, reason=reason)
        families.setdefault(name, wider)


def _add(families: dict[str, Family], row: dict[str, str], empty: Family) -> None:
    family = families.setdefault(row["family"], empty)
    family.coefficients[_COLUMN[row["term"]]] += float(row["coefficient"])


def _rows(name: str, key: str) -> Iterator[dict[str, str]]:
    """The rows of a data file whose first column is this key; only the last column may hold a comma."""
    header: list[str] = []
    with (_DATA / name).open(encoding="utf-8") as file:
        for line in file:
            if line.startswith(f"{key},"):
                yield dict(zip(header, line.rstrip("\n").split(",", len(header) - 1), strict=True))
            elif line.startswith(("core,", "library,")):
                header = line.rstrip("\n").split(",")
