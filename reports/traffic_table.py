"""What do the kernels move: per op, memory and direction, with totals and bytes per MAC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..simulator.estimate import Estimate, OpEstimate, Traffic

# What the latency of an op takes for granted (simulator/latency.py), by the runtime's kernel library.
_OVERLAP = {
    "accelerator": (
        "An accelerator works while it is fed: the slower of work and transfers counts; p90 is their sum."
    ),
}
_NO_OVERLAP = "Time that a kernel waits for a memory is added to the time of the core: nothing overlaps."


@dataclass(frozen=True, slots=True)
class TrafficRow:
    """What one kernel moves per memory, and per MAC of it; None for an op without MACs."""

    op: OpEstimate
    moved: Mapping[str, Traffic]
    bytes_per_mac: float | None


@dataclass(frozen=True, slots=True)
class TrafficTable:
    """Every kernel's row, and the sums.

    Args:
        totals: memory -> what all kernels move.
        bytes_per_mac: memory -> bytes per MAC of the model; None where the model's MACs are not known.
        all_bytes_per_mac: the same over all memories.
    """

    rows: tuple[TrafficRow, ...]
    totals: Mapping[str, Traffic]
    bytes_per_mac: Mapping[str, float | None]
    all_bytes_per_mac: float | None


def traffic_table(estimate: Estimate) -> TrafficTable:
    """The memories that see traffic in the order they are first seen, and a row per kernel."""
    rows = tuple(TrafficRow(op, moved := _sums(op.traffic), _per_mac(moved, op.macs)) for op in estimate.ops)
    totals = _sums(t for op in estimate.ops for t in op.traffic)
    macs = estimate.model.macs
    each = {name: _per_mac({name: t}, macs) for name, t in totals.items()}
    return TrafficTable(rows, totals, each, _per_mac(totals, macs))


def overlap_sentence(estimate: Estimate) -> str:
    """What is taken for granted of transfers beside work."""
    return _OVERLAP.get(estimate.target.kernel_library, _NO_OVERLAP)


def _sums(moved: Iterable[Traffic]) -> dict[str, Traffic]:
    found: dict[str, Traffic] = {}
    for t in moved:
        found[t.memory] = found[t.memory] + t if t.memory in found else t
    return found


def _per_mac(moved: Mapping[str, Traffic], macs: int | None) -> float | None:
    """(read + written) / MACs."""
    return sum(t.read_bytes + t.write_bytes for t in moved.values()) / macs if macs else None
