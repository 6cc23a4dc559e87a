"""Other releases of TFLM: what their structs add, by hand; the flavours of ESP-NN."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from memory_models import BUILDS, DSP, INT_ENUM, PLAIN_C, chain, conv, depthwise, fully_connected, one_op, t
from preflash.devices.catalog import load_target
from preflash.devices.runtime import Departure
from preflash.devices.target import KernelBuild
from preflash.graphs.ir import ModelGraph
from preflash.graphs.zoo import build as build_network
from preflash.simulator.estimate import Basis
from preflash.simulator.memory.departures import DEPARTURES, init_struct, option_struct, sizes_of
from preflash.simulator.memory.plan import plan_tflm
from preflash.simulator.memory.scratch import scratch_requests
from preflash.simulator.simulate import simulate
from preflash.simulator.validate.mcufit import explain

ANSI = KernelBuild("esp-nn", "ansi", INT_ENUM)


def build(*names: str) -> KernelBuild:
    return replace(DSP, departures=names)


def test_the_names_in_runtime_files_are_those_of_the_table() -> None:
    assert set(get_args(Departure)) == set(DEPARTURES)


def test_without_departures_nothing_changes() -> None:
    assert sizes_of(DSP).tensor == 32
    assert option_struct("CONV_2D", DSP) == (28, 4)
    assert init_struct("FULLY_CONNECTED", DSP) == 72


def test_full_structs_cost_12_bytes_an_op_and_32_a_model_input_or_output() -> None:
    """Two RELU, one input, one output: 2*12 + 2*32 = 88, on a tail where nothing else is realigned."""
    graph = chain(8, 8, 8)
    plain, full = (plan_tflm(graph, b).tail_items for b in (DSP, build("full-structs")))
    assert dict(full)["nodes and registrations"] - dict(plain)["nodes and registrations"] == 24
    assert sizes_of(build("full-structs")).tensor == 64


def test_older_option_and_data_structs() -> None:
    assert option_struct("CONV_2D", build("no-bias-type-option")) == (24, 4)
    assert option_struct("FULLY_CONNECTED", build("no-bias-type-option")) == (4, 1)
    graph = fully_connected(1, 16, 8)
    smaller = plan_tflm(graph, build("fully-connected-data-64")).tail_bytes
    assert plan_tflm(graph, DSP).tail_bytes - smaller == 16  # 80 and 64 after alignment


def test_a_3x3_depthwise_kernel_that_asks_for_scratch() -> None:
    """2*Cin*Kh*Kw = 2*16*9 = 288, on the DSP build alone; other extents ask anyway."""
    graph = depthwise((8, 8, 16), (3, 3))
    asking = build("depthwise-3x3-scratch")
    assert scratch_requests(graph.main, graph.ops[0], DSP) == ()
    assert scratch_requests(graph.main, graph.ops[0], asking) == (288,)
    assert scratch_requests(graph.main, graph.ops[0], replace(asking, flavour=PLAIN_C.flavour)) == ()


def test_steps_of_an_explanation_add_up() -> None:
    graph = conv((8, 8, 16), (3, 3, 16))
    whole = build(*DEPARTURES)
    steps = explain(graph, whole)
    assert [name for name, _ in steps] == list(DEPARTURES)
    difference = plan_tflm(graph, whole).used_bytes - plan_tflm(graph, DSP).used_bytes
    assert sum(added for _, added in steps) == difference


@pytest.mark.parametrize(
    ("board", "runtime", "flavour"),
    [
        ("esp32", "tflm-esp-nn", "generic"), ("esp32-s2", "tflm-esp-nn", "generic"),
        ("esp32-c3", "tflm-esp-nn", "generic"), ("esp32-c6", "tflm-esp-nn", "generic"),
        ("esp32-s3", "tflm-esp-nn", "s3"), ("esp32-p4", "tflm-esp-nn", "p4"),
        ("esp32-s3", "tflm-esp-nn-ansi", "ansi"), ("esp32", "tflm-esp-nn-ansi", "ansi"),
    ],
)  # fmt: skip
def test_every_chip_of_espressif_has_its_kernels(board: str, runtime: str, flavour: str) -> None:
    kernels = load_target(board, runtime=runtime).kernels
    assert (kernels.flavour, kernels.abi) == (flavour, "int32-enum")


@pytest.mark.parametrize("board", ["longan-nano", "hifive1-revb", "ch32v307v-evt", "gapuino", "esp32-c3"])
def test_risc_v_boards_have_whole_int_enums_on_tflm(board: str) -> None:
    assert load_target(board, runtime="tflm-reference").kernels.abi == "int32-enum"


SOFTMAX = one_op("SOFTMAX", [t(1, 10)], t(1, 10))


@pytest.mark.parametrize(
    ("graph", "generic", "ansi"),
    [
        (SOFTMAX, (40,), ()),
        (conv((8, 8, 16), (3, 3, 8)), (), ()),
        (conv((8, 8, 16), (3, 3, 8), weights="int4"), (8 * 9 * 16,), (8 * 9 * 16,)),
        (depthwise((8, 8, 16), (3, 3), weights="int4"), (9 * 16,), (9 * 16,)),
    ],
    ids=["softmax", "conv", "int4 conv", "int4 depthwise"],
)
def test_plain_c_flavours_of_esp_nn(
    graph: ModelGraph, generic: tuple[int, ...], ansi: tuple[int, ...]
) -> None:
    """Optimised C keeps 4 bytes per softmax class; ANSI C nothing; an int4 filter is unpacked in both."""
    assert scratch_requests(graph.main, graph.ops[0], BUILDS["generic"]) == generic
    assert scratch_requests(graph.main, graph.ops[0], ANSI) == ansi


def test_rules_that_nobody_read_are_not_called_exact() -> None:
    """Two of the Arduino library's differences were worked out from three measured totals."""
    graph = build_network("kws01", dtype="int8")
    board = "arduino-nano-33-ble"
    own = simulate(graph, load_target(board, "tflm-cmsis-nn"))
    other = simulate(graph, load_target(board, "tflm-arduino"))
    assert own.metric("arena_min_bytes").basis is Basis.EXACT
    figure = other.metric("arena_min_bytes")
    assert figure.basis is Basis.CALIBRATED and "worked out from measured totals" in figure.source
    assert {u.used.basis for m in other.memories for u in m.used if u.kind.startswith("arena")} == {
        Basis.CALIBRATED
    }
