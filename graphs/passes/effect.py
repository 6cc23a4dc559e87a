"""What a fusion changed: counts before and after, device-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FusionSide:
    """One side of a fusion, over the main subgraph.

    Args:
        op_count: kernels that run.
        traffic_bytes: activation bytes that all kernels read and write in RAM (weights are not in it).
        peak_bytes: largest sum of activations alive at one time.
    """

    op_count: int
    traffic_bytes: int
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class FusionEffect:
    """What the runtime's fusion rules did: before, after, and how often each rule applied."""

    rules: tuple[str, ...]
    applied: Mapping[str, int]
    before: FusionSide
    after: FusionSide
