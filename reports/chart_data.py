"""What do traffic table and roofline say in the JSON result, beside the figures of every op?"""

from __future__ import annotations

from typing import Any

from ..simulator.estimate import Estimate
from .format import clean
from .roofline import Peak, Point, roofline
from .traffic_table import overlap_sentence, traffic_table


def traffic_data(estimate: Estimate) -> dict[str, Any]:
    """Totals per memory and bytes per MAC; null where the model's MACs are not known."""
    table = traffic_table(estimate)
    return {
        "overlap": overlap_sentence(estimate),
        "bytes_per_mac": table.all_bytes_per_mac,
        "memories": [
            {
                "memory": name, "read_bytes": t.read_bytes, "write_bytes": t.write_bytes,
                "repeated_bytes": t.repeated_bytes, "bytes_per_mac": table.bytes_per_mac[name],
            }
            for name, t in table.totals.items()
        ],
    }  # fmt: skip


def roofline_data(estimate: Estimate) -> dict[str, Any]:
    """Roofs and points; no points and a reason where there is nothing to draw."""
    figures = roofline(estimate)
    return {
        "reason": clean(figures.why_not),
        "notes": [clean(text) for text in figures.left_out],
        "core": None if figures.peak is None else _peak(figures.peak),
        "memories": [
            {"memory": s.memory, "bytes_per_s": s.bytes_per_s, "basis": s.basis, "source": clean(s.source)}
            for s in figures.slopes
        ],
        "points": [_point(point) for point in figures.points],
    }


def _peak(peak: Peak) -> dict[str, Any]:
    return {
        "op": peak.op, "macs_per_s": peak.macs_per_s, "macs_per_cycle": peak.macs_per_cycle,
        "basis": peak.basis,
    }  # fmt: skip


def _point(point: Point) -> dict[str, Any]:
    return {
        "op": point.op.index, "memory": point.memory, "moved_bytes": point.moved_bytes,
        "macs_per_byte": point.macs_per_byte, "macs_per_s": point.macs_per_s,
        "lo": point.lo_macs_per_s, "hi": point.hi_macs_per_s, "basis": point.op.latency_s.basis.value,
    }  # fmt: skip
