"""What does external RAM cost? ST's MobileNetV2 rows with activations in SDRAM, against ours.

The larger picture lies in external RAM, the smaller in internal; measured extra time of the external RAM =
latency(224) - latency(128) x MACs(224) / MACs(128). Ours: SDRAM against AXI SRAM, the rest equal.
"""

from __future__ import annotations

from dataclasses import replace

from ...devices.catalog import load_target
from ...graphs.zoo import build
from ..latency import kernel_cycles
from ..rows import total_latency_s, total_macs
from ..workload import compile_table
from .facts import Facts
from .table import Claim, ValidationTable

_BOARD, _CLASSES = "stm32h747i-disco", 5  # Flowers
_VERSIONS = ("7.3.0", "8.1.0")


def placement_table(facts: Facts) -> ValidationTable:
    """Per version of ST's runtime: extra milliseconds, measured and predicted with CMSIS-NN."""
    predicted, macs_ratio = _predicted_ms()
    value, low, high = (round(part, 1) for part in predicted)
    measured = {version: round(_measured_ms(facts, version, macs_ratio), 1) for version in _VERSIONS}
    rows = tuple((version, extra, value, low, high) for version, extra in measured.items())
    inside = sum(low <= extra <= high for extra in measured.values())
    return ValidationTable(
        "placements", "MobileNetV2 0.35 at 224 on STM32H747I-DISCO: what activations in SDRAM cost",
        ("version", "measured extra ms", "predicted extra ms", "at least ms", "at most ms"), rows,
        (Claim("the measured extra lies in the predicted interval", f"{inside} of {len(rows)}",
               inside == len(rows)),
         Claim("the predicted value itself", f"{value / min(measured.values()):.0%} of the measured", None)),
        ("SqueezeNet rows: the zoo does not build it",),
    )  # fmt: skip


def _predicted_ms() -> tuple[tuple[float, float, float], float]:
    """(taken, at least, at most), and how many times the MACs of the smaller picture."""
    target = load_target(_BOARD, clock="400MHz")
    large, small = (
        compile_table(build("mobilenet-v2", width=0.35, resolution=side, classes=_CLASSES), target.kernels)
        for side in (224, 128)
    )
    times = []
    for arena in ("axi-sram", "sdram"):
        placed = target.placed(replace(target.homes, arena=arena))
        found = total_latency_s(large, kernel_cycles(large, placed), target.clock_hz)
        times.append([1e3 * (part or 0.0) for part in (found.value, found.lo, found.hi)])
    extra = [there - here for here, there in zip(*times, strict=True)]
    ratio = (total_macs(large).value or 0.0) / (total_macs(small).value or 1.0)
    return (extra[0], min(extra), max(extra)), ratio


def _measured_ms(facts: Facts, version: str, macs_ratio: float) -> float:
    """The larger picture's latency beyond the smaller one's scaled by MACs."""
    found = {
        row["resolution"]: float(row["inference_ms"])
        for row in facts.rows("st_model_zoo.csv")
        if row["board"] == "STM32H747I-DISCO" and row["model"].startswith("MobileNet v2 0.35")
        and row["cubeai_version"] == version and row["dataset"] == "Flowers" and row["format"] == "int8"
    }  # fmt: skip
    return found["224x224x3"] - found["128x128x3"] * macs_ratio
