"""Published speed of sparse and sub-byte networks against ours: SA-11, SA-13 to SA-15, and MicroNets' 4 bits.

The rows are in the package (data/measured/sparse.csv, subbyte.csv), with their sources.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from preflash.devices.catalog import load_target
from preflash.graphs.ir import ModelGraph, WeightForm
from preflash.graphs.passes.fusion import fuse
from preflash.graphs.variants.weights import weights, with_tensors
from preflash.graphs.zoo import build
from preflash.simulator.kernels import spmm, unpacking
from preflash.simulator.latency import kernel_cycles
from preflash.simulator.rows import total_latency_s
from preflash.simulator.validate.sparse_fit import fit_cost, predicted, ratios, sparse_points
from preflash.simulator.validate.sparse_rows import SparseRow, randomly_pruned, sparse_rows
from preflash.simulator.validate.sparse_speed import (
    by_rates,
    flop,
    machine_rates,
    rates_table,
    row_flop,
    sparse_table,
)
from preflash.simulator.workload import compile_table, op_macs


def row(machine: str, network: str, sparsity: float) -> SparseRow:
    return next(
        r for r in sparse_rows() if (r.machine, r.network, r.sparsity) == (machine, network, sparsity)
    )


def seconds(graph: ModelGraph, board: str, runtime: str) -> float:
    target = load_target(board, runtime)
    table = compile_table(fuse(graph, target.runtime.fusion).graph, target.kernels)
    return total_latency_s(table, kernel_cycles(table, target), target.clock_hz).value or 0.0


@pytest.mark.parametrize(
    ("width", "sparsity", "printed_mflop", "counted_mflop"),
    [
        ("1.0", 0.0, 1120, 1115.8),
        ("0.75", 0.0, 636, 634.5),
        ("1.0", 0.9, 146, 144.7),
        ("1.4", 0.9, 268, 262.1),
    ],
)
def test_sa_11_flop_of_mobilenet_v1(
    width: str, sparsity: float, printed_mflop: float, counted_mflop: float
) -> None:
    """2 per MAC whose weight is multiplied, without the first convolution; within 2.5 % of the printed."""
    graph = row("SD835", f"fast-mobilenet-v1 {width}", sparsity).graph
    counted = flop(graph, "litert-xnnpack-sparse" if sparsity else "litert-builtin") / 1e6
    assert counted == pytest.approx(counted_mflop, abs=0.1)
    assert counted == pytest.approx(printed_mflop, rel=0.025)


@pytest.mark.parametrize(
    ("machine", "dense_ms", "sparse_ms"), [("SD835", 73, 31), ("SD670", 64, 34), ("Wasm", 170, 56)]
)
def test_sa_13_two_rates_from_one_pair_predict_the_other(
    machine: str, dense_ms: float, sparse_ms: float
) -> None:
    rates = machine_rates(machine)
    for network, sparsity, published_ms in (("0.75", 0.0, dense_ms), ("1.0", 0.9, sparse_ms)):
        one = row(machine, f"fast-mobilenet-v1 {network}", sparsity)
        assert one.latency_s == pytest.approx(published_ms / 1e3)
        assert by_rates(one, rates) == pytest.approx(one.latency_s, rel=0.10)


@pytest.mark.parametrize(
    ("machine", "efficiency", "break_even"), [("SD835", 0.52, 0.48), ("SD670", 0.40, 0.60)]
)
def test_sa_14_from_these_zeros_a_sparse_product_pays(
    machine: str, efficiency: float, break_even: float
) -> None:
    rates = machine_rates(machine)
    assert rates.efficiency == pytest.approx(efficiency, abs=0.01)
    assert rates.break_even == pytest.approx(break_even, abs=0.01)


@pytest.mark.parametrize("board", ["pixel-2", "pixel-3a"])
def test_sa_14_up_to_two_thirds_the_runtime_gains_nothing_and_above_it_does(board: str) -> None:
    """Against XNNPACK's own dense kernels, faster than those the paper compares with, 1 - 1 / 2.9 = 66 %."""
    assert 1 - 1 / spmm.coefficients()["cost", ""] == pytest.approx(2 / 3, abs=0.02)
    dense = build("fast-mobilenet-v1", dtype="float32")
    plain_s = seconds(dense, board, "litert-xnnpack")
    for zeros in (0.48, 0.60, 0.66):
        assert seconds(randomly_pruned(dense, zeros), board, "litert-xnnpack-sparse") == plain_s
    just_above_s = seconds(randomly_pruned(dense, 0.67), board, "litert-xnnpack-sparse")
    assert 0.93 * plain_s < just_above_s <= plain_s
    assert seconds(randomly_pruned(dense, 0.9), board, "litert-xnnpack-sparse") < 0.4 * plain_s


def test_sa_15_the_narrow_network_of_the_readme() -> None:
    """88.3 MFLOP / 4.62 GFLOP/s = 19.1 ms by the rates; 21 ms published."""
    narrow = row("SD835", "fast-mobilenet-v1 0.75", 0.9)
    assert row_flop(narrow) / 1e6 == pytest.approx(88.3, abs=0.1)
    assert by_rates(narrow, machine_rates("SD835")) == pytest.approx(19.1e-3, abs=0.1e-3)
    assert by_rates(narrow, machine_rates("SD835")) == pytest.approx(narrow.latency_s, rel=0.10)
    assert predicted(narrow).value == pytest.approx(narrow.latency_s, rel=0.10)


def test_what_check_says_of_a_sparse_network_left_out_of_the_fit_is_within_10_percent() -> None:
    points = sparse_points()
    assert len(points) == 10
    assert [abs(1 / ratio - 1) <= 0.10 for ratio in ratios(points, range(10))] == [True] * 10


def test_one_core_s_networks_say_what_those_of_the_other_cost_within_15_percent() -> None:
    points = sparse_points()
    off = [abs(1 / ratio - 1) for ratio in ratios(points, [point.core for point in points])]
    assert max(off) <= 0.15


def test_the_shipped_cost_is_that_of_the_script() -> None:
    assert fit_cost(sparse_points()) == pytest.approx(spmm.coefficients()["cost", ""], rel=1e-3)


def test_the_tables_meet_their_claims() -> None:
    for table in (sparse_table(), rates_table()):
        assert table.rows and not table.is_missed, [c for c in table.claims if c.is_met is False]


@pytest.mark.parametrize(
    ("network", "printed_mop", "published"),
    [("micronet-kws-m", 30.6, 0.1928), ("micronet-kws-l", 129.0, 0.288)],
)
def test_emulated_4_bit_kernels_take_19_to_29_percent_longer(
    network: str, printed_mop: float, published: float
) -> None:
    graph = build(network)
    mop = 2 * sum(op_macs(graph.main, op) or 0 for op in graph.ops) / 1e6
    assert mop == pytest.approx(printed_mop, rel=0.02)
    packed = [
        replace(tensor, data=np.resize(np.array([-7, 3, 7, 0], np.int8), weight.count).tobytes(),
                form=WeightForm(bits=4))
        for weight in weights(graph) for tensor in (graph.tensors[weight.tensor],)
    ]  # fmt: skip
    narrow = with_tensors(graph, packed)
    plain_s = seconds(narrow, "nucleo-f746zg", "tflm-cmsis-nn")
    added = seconds(narrow, "nucleo-f746zg", "micronets-4bit") / plain_s - 1
    assert 0.19 <= added <= 0.29
    value, lo, hi = (unpacking.coefficients()[f"per_mac{end}", ""] for end in ("", "_lo", "_hi"))
    assert added * lo / value <= published <= added * hi / value
