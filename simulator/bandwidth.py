"""How much each memory has to move per second, and how much it offers."""

from __future__ import annotations

from ..devices.spec import MemorySpec
from .estimate import Basis, Interval, exact, unknown
from .interval import weakest

_BASIS = {"datasheet": Basis.DATASHEET, "measured": Basis.MEASURED, "primary": Basis.MEASURED}


_TRAFFIC_SOURCE = "loops of the kernels: every load and store; at least every byte of every tensor once"


def traffic_interval(moved_bytes: int, least_bytes: int) -> Interval:
    """Bytes that the kernels' loops move; registers and caches may spare all but each byte once."""
    if moved_bytes == 0:
        return exact(0.0, "no traffic")
    return Interval(moved_bytes, min(least_bytes, moved_bytes), moved_bytes, Basis.ANALYTIC, _TRAFFIC_SOURCE)


def required_bandwidth(traffic_bytes: Interval, latency_s: Interval) -> Interval:
    """traffic / latency; the least traffic and a slow estimate give the low end. Null where either is."""
    moved, least, most = traffic_bytes.value, traffic_bytes.lo, traffic_bytes.hi
    if moved is None or least is None or most is None:
        return unknown(f"traffic unknown: {traffic_bytes.reason}")
    if moved == 0:
        return exact(0.0, "no traffic")
    if latency_s.value is None or latency_s.lo is None or latency_s.hi is None:
        return unknown(f"latency unknown: {latency_s.reason}")
    if latency_s.lo <= 0:
        return unknown("latency is zero")
    return Interval(
        moved / latency_s.value,
        least / latency_s.hi,
        most / latency_s.lo,
        weakest((traffic_bytes.basis, latency_s.basis)),
        "traffic / latency",
    )


def deadline_bandwidth(traffic_bytes: Interval, deadline_s: float | None) -> Interval:
    """traffic / deadline, as sure as the traffic."""
    moved, least, most = traffic_bytes.value, traffic_bytes.lo, traffic_bytes.hi
    if deadline_s is None:
        return unknown("no deadline was given, or the declared steps leave nothing of it")
    if moved is None or least is None or most is None:
        return unknown(f"traffic unknown: {traffic_bytes.reason}")
    return Interval(
        moved / deadline_s, least / deadline_s, most / deadline_s, traffic_bytes.basis, "traffic / deadline"
    )


def offered_bandwidth(memory: MemorySpec, clock_hz: float) -> Interval:
    """What the memory delivers at this core clock: bus width / (1 + wait states) x clock, or as stated."""
    access = memory.access
    if access is None:
        return unknown(f"the device file states no access speed for {memory.name}")
    offered = access.bandwidth_at(clock_hz)
    basis = _BASIS.get(access.confidence, Basis.ANALYTIC)
    return Interval(offered, offered, offered, basis, access.source)
