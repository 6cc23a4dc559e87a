"""Instructions of a kernel follow from its loops: terms, family of route and shape, flags and core."""

from __future__ import annotations

import numpy as np
import pytest
from cost_graphs import chain, conv, depthwise, elementwise, fully_connected, one_op, pool, tensor
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash.devices.target import KernelBuild
from preflash.graphs.ir import DType, ModelGraph
from preflash.simulator.interval import Basis
from preflash.simulator.kernels.cores import CoreCosts, Spread
from preflash.simulator.kernels.instructions import (
    INTERPRETER_INSTRUCTIONS,
    Firmware,
    InstructionColumns,
    count_instructions,
    table_terms,
)
from preflash.simulator.kernels.price import ALL_TERMS, load_families
from preflash.simulator.workload import compile_table

ABI = "arm32-short-enum"
FLAGS = "Oscore+O2kernels"
OWN = INTERPRETER_INSTRUCTIONS[0]


def costs(counted: str) -> CoreCosts:
    return CoreCosts(
        core=counted, counted=counted, cpi=Spread(1, 1, 1), is_cached=False, is_of_bus_time=False,
        cycles_per_byte=Spread(0, 0, 0), at_clock_hz=None, stalls_at_clock_hz=None, element_factor=1.0,
        basis=Basis.CALIBRATED, source="test",
    )  # fmt: skip


def firmware(
    library: str = "cmsis-nn", flavour: str = "dsp", *, flags: str = FLAGS, has_fpu: bool = True
) -> Firmware:
    return Firmware(KernelBuild(library, flavour, ABI), flags, has_fpu)  # type: ignore[arg-type]


def instructions(graph: ModelGraph, made: Firmware | None = None, core: str = "m4") -> InstructionColumns:
    made = made or firmware()
    return count_instructions(compile_table(graph, made.build), costs(core), made)


def terms(graph: ModelGraph) -> dict[str, float]:
    table = compile_table(graph, firmware().build)
    return dict(zip(ALL_TERMS, table_terms(table)[0].tolist(), strict=True))


def test_an_odd_pixel_count_leaves_one_pixel_out_of_the_pairs() -> None:
    found = terms(conv(3, 4, 5))  # 9 pixels: 4 pairs and one, depth 4, 5 outputs
    assert (found["m_pair"], found["m_odd"]) == (8 * 5 * 4, 1 * 5 * 4)


def test_helium_takes_four_pixels_at_a_time() -> None:
    found = terms(conv(3, 20, 5))  # 9 pixels: 2 blocks of 4 and one; 20 deep is 2 vectors of 16
    assert (found["b4v"], found["b4o"], found["b1v"], found["b1o"]) == (2 * 5 * 2, 2 * 5, 1 * 5 * 2, 1 * 5)


def test_a_strided_1x1_calls_the_matrix_product_once_per_output_row() -> None:
    found = terms(conv(6, 4, 2, stride=2))  # 3 x 3 outputs: 3 calls of one pair and one pixel
    assert (found["calls"], found["m_pair"], found["m_odd"]) == (3, 3 * 2 * 2 * 4, 3 * 1 * 2 * 4)
    assert found["wsum"] == 3 * 2 * 4


def test_depthwise_taps_leave_out_the_padding() -> None:
    found = terms(depthwise(3, 2))  # 7 of 9 (position, tap) pairs per axis
    assert (found["taps"], found["macs"], found["patches"]) == (7 * 7 * 2, 9 * 9 * 2, 9 * 9)


@pytest.mark.parametrize(
    ("graph", "flavour", "family"),
    [
        (conv(8, 8, 8), "dsp", "conv1x1_s8"),
        (conv(8, 7, 8), "dsp", "conv1x1_oddch_s8"),
        (conv(8, 8, 8, stride=2), "dsp", "conv1x1_s2_s8"),
        (conv(8, 8, 8, kernel=3), "dsp", "conv3x3_s8"),
        (conv(8, 3, 8, kernel=3), "dsp", "conv_first_s8"),
        (conv(8, 8, 8, kernel=4), "dsp", "conv_kxk_s8_all"),
        (conv(8, 8, 8, kernel=3, dtype=DType.INT16), "dsp", "ref_conv_s8"),
        (depthwise(8, 8), "dsp", "dw3x3_s8"),
        (depthwise(8, 8, kernel=5), "c", "dw5x5_s8"),
        (depthwise(8, 8, multiplier=2), "dsp", "dw_chmult2_s8"),
        (depthwise(8, 8, multiplier=4), "dsp", "dw_chmult4_s8"),
        (depthwise(8, 1, multiplier=8), "mve", "dw_cin1_s8"),
        (fully_connected(64, 10), "dsp", "fc_s8"),
        (fully_connected(65, 10), "dsp", "fc_odd_s8"),
        (pool("MAX_POOL_2D", 8, 8, window=2), "dsp", "maxpool_s8"),
        (elementwise("ADD", (1, 4, 4, 8), operands=2), "dsp", "add_s8"),
        (elementwise("MEAN", (1, 4, 4, 8)), "dsp", "mean_s8"),
    ],
)
def test_route_and_shape_choose_the_measured_family(graph: ModelGraph, flavour: str, family: str) -> None:
    assert instructions(graph, firmware(flavour=flavour)).family == [family]


def test_a_family_is_its_coefficients_times_its_terms() -> None:
    graph = fully_connected(64, 10)
    family, found = load_families("m4")["fc_s8"], terms(graph)
    by_hand = sum(
        weight * found[name] for name, weight in zip(ALL_TERMS, family.coefficients, strict=True) if weight
    )
    assert instructions(graph).value[0] == pytest.approx(by_hand + OWN)


@pytest.mark.parametrize("core", ["m0", "m3", "m4", "m7", "m33", "m55", "rv32imc"])
def test_no_family_can_give_a_negative_count(core: str) -> None:
    families = load_families(core)
    assert len(families) > 15
    assert all((family.coefficients >= 0).all() for family in families.values())
    assert all(0 <= family.lo <= 1 <= family.hi for family in families.values())


def test_an_op_that_nobody_can_price_is_unknown_and_says_which() -> None:
    graph = one_op(
        "CUSTOM", [tensor(0, (4,)), tensor(1, (4,))], inputs=(0,), outputs=(1,), custom_code="mystery"
    )
    found = instructions(graph)
    assert np.isnan(found.value[0])
    assert found.basis == [Basis.UNKNOWN]
    assert found.reason == ["no cost model for mystery"]


def test_a_counted_kernel_is_calibrated_and_an_uncounted_form_is_not() -> None:
    both = chain(conv(8, 8, 8), elementwise("REVERSE_V2", (1, 8, 8, 8)))
    assert instructions(both).basis == [Basis.CALIBRATED, Basis.ANALYTIC]


def test_floating_point_without_an_fpu_costs_several_times_more() -> None:
    graph = conv(8, 8, 8, kernel=3, dtype=DType.FLOAT32)
    hard = instructions(graph, firmware("reference", "")).value[0]
    soft = instructions(graph, firmware("reference", "", has_fpu=False)).value[0]
    assert soft > 5 * hard


@pytest.mark.parametrize(
    ("core", "graph", "factor", "basis"),
    [
        # kernel_builds.csv: the class was counted at -Os on an M4 (model_layers.csv), not on an M33
        ("m4", conv(8, 8, 8, kernel=3), 5.229, Basis.CALIBRATED),
        ("m4", depthwise(8, 8), 1.653, Basis.CALIBRATED),
        ("m33", conv(8, 8, 8, kernel=3), 3.6, Basis.ANALYTIC),
    ],
)
def test_reference_kernels_for_size_cost_what_was_counted_of_their_class_and_core(
    core: str, graph: ModelGraph, factor: float, basis: Basis
) -> None:
    fast, small = (
        instructions(graph, firmware("reference", "", flags=flags), core) for flags in (FLAGS, "Os")
    )
    assert small.value[0] - OWN == pytest.approx(factor * (fast.value[0] - OWN))
    assert small.basis == [basis]


def test_unknown_flags_widen_the_interval_to_a_build_for_size() -> None:
    graph = conv(8, 8, 8, kernel=3)
    unsaid = instructions(graph, firmware("reference", "", flags="unknown"))
    small = instructions(graph, firmware("reference", "", flags="Os"))
    assert unsaid.lo[0] <= instructions(graph, firmware("reference", "")).value[0]
    assert unsaid.hi[0] >= small.hi[0]


KINDS = {
    "conv 1x1": lambda c: conv(9, 8, c),
    "conv 3x3": lambda c: conv(9, 8, c, kernel=3),
    "depthwise": lambda c: depthwise(9, c),
    "fully connected": lambda c: fully_connected(64, c),
    "max pool": lambda c: pool("MAX_POOL_2D", 8, c, window=2),
    "add": lambda c: elementwise("ADD", (1, 5, 5, c), operands=2),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("core", "flavour"), [("m0", "c"), ("m4", "dsp"), ("m55", "mve")])
@settings(max_examples=12, deadline=None)
@given(groups=st.integers(1, 40), more=st.integers(1, 40))
def test_more_channels_are_never_cheaper(kind: str, core: str, flavour: str, groups: int, more: int) -> None:
    made = firmware(flavour=flavour)
    few, many = (instructions(KINDS[kind](16 * n), made, core).value[0] for n in (groups, groups + more))
    assert few <= many


@settings(max_examples=20, deadline=None)
@given(side=st.integers(1, 20), in_c=st.integers(1, 40), out_c=st.integers(1, 40), kernel=st.integers(1, 5))
def test_a_row_costs_the_same_alone_and_in_company(side: int, in_c: int, out_c: int, kernel: int) -> None:
    one, other = conv(side, in_c, out_c, kernel=kernel), fully_connected(in_c, out_c)
    together = instructions(chain(one, other))
    apart = [instructions(one).value[0], instructions(other).value[0]]
    assert together.value.tolist() == pytest.approx(apart)


def test_batches_multiply_the_loops() -> None:
    single, triple = (instructions(fully_connected(64, 10, rows=n)).value[0] - OWN for n in (1, 3))
    assert triple == pytest.approx(3 * single)
