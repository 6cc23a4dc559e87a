"""The ESP32 family: what its flash caches let through, and how far estimates are from measured figures."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from cost_graphs import conv, fully_connected
from preflash.devices.catalog import load_target
from preflash.devices.target import Target
from preflash.devices.units import parse_s
from preflash.graphs.ir import ModelGraph
from preflash.simulator.kernels.cores import core_costs
from preflash.simulator.latency import kernel_cycles
from preflash.simulator.stalls import fetched_weights
from preflash.simulator.traffic import kernel_traffic
from preflash.simulator.workload import compile_table

NETWORKS = ("zoo:person-detect", "zoo:kws01", "zoo:ic01", "zoo:ad01")
SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"


@cache
def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


POINTS = script("esp_points")
FIT = script("fit_esp_nn")


@cache
def known() -> list:
    return POINTS.points()


def missed_bytes(graph: ModelGraph, target: Target) -> float:
    table = compile_table(graph, target.kernels)
    costs = core_costs(target)
    assert costs is not None
    return float(fetched_weights(table, target, kernel_traffic(table, target), costs).sum())


def test_a_filter_that_the_flash_cache_holds_is_fetched_once() -> None:
    """1x1, 64 to 64 channels: 4096 bytes and 64 biases of 4."""
    assert missed_bytes(conv(8, 64, 64), load_target("esp32")) == 4096 + 256


def test_a_filter_larger_than_the_flash_cache_loses_one_line_more_than_its_ways_per_crowded_set() -> None:
    """1x1, 128 to 256 channels on 3x3 pixels: 32768 + 1024 bytes against 32 KiB of two ways.

    1024 bytes too many crowd their sets: 3 x 1024 of 33792 bytes miss in each of the 8 passes after the
    first, in proportion of the 32768 bytes that a pass reads.
    """
    again = 8 * 32768 * 3 * 1024 / 33792
    assert missed_bytes(conv(3, 128, 256), load_target("esp32")) == pytest.approx(33792 + again)


def test_a_filter_of_twice_the_flash_cache_misses_on_every_pass() -> None:
    """1x1, 256 to 256 channels on 3x3 pixels: 65536 bytes nine times, 1024 bytes of biases once."""
    assert missed_bytes(conv(3, 256, 256), load_target("esp32")) == 9 * 65536 + 1024


def test_faster_flash_shortens_only_the_waiting() -> None:
    graph = fully_connected(640, 128)
    slow, fast = (
        kernel_cycles(compile_table(graph, target.kernels), target)
        for target in (load_target("esp32"), load_target("esp32-qio80"))
    )
    assert slow.compute_cycles.tolist() == fast.compute_cycles.tolist()
    assert slow.weight_stall_cycles.sum() == pytest.approx(4 * fast.weight_stall_cycles.sum())


def test_plain_c_as_the_ansi_kernels_have_it_needs_more_instructions_than_the_unrolled_loops() -> None:
    unrolled, simple = (
        kernel_cycles(compile_table(conv(8, 64, 64), target.kernels), target).compute_cycles.sum()
        for target in (load_target("esp32"), load_target("esp32", runtime="tflm-esp-nn-ansi"))
    )
    assert 1.2 < simple / unrolled < 1.6


def _ticks(chip: str) -> list[float]:
    shipped = core_costs(load_target(chip))
    assert shipped is not None
    return [
        shipped.cpi.value * p.instructions / p.measured - 1
        for p in known()
        if p.chip == chip and p.is_kernel and p.runtime == "tflm-esp-nn"
    ]


@pytest.mark.parametrize("chip", ["esp32-s3", "esp32-p4"])
def test_loops_counted_by_hand_give_the_published_ticks_of_the_simd_kernels(chip: str) -> None:
    """Conv 1x1 twice, depthwise; S3 also fully connected: each within 20 %."""
    errors = _ticks(chip)
    assert len(errors) >= 3
    assert max(map(abs, errors)) < 0.20


def test_networks_on_boards_of_which_nothing_is_known_come_within_20_percent() -> None:
    """Median over left-out rows of ESP32, S3, P4, C3; the rows are listed by scripts/fit_esp_nn.py."""
    left = FIT.first_column(known())
    errors = np.abs([row.ratio - 1 for row in left])
    simple = np.abs([row.proportional - 1 for row in left])
    assert len(left) >= 14
    assert np.median(errors) < 0.08 and np.quantile(errors, 0.9) < 0.25
    assert np.nanmedian(simple) > 3 * np.median(errors)


def test_one_measured_network_of_a_board_predicts_the_others_within_8_percent() -> None:
    left = FIT.second_column(known())
    errors = np.abs([row.ratio - 1 for row in left])
    simple = np.abs([row.proportional - 1 for row in left])
    assert len(left) >= 18
    assert np.median(errors) < 0.05
    assert np.median(simple) > 2 * np.median(errors)


def test_the_interval_holds_every_measured_network() -> None:
    """In sample, 14 rows: too few to say how many of 100 it would hold."""
    for row in POINTS.rows_of(POINTS.DATA / "measured" / "esp.csv"):
        if row["op"] or row["left_out"] or row["network"] not in NETWORKS:
            continue
        target = POINTS.target_of(row)
        found = kernel_cycles(compile_table(POINTS.graph_of(row["network"]), target.kernels), target)
        low, high = (float(part.sum()) / target.clock_hz for part in (found.lo, found.hi))
        assert low <= parse_s(row["latency"]) <= high, row


def _shares() -> list[tuple[str, str, float]]:
    """(network, op kind, measured ms) of every op row."""
    rows = POINTS.rows_of(POINTS.DATA / "measured" / "esp.csv")
    return [(r["network"], r["op"], parse_s(r["latency"])) for r in rows if r["op"]]


@pytest.mark.parametrize("network", sorted({network for network, _, _ in _shares()}))
def test_each_op_kinds_share_of_the_time_is_within_5_points(network: str) -> None:
    measured = {op: seconds for name, op, seconds in _shares() if name == network}
    target = load_target("esp32")
    table = compile_table(POINTS.graph_of(network), target.kernels)
    cycles = kernel_cycles(table, target).value
    for kind, seconds in measured.items():
        mine = sum(part for op, part in zip(table.ops, cycles, strict=True) if op.kind == kind) / cycles.sum()
        assert abs(mine - seconds / sum(measured.values())) < 0.05, kind


def test_every_row_left_out_says_why() -> None:
    rows = POINTS.rows_of(POINTS.DATA / "measured" / "esp.csv")
    unnamed = [r for r in rows if not r["network"].startswith("zoo:")]
    assert unnamed and all(r["left_out"] for r in unnamed)


def test_the_shipped_figures_are_those_that_the_script_fits(tmp_path: Path) -> None:
    shipped = POINTS.DATA / "cores.csv"
    again = Path(shutil.copy(shipped, tmp_path))
    FIT.write(FIT.fit(known()), again)
    assert again.read_text() == shipped.read_text()
