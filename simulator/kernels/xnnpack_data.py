"""Which coefficients price a NEON kernel library on a core? From data/neon.csv, with their held-out spread.

MACs per cycle = rate(library, type) x rate(core) x deviation(library, core, type). The interval is that of
rows left out of the fit which were known as well as the target is:

  network        library, core, type and threads were measured, the network was not
  fewer_threads  only several threads were measured; more_threads: only one; ncnn's gain by threads counts too
  cell           the core was measured with other libraries or types: the deviation is 1
  core           the core was never measured: its rate is the mean of all
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ...devices.target import Target
from ..interval import Basis

_DATA = Path(__file__).parents[1] / "data" / "neon.csv"
CLASSES = ("window", "depthwise", "dense", "outputs", "elements", "activations")
Key = tuple[str, str, str, str]  # name, library, core, type; "" where it does not depend on one


class NeonCosts(NamedTuple):
    """What one library costs on one core in one type.

    Args:
        cost_of: class -> equivalent MACs of one of its units.
        lo_ratio, hi_ratio: p10 and p90 of measured / predicted where such rows were left out of the fit.
    """

    macs_per_cycle: float
    cost_of: Mapping[str, float]
    overhead_cycles: float
    sync_s: float
    thread_efficiency: float
    bytes_factor: float
    stream_bytes_per_s: float
    lo_ratio: float
    hi_ratio: float
    basis: Basis
    source: str


def neon_costs(target: Target, dtype: str) -> NeonCosts:
    """The coefficients for this target's library, core and threads."""
    library, core = target.runtime.kernel_library, target.device.core
    return _costs(library, core.name, dtype, has_dot="dotprod" in core.isa, threads=target.threads)


def is_priced(library: str, dtype: str) -> bool:
    """Whether anything of this library was measured in this type."""
    return ("rate", library, "", dtype) in coefficients()


@lru_cache(maxsize=64)
def _costs(library: str, core: str, dtype: str, *, has_dot: bool, threads: int) -> NeonCosts:
    table = coefficients()
    deviation = table.get(("deviation", library, core, dtype))
    level = _level(library, core, dtype, threads=threads)
    rate = table["rate", library, "", dtype] * table.get(("rate", "", core, ""), 1.0) * (deviation or 1.0)
    lo, hi = (table.get((f"{level}_{end}", library, "", ""), table[f"{level}_{end}", "", "", ""])
              for end in ("lo", "hi"))  # fmt: skip
    dot = table.get(("dot_product", library, "", dtype), 1.0) if has_dot and deviation is None else 1.0
    return NeonCosts(
        macs_per_cycle=rate * dot,
        cost_of={name: table[name, library, "", dtype] for name in CLASSES},
        overhead_cycles=table["overhead_cycles", library, "", ""],
        sync_s=table["sync_s", library, "", ""],
        thread_efficiency=table.get(
            ("thread_efficiency", "", core, ""), table["thread_efficiency", "", "", ""]
        ),
        bytes_factor=table["bytes_factor", library, "", ""],
        stream_bytes_per_s=table.get(("stream_bytes_per_s", "", core, ""), float("inf")),
        lo_ratio=lo, hi_ratio=hi * dot,
        basis=Basis.CALIBRATED if level in ("network", "fewer_threads", "more_threads") else Basis.ANALYTIC,
        source=_source(library, core, dtype, level=level, threads=threads),
    )  # fmt: skip


def _level(library: str, core: str, dtype: str, *, threads: int) -> str:
    """What of the target was measured: all of it, not with as many threads, another library, nothing."""
    table = coefficients()
    if ("rate", "", core, "") not in table:
        return "core"
    if ("deviation", library, core, dtype) not in table:
        return "cell"
    alike = "several_threads" if threads > 1 else "one_thread"
    if (alike, library, core, dtype) in table:
        return "network"
    return "more_threads" if threads > 1 else "fewer_threads"


def _source(library: str, core: str, dtype: str, *, level: str, threads: int) -> str:
    known = {
        "network": f"{library} {dtype} kernels, fitted to phones.csv on {core}",
        "fewer_threads": f"{library} {dtype} kernels, fitted to phones.csv on {core} with several threads",
        "more_threads": f"{library} {dtype} kernels, fitted to phones.csv on {core} with one thread",
        "cell": f"{library} {dtype} kernels, never measured on {core}: from other libraries there",
        "core": f"{library} {dtype} kernels; {core} was never measured: the mean of all cores",
    }[level]
    shared = f"{threads} threads" if threads > 1 else "1 thread"
    return f"{known}; {shared}, nothing overlaps; p10..p90 of rows left out"


@lru_cache(maxsize=1)
def coefficients() -> dict[Key, float]:
    """The file as a table."""
    with _DATA.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {(r["name"], r["library"], r["core"], r["type"]): float(r["value"]) for r in rows}
