"""Do our latencies bear out SA-21, SA-35, SA-36, SA-37, SA-40 and SA-41 of specs/techniques.md?"""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import numpy as np
import pytest
from preflash.devices.catalog import load_target
from preflash.devices.target import Target
from preflash.graphs.build import GraphBuilder
from preflash.graphs.ir import ModelGraph
from preflash.graphs.static_shapes import with_static_shapes
from preflash.graphs.zoo.blocks import conv, depthwise, pointwise
from preflash.simulator.calibrate.networks import measured_network
from preflash.simulator.calibrate.op_factors import op_features
from preflash.simulator.calibrate.predict import predict
from preflash.simulator.calibrate.shipped import fit_shipped
from preflash.simulator.latency import kernel_cycles
from preflash.simulator.placing.words import parse_placement
from preflash.simulator.validate.share_rows import (
    counted_cycles,
    held_out_cycles,
    other_shares,
    share,
    shares,
)
from preflash.simulator.work_graph import work_graph
from preflash.simulator.workload import compile_table
from shared_data import shared_csv

FLOAT = " - - - - float32"
M7, M4 = ("nucleo-f746zg", "216 MHz"), ("nucleo-f446re", "180 MHz")
EEESLAB = ("nucleo-h743zi", "cmsis-nn-uint8", "zoo:mobilenet-v1 0.25 160 1000")


def built(target: Target, *, flags: str) -> Target:
    """The runtime compiled with other flags; "" is not known."""
    code = target.runtime.code.model_copy(update={"flags": flags})
    return replace(target, runtime=target.runtime.model_copy(update={"code": code}))


def latency_ms(model: str | ModelGraph, target: Target) -> tuple[float, float, float]:
    """p10, middle and p90."""
    graph = measured_network(model) if isinstance(model, str) else model
    table = compile_table(work_graph(with_static_shapes(graph), target), target.kernels)
    found = kernel_cycles(table, target)
    low, value, high = (
        float(part.sum()) / target.clock_hz * 1e3 for part in (found.lo, found.value, found.hi)
    )
    return low, value, high


# SA-21 -----------------------------------------------------------------------------------------------


def test_sa21_int8_is_4_times_as_fast_as_float_with_x_cube_ai_on_a_cortex_m33() -> None:
    """In sample: both rows, 47.80 and 11.66 ms, are in the shipped fit."""
    target = load_target("nucleo-u575zi", "x-cube-ai@9.0")
    ratio = latency_ms("zoo:sww01" + FLOAT, target)[1] / latency_ms("zoo:sww01", target)[1]
    assert ratio == pytest.approx(4.1, rel=0.20)


def test_sa21_on_an_rp2350_int8_in_flash_with_plain_kernels_is_slower_than_float_in_sram() -> None:
    """Measured 192 ms and 51.5 ms; its build is not stated: the interval is held against it."""
    target = load_target("rp2350", "tflm-reference")
    near = target.placed(parse_placement(target, "weights=sram"))
    low, quantised, high = latency_ms("zoo:sww01", built(target, flags=""))
    floating = latency_ms("zoo:sww01" + FLOAT, near)
    assert floating[0] <= 51.5 <= floating[2] and floating[1] == pytest.approx(51.5, rel=0.20)
    assert low <= 192 <= high
    assert floating[1] / quantised < 1
    assert floating[1] / latency_ms("zoo:sww01", target)[1] < 1  # also with both built alike


def test_sa21_the_library_turns_the_sign_on_the_same_board() -> None:
    target = load_target("rp2350", "tflm-cmsis-nn")
    near = target.placed(parse_placement(target, "weights=sram"))
    assert latency_ms("zoo:sww01" + FLOAT, near)[1] / latency_ms("zoo:sww01", target)[1] > 1


# SA-35 -----------------------------------------------------------------------------------------------
# arXiv 2010.11267, Table 4. What can be rebuilt without doubt: the dense auto-encoder (ad01) and TFLM's
# person detector. By energy / power, its latency being printed as "3 ms". 2 ops per MAC; flags not given.
PROXY = {M7: (5.70, 29.0), M4: (14.3, 35.0)}  # ms per Mop, ms
PAPER = [
    (M7, "zoo:ad01", 0.52, 1.26 / 0.445), (M4, "zoo:ad01", 0.52, 1.17 / 0.161),
    (M7, "zoo:person-detect", 14.4, 108.0),
]  # fmt: skip


def test_sa35_kernels_beat_the_ops_proxy() -> None:
    ours, proxy = [], []
    for (board, clock), network, mops, measured_ms in PAPER:
        target = built(load_target(board, "tflm-cmsis-nn", clock), flags="")
        slope, constant = PROXY[board, clock]
        ours.append(abs(latency_ms(network, target)[1] / measured_ms - 1))
        proxy.append(abs((slope * mops + constant) / measured_ms - 1))
    assert median(ours) < 0.22 < median(proxy)
    assert max(ours) < 0.25 and max(proxy) > 9


def test_sa35_the_proxy_holds_where_its_constant_does_not_count() -> None:
    """The person detector is of the size that it was fitted to: there it is nearer than we are."""
    (board, clock), network, mops, measured_ms = PAPER[2]
    ours = latency_ms(network, built(load_target(board, "tflm-cmsis-nn", clock), flags=""))[1]
    assert abs((PROXY[M7][0] * mops + PROXY[M7][1]) / measured_ms - 1) < 0.04
    assert ours == pytest.approx(measured_ms, rel=0.20)


# SA-36 -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", ["zoo:kws01", "zoo:vww01", "zoo:ic01"])
def test_sa36_a_cortex_m7_at_216_mhz_is_2_2_to_2_4_times_as_fast_as_an_m4_at_180(network: str) -> None:
    slow, fast = (latency_ms(network, load_target(b, "tflm-cmsis-nn", c))[1] for b, c in (M4, M7))
    assert 2.2 * 0.9 <= slow / fast <= 2.4 * 1.1


# SA-37 -----------------------------------------------------------------------------------------------
BLOCKS = {"1x1": pointwise, "3x3": conv}


def of_channels(kind: str, channels: int) -> ModelGraph:
    b = GraphBuilder(kind)
    x = b.input((1, 25, 5, channels))
    return b.finish([BLOCKS[kind](b, x, channels) if kind in BLOCKS else depthwise(b, x)])


def cliff(kind: str, place: tuple[str, str]) -> float:
    """Latency with 138 channels against 140."""
    target = load_target(place[0], "tflm-cmsis-nn", place[1])
    odd, even = (latency_ms(of_channels(kind, channels), target)[1] for channels in (138, 140))
    return odd / even


@pytest.mark.parametrize("place", [M4, M7], ids=["M4", "M7"])
@pytest.mark.parametrize("kind", ["1x1", "3x3", "depthwise"])
@pytest.mark.xfail(strict=True, reason="1.74 measured with TFLM of 2020; the release counted loses 0 to 10 %")
def test_sa37_138_channels_take_half_as_long_again_as_140(kind: str, place: tuple[str, str]) -> None:
    assert cliff(kind, place) >= 1.5


@pytest.mark.parametrize("place", [M4, M7], ids=["M4", "M7"])
@pytest.mark.parametrize(("kind", "reached"), [("1x1", 1.03), ("3x3", 1.10), ("depthwise", 1.00)])
def test_sa37_what_the_kernels_of_today_lose_at_138_channels(
    kind: str, reached: float, place: tuple[str, str]
) -> None:
    assert cliff(kind, place) == pytest.approx(reached, abs=0.02)


@pytest.mark.parametrize("core", ["m4", "m7"])
def test_sa37_the_counts_themselves_have_no_such_cliff(core: str) -> None:
    """From 30 channels on: instructions per MAC of channels that are no multiple of 4, against others."""
    counted = [
        row for row in shared_csv("kernel_instructions.csv")
        if row["core"] == core and row["opt"] == "-O2" and int(row["in_c"]) in (30, 32, 48, 50)
    ]  # fmt: skip
    for family in ("conv1x1", "conv3x3"):
        odd, even = (
            median(float(row["instr_per_mac"]) for row in counted
                   if row["family"] == name and int(row["out_c"]) < 40)
            for name in (f"{family}_oddch_s8", f"{family}_s8")
        )  # fmt: skip
        assert odd / even < 1.5


# SA-40, SA-41 ----------------------------------------------------------------------------------------


def test_sa40_every_layer_within_25_percent_and_the_total_within_10() -> None:
    """In sample: seven figures of five kernel classes are fitted to these 29 layers."""
    rows = [predict(one.row, None) for one in op_features()]
    assert len(rows) == 29
    assert max(row.error for row in rows) < 0.25
    ours, measured = (sum(part) for part in zip(*((r.value, r.measured_cycles) for r in rows), strict=True))
    assert ours == pytest.approx(65.8e6, rel=0.10) and measured == pytest.approx(65.8e6, rel=1e-3)


def test_sa40_layers_of_shapes_that_the_fit_has_not_seen() -> None:
    """Total within 10 %, median layer within 10 %; first convolution, pooling and dense layer as counted."""
    rows, fit = op_features(), fit_shipped().fit
    ours = np.array([held_out_cycles(one, rows, fit) for one in rows])
    measured = np.array([one.measured_cycles for one in rows])
    errors = np.abs(ours / measured - 1)
    assert ours.sum() == pytest.approx(65.8e6, rel=0.10)
    assert np.median(errors) < 0.10
    beyond = [one.row.op for one, error in zip(rows, errors, strict=True) if error > 0.25]
    assert beyond == ["0"]  # alone in its class: the first convolution


def test_sa40_one_constant_per_mac_misses_depthwise_layers_by_two_thirds_and_more() -> None:
    constant = 65.8e6 / 21.06e6
    for one in op_features():
        (name,) = {part[0] for part in one.instructions}
        if name == "depthwise":
            assert 0.67 < 1 - constant * one.macs / one.measured_cycles < 0.80


def test_sa41_depthwise_layers_take_38_5_percent_of_the_time() -> None:
    """In sample; with their own shapes left out of the fit; 27 % where counted kernels stand for them."""
    fit = fit_shipped().fit
    known, held_out = shares()[EEESLAB], other_shares(held_out_cycles, fit)
    assert 100 * share(known.measured, "DEPTHWISE_CONV_2D") == pytest.approx(38.5, abs=0.1)
    for one in (known, held_out):
        assert 100 * share(one.ours, "DEPTHWISE_CONV_2D") == pytest.approx(38.5, abs=5)
    counted = other_shares(counted_cycles, fit)
    assert 100 * share(counted.ours, "DEPTHWISE_CONV_2D") == pytest.approx(27, abs=2)
