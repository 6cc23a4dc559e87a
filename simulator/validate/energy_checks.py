"""What is known of energy in general, and does the model say it too? Clock, silicon, software, streaming."""

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
_WITHIN, _SOFTWARE_WITHIN = 0.10, 0.25
_MICRONETS_SPEEDUP = 2.3  # arXiv 2010.11267, table 4: latency of NUCLEO-F446RE / NUCLEO-F746ZG


def network_claims(groups: Groups) -> Iterator[Claim]:
    """Would a power of its own for flash-streaming networks predict better than constant power?"""
    ratios = {point: ratio for point, rows in groups.items() if (ratio := _streaming_ratio(rows)) is not None}
    constant, fitted = [], []
    for point, ratio in ratios.items():
        elsewhere = [other for p, other in ratios.items() if p.device != point.device]
        constant.append(abs(1 - ratio) / ratio)
        fitted.append(abs(float(np.median(elsewhere)) - ratio) / ratio)
    low, high = min(ratios.values()), max(ratios.values())
    plain, better = 100 * median(constant), 100 * median(fitted)
    yield Claim(
        "constant power: a factor for flash-streaming networks, fitted on other boards, gains under a point",
        f"power of AD / other networks {low:.2f} to {high:.2f}; median |error| {plain:.1f} % constant, "
        f"{better:.1f} % with the factor ({len(ratios)} points)",
        plain - better < 1,
    )


def _streaming_ratio(rows: list[EnergyRow]) -> float | None:
    streaming = [row.power_w for row in rows if row.network in _STREAMING]
    others = [row.power_w for row in rows if row.network not in _STREAMING]
    return streaming[0] / median(others) if streaming and others else None


def check_claims() -> Iterator[Claim]:
    """Statements that hold on measured boards, asked of the model. No core voltage is modelled: no CV2."""
    kws = build("kws01", dtype="int8")
    yield _silicon_claim(kws)
    yield _clock_claim(kws, "apollo510", ("250 MHz", "96 MHz"), 0.80)
    yield _clock_claim(kws, "apollo4-plus", ("192 MHz", "96 MHz"), 1.20)
    yield _software_claim()


def _silicon_claim(graph: ModelGraph) -> Claim:
    """The M7 board is 2.3 times as fast as the M4 board over the networks of MicroNets."""
    slow, fast = (load_target(board) for board in ("nucleo-f446re", "nucleo-f746zg"))
    drawn = (power_w(fast).value or 0.0) / (power_w(slow).value or 1.0)
    ours = drawn / _MICRONETS_SPEEDUP
    seconds = [simulate(graph, target).metric("latency_s").value or 0.0 for target in (slow, fast)]
    return Claim(
        "a faster MCU is not less energy: NUCLEO-F746ZG takes 1.08 to 1.33 times that of NUCLEO-F446RE",
        f"{ours:.2f} times at the measured speed-up of {_MICRONETS_SPEEDUP}; the predicted one of "
        f"{graph.name} is {seconds[0] / seconds[1]:.2f}",
        1.08 <= ours <= 1.33,
    )


def _clock_claim(graph: ModelGraph, board: str, clocks: tuple[str, str], measured: float) -> Claim:
    joules = [simulate(graph, load_target(board, clock=clock)).metric("energy_j").value for clock in clocks]
    ours = (joules[1] or 0.0) / (joules[0] or 1.0)
    text = f"{board}: {clocks[1]} takes {measured:.2f} times the energy of {clocks[0]}, within 10 %"
    return Claim(text, f"{ours:.2f}", abs(ours / measured - 1) <= _WITHIN)


def _software_claim() -> Claim:
    """Image classification on one board, by its slowest and its fastest software, from the measured times."""
    rows = [
        row for row in energy_rows()
        if not row.left_out and row.network == "ic" and row.point.device == "nucleo-l4r5zi"
        and str(row.point.supply) == "1.8 V LDO"
    ]  # fmt: skip
    most, least = max(rows, key=lambda r: r.energy_j), min(rows, key=lambda r: r.energy_j)
    joules = [
        (power_w(load_target("nucleo-l4r5zi", _released(row))).value or 0.0) * row.latency_s
        for row in (most, least)
    ]
    ours, measured = joules[0] / joules[1], most.energy_j / least.energy_j
    return Claim(
        "software is worth as much as silicon: two runtimes on one board, energy of IC within 25 %",
        f"{ours:.2f} times, measured {measured:.2f} ({most.point.runtime} / {least.point.runtime})",
        abs(ours / measured - 1) <= _SOFTWARE_WITHIN,
    )


def _released(row: EnergyRow) -> str:
    """A runtime of the catalogue that may stand for the row's."""
    return "tflm-cmsis-nn" if row.point.runtime_name != "x-cube-ai" else "x-cube-ai@8.1"
