"""What is known of a measured row of the ESP32 family before any fit: instructions, missed bytes, cycles."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from preflash.devices.catalog import load_target
from preflash.devices.target import Target
from preflash.devices.units import parse_hz, parse_s
from preflash.errors import ModelNotFound
from preflash.graphs.build import GraphBuilder
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import ModelGraph
from preflash.graphs.ops import Conv2DAttributes, DepthwiseConv2DAttributes, Pool2DAttributes
from preflash.graphs.passes.fusion import fuse
from preflash.graphs.zoo import build
from preflash.simulator.kernels.cores import core_costs
from preflash.simulator.kernels.instructions import (
    INTERPRETER_INSTRUCTIONS,
    count_instructions,
    firmware_of,
)
from preflash.simulator.placing.words import parse_placement
from preflash.simulator.stalls import arena_stalls, fetched_weights
from preflash.simulator.traffic import kernel_traffic
from preflash.simulator.workload import compile_table

DATA = Path(__file__).resolve().parents[1] / "simulator" / "data"
# Relative scatter of what was measured: plain C of a stated build; loops counted by hand, ticks with data in
# PSRAM; reference kernels, whose build nobody states.
SCATTER = {"plain": 0.03, "simd": 0.10, "ticks": 0.10, "reference": 0.20}


class Point(NamedTuple):
    """One measured row.

    Args:
        measured: cycles at the row's clock.
        bus_cycles: of the flash, for the weight bytes that miss its cache.
        other_cycles: of an arena in PSRAM.
        scatter: relative, of the measured figure.
    """

    chip: str
    runtime: str
    network: str
    measured: float
    instructions: float
    bus_cycles: float
    other_cycles: float
    macs: float
    scatter: float

    @property
    def is_kernel(self) -> bool:
        return self.network.startswith("kernel")


def points() -> list[Point]:
    return [*networks(), *kernels()]


def networks(path: Path = DATA / "measured" / "esp.csv") -> list[Point]:
    """Whole networks that are not left out; one that the zoo does not have is named and skipped."""
    found, skipped = [], set()
    for row in rows_of(path):
        if row["op"] or row["left_out"]:
            continue
        try:
            graph = graph_of(row["network"])
        except ModelNotFound:
            skipped.add(row["network"])
            continue
        cycles = parse_s(row["latency"]) * parse_hz(row["clock"])
        found.append(point_of(graph, target_of(row), row["network"], cycles))
    if skipped:
        print("not in the zoo:", ", ".join(sorted(skipped)))
    return found


def kernels(path: Path = DATA / "measured" / "esp_kernels.csv") -> list[Point]:
    """Ticks of single kernels: no interpreter, and weights that the caches hold."""
    found = []
    for row in rows_of(path):
        if row["left_out"]:
            continue
        target = load_target(row["device"], runtime=row["runtime"])
        name = f"kernel {row['kind']} {row['edge']}x{row['edge']}x{row['in_c']} k{row['kernel']}"
        point = point_of(one_kernel(row), target, name, float(row["ticks"]))
        alone = point.instructions - INTERPRETER_INSTRUCTIONS[0]
        found.append(point._replace(instructions=alone, bus_cycles=0.0, scatter=SCATTER["ticks"]))
    return found


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


@cache
def graph_of(network: str) -> ModelGraph:
    return build(network.removeprefix("zoo:"))


def target_of(row: dict[str, str]) -> Target:
    target = load_target(row["device"], runtime=row["runtime"], clock=row["clock"])
    if row["flags"].startswith("place:"):
        target = target.placed(parse_placement(target, row["flags"].removeprefix("place:")))
    return target


def point_of(graph: ModelGraph, target: Target, network: str, measured: float) -> Point:
    """The row's features, as the product counts them."""
    costs = core_costs(target)
    assert costs is not None
    table = compile_table(fuse(graph, target.runtime.fusion).graph, target.kernels)
    traffic, flash = kernel_traffic(table, target), target.device.home_of("weights")
    counted = count_instructions(table, costs, firmware_of(target))
    missed_bytes = float(fetched_weights(table, target, traffic, costs).sum())
    bytes_per_s = flash.access.bandwidth_at(target.clock_hz) if flash.access else np.inf
    kind = "simd" if target.kernels.flavour in ("s3", "p4") else "plain"
    kind = "reference" if target.runtime.kernel_library == "reference" else kind
    return Point(
        chip_of(target.device.name), target.runtime.name, network, measured,
        float(counted.value.sum()), missed_bytes * target.clock_hz / bytes_per_s,
        float(arena_stalls(table, target, traffic).value.sum()), float(np.nan_to_num(table.macs).sum()),
        SCATTER[kind],
    )  # fmt: skip


def chip_of(device: str) -> str:
    """The chip of a board: esp32-s3 of esp32-s3-devkitc-1-n8r2."""
    found = re.match(r"esp32(-[scp]\d)?", device)
    assert found is not None
    return found[0]


def one_kernel(row: dict[str, str]) -> ModelGraph:
    """The op of one line of ticks."""
    builder = GraphBuilder(row["kind"])
    edge, in_c, out_c, side = (int(row[name]) for name in ("edge", "in_c", "out_c", "kernel"))
    padding = Padding.SAME if row["pad"] == "1" else Padding.VALID
    flat = row["kind"] == "fully_connected"
    x = builder.input((1, in_c) if flat else (1, edge, edge, in_c))
    window, pool = (side, side), Pool2DAttributes(padding, 1, 1, side, side)
    each = DepthwiseConv2DAttributes(padding, 1, 1, int(row["multiplier"]))
    made: dict[str, Callable[[], int]] = {
        "conv": lambda: builder.conv(x, out_c, window, Conv2DAttributes(padding, 1, 1)),
        "depthwise": lambda: builder.depthwise(x, window, each),
        "max_pool": lambda: builder.pool("MAX_POOL_2D", x, pool),
        "avg_pool": lambda: builder.pool("AVERAGE_POOL_2D", x, pool),
        "fully_connected": lambda: builder.fully_connected(x, out_c),
    }
    return builder.finish([made[row["kind"]]()])
