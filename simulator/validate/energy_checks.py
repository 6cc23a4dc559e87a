"""What is known of energy in general, and does the model say it too? Clock, silicon, software, flash streaming."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

import numpy as np

from ...devices.catalog import load_target
from ...graphs.ir import ModelGraph
from ...graphs.zoo import build
from ..energy import power_w
from ..simulate import simulate
from .energy_rows import EnergyRow, Groups, energy_rows
from .table import Claim

_STREAMING = ("ad", "AD-baseline (FC-AE)")  # every weight is used once: fetching takes a third of the time
_WITHIN = 0.10


def network_claims(groups: Groups) -> Iterator[Claim]:
    """Would a power of its own for flash-streaming networks predict better than constant power?"""
    ratios = {point: ratio for point, rows in groups.items() if (ratio := _streaming_ratio(rows)) is not None}
    constant, fitted = [], []
    for point, ratio in ratios.items():
        elsewhere = [other for p, other in ratios.items() if p.device != point.device]
        constant.append(abs(1 - ratio) / ratio)
        fitted.append(abs(float(np.median(elsewhere)) - ratio) / ratio)
    low, high = min(ratios.values()), max(ratios.values())
    yield Claim(
        "constant power per operating point: a factor for flash-streaming networks, fitted on other boards, "
        "gains less than a point",
        f"power of AD / other networks {low:.2f} to {high:.2f}; median |error| {100 * median(constant):.1f} % "
        f"constant, {100 * median(fitted):.1f} % with the factor ({len(ratios)} points)",
        median(constant) - median(fitted) < 0.01,
    )


def _streaming_ratio(rows: list[EnergyRow]) -> float | None:
    streaming = [row.power_w for row in rows if row.network in _STREAMING]
    others = [row.power_w for row in rows if row.network not in _STREAMING]
    return streaming[0] / median(others) if streaming and others else None


def check_claims() -> Iterator[Claim]:
    """Statements that hold on measured boards, asked of the model. No voltage of a core is modelled: no CV2."""
    kws = build("kws01", dtype="int8")
    slow, fast = (_energy_and_time(kws, board) for board in ("nucleo-f446re", "nucleo-f746zg"))
    yield Claim("a faster MCU is not less energy: NUCLEO-F746ZG takes 1.08 to 1.33 times that of NUCLEO-F446RE",
                f"{fast[0] / slow[0]:.2f} times the energy, {slow[1] / fast[1]:.2f} times as fast; intervals "
                f"{'overlap' if fast[2] <= slow[3] else 'do not overlap'}", None)  # fmt: skip
    yield _clock_claim(kws, "apollo510", ("250 MHz", "96 MHz"), 0.80)
    yield _clock_claim(kws, "apollo4-plus", ("192 MHz", "96 MHz"), 1.20)
    yield _software_claim()


def _energy_and_time(graph: ModelGraph, board: str, clock: str | None = None) -> tuple[float, ...]:
    estimate = simulate(graph, load_target(board, clock=clock))
    energy, latency = estimate.metric("energy_j"), estimate.metric("latency_s")
    return (energy.value or 0.0, latency.value or 0.0, energy.lo or 0.0, energy.hi or 0.0)


def _clock_claim(graph: ModelGraph, board: str, clocks: tuple[str, str], measured: float) -> Claim:
    high, low = (_energy_and_time(graph, board, clock)[0] for clock in clocks)
    text = f"{board}: {clocks[1]} takes {measured:.2f} times the energy of {clocks[0]}, within 10 %"
    return Claim(text, f"{low / high:.2f}", abs(low / high / measured - 1) <= _WITHIN)


def _software_claim() -> Claim:
    """Image classification on one board, by its slowest and its fastest software, from the measured times."""
    rows = [r for r in energy_rows() if not r.left_out and r.network == "ic"
            and r.point.device == "nucleo-l4r5zi" and r.point.supply is not None and r.point.supply.volts == 1.8]  # fmt: skip
    most, least = max(rows, key=lambda r: r.energy_j), min(rows, key=lambda r: r.energy_j)
    watts = {row: power_w(load_target("nucleo-l4r5zi", _released(row))).value or 0.0 for row in (most, least)}
    ours = watts[most] * most.latency_s / (watts[least] * least.latency_s)
    text = "software is worth as much as silicon: two runtimes on one board, energy of IC within 25 %"
    measured = most.energy_j / least.energy_j
    return Claim(text, f"{ours:.2f} times, measured {measured:.2f} ({most.point.runtime} / {least.point.runtime})",
                 abs(ours / measured - 1) <= 0.25)  # fmt: skip


def _released(row: EnergyRow) -> str:
    """A runtime of the catalogue that may stand for the row's."""
    return "tflm-cmsis-nn" if row.point.runtime_name != "x-cube-ai" else "x-cube-ai@8.1"
