"""Which model on which target is an answer about? Their names, sizes and operating point."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelFacts:
    name: str
    file_bytes: int
    sha256: str
    op_count: int
    macs: int | None
    input_dtypes: tuple[str, ...]
    weight_bytes: int
    subgraph_count: int


@dataclass(frozen=True, slots=True)
class TargetFacts:
    device: str
    title: str
    core: str
    clock_hz: float
    runtime: str
    runtime_title: str
    kernel_library: str
    runtime_is_default: bool
    power_boundary: str = ""  # what the energy is measured at: core, mcu, board; "" where nobody knows
    supply: str = ""  # "1.8 V LDO": of the power figure that the energy stands on
