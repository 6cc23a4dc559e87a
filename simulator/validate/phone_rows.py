"""Which published latencies of Cortex-A boards and phones are compared, and which network is each of?"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...devices.catalog import load_target
from ...devices.target import Target
from ...devices.units import parse_s
from ...graphs.ir import ModelGraph
from ...graphs.passes.fusion import fuse
from ...graphs.zoo import build

_DATA = Path(__file__).parents[1] / "data" / "measured" / "phones.csv"
# How a network's name begins -> its family; a family is left out of the fit as one.
_FAMILIES = {"ic01": "resnet", "resnet": "resnet", "squeezenet": "squeezenet", "mobilenet-v1": "mobilenet-v1",
             "mobilenet-v2": "mobilenet-v2", "mobilenet-v3": "mobilenet-v3"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PhoneRow:
    """One published figure; `left_out` says why it is not compared."""

    device: str
    runtime: str
    threads: int
    clock: str
    network: str
    dtype: str
    latency_s: float
    source: str
    left_out: str

    @property
    def family(self) -> str:
        return next(family for start, family in _FAMILIES.items() if self.network.startswith(start))

    @property
    def target(self) -> Target:
        return load_target(self.device, self.runtime, self.clock or None, threads=self.threads)

    @property
    def graph(self) -> ModelGraph:
        """The kernels; the published networks pad inside their convolutions."""
        return _kernels(self.network, self.dtype)


@lru_cache(maxsize=128)
def _kernels(network: str, dtype: str) -> ModelGraph:
    name, *plan = network.split()
    choices = dict(zip(("width", "resolution", "classes"), plan, strict=False))
    graph = build(
        name, dtype=dtype,
        width=float(choices["width"]) if "width" in choices else None,
        resolution=int(choices["resolution"]) if "resolution" in choices else None,
        classes=int(choices["classes"]) if "classes" in choices else None,
    )  # fmt: skip
    return fuse(graph, ("pad-conv",)).graph


@lru_cache(maxsize=1)
def all_phone_rows() -> tuple[PhoneRow, ...]:
    """Every row of the file, those left out included."""
    with _DATA.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return tuple(
            PhoneRow(
                r["device"], r["runtime"], int(r["threads"]), r["clock"], r["network"], r["dtype"],
                parse_s(r["latency"]), r["source"], r["left_out"],
            )
            for r in rows
        )  # fmt: skip


def phone_rows() -> tuple[PhoneRow, ...]:
    """The rows that are compared."""
    return tuple(row for row in all_phone_rows() if not row.left_out)


def left_out() -> Iterator[str]:
    """How many rows were left out for each reason."""
    reasons = [row.left_out for row in all_phone_rows() if row.left_out]
    for reason in dict.fromkeys(reasons):
        yield f"{reasons.count(reason)} rows: {reason}"
