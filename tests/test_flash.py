"""The code size of a model is the union of what its ops keep; the model's bytes are those of its file."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cost_graphs import chain, conv, depthwise, elementwise, fully_connected, one_op, tensor
from hypothesis import given
from hypothesis import strategies as st
from preflash.devices.catalog import load_target
from preflash.devices.runtime import CodeModel
from preflash.devices.target import Target
from preflash.graphs.ir import ModelGraph
from preflash.graphs.tflite.write import write_tflite
from preflash.simulator.flash import code_bytes, load_build, model_bytes, op_names
from preflash.simulator.interval import Basis, Interval

M4 = load_target("nucleo-l4r5zi", runtime="tflm-cmsis-nn")
BUILD = load_build("m4", "cmsis_nn", "Oscore+O2kernels", False)
OPS = sorted(BUILD.ops) if BUILD else []


def custom(code: str) -> ModelGraph:
    return one_op("CUSTOM", [tensor(0, (4,)), tensor(1, (4,))], inputs=(0,), outputs=(1,), custom_code=code)


def with_code(target: Target, **fields: object) -> Target:
    code = CodeModel.model_validate({"source": "test", "confidence": "measured", **fields})
    return replace(target, runtime=target.runtime.model_copy(update={"code": code}))


def held(found: Interval) -> tuple[float, float, float]:
    assert found.value is not None and found.lo is not None and found.hi is not None, found.reason
    return found.lo, found.value, found.hi


@given(first=st.sets(st.sampled_from(OPS)), second=st.sets(st.sampled_from(OPS)))
def test_code_of_two_sets_together_is_at_most_the_sum_and_at_least_each(
    first: set[str], second: set[str]
) -> None:
    assert BUILD is not None
    a, b, both = (BUILD.bytes_of(frozenset(ops)) for ops in (first, second, first | second))
    assert max(a, b) <= both <= a + b - BUILD.base_bytes


def test_a_linked_build_is_known_to_half_a_percent() -> None:
    found = code_bytes(fully_connected(64, 8), M4)
    lo, value, hi = held(found)
    assert found.basis is Basis.CALIBRATED
    assert lo < 45640 < hi  # the linked AD firmware of this build
    assert (hi - lo) / value < 0.01


def test_the_same_op_twice_is_the_same_code() -> None:
    one = conv(8, 8, 8)
    assert code_bytes(chain(one, conv(4, 8, 8)), M4).value == code_bytes(one, M4).value


@pytest.mark.parametrize(
    ("board", "basis"),
    [
        ("nucleo-l4r5zi", Basis.CALIBRATED),
        ("nrf5340-dk", Basis.CALIBRATED),
        ("stm32f030r8", Basis.ANALYTIC),
        ("stm32f103rb", Basis.ANALYTIC),
        ("nucleo-f746zg", Basis.ANALYTIC),
        ("ek-ra8d1", Basis.ANALYTIC),
    ],
)
def test_a_core_that_was_not_linked_takes_its_nearest_and_says_so(board: str, basis: Basis) -> None:
    found = code_bytes(conv(8, 8, 8), load_target(board, runtime="tflm-cmsis-nn"))
    assert found.basis is basis
    assert ("linked for" in found.source) == (basis is Basis.ANALYTIC)


def test_a_core_without_fpu_lies_between_its_neighbours() -> None:
    graph = conv(8, 8, 8)
    m3 = held(code_bytes(graph, load_target("stm32f103rb", runtime="tflm-cmsis-nn")))
    m4, m0 = (load_build(core, "cmsis_nn", "Oscore+O2kernels", False) for core in ("m4", "m0plus"))
    assert m4 is not None and m0 is not None
    assert m3[0] <= m4.bytes_of(op_names(graph)) and m3[2] >= m0.bytes_of(op_names(graph))


def test_an_op_that_was_linked_elsewhere_only_is_scaled_and_widens_the_interval() -> None:
    found = code_bytes(elementwise("EXP", (4,)), M4)
    lo, value, hi = held(found)
    assert found.basis is Basis.ANALYTIC
    assert "EXP scaled" in found.source
    assert lo < value < hi


def test_an_op_that_was_never_linked_is_unknown_with_the_known_part_as_bound() -> None:
    found = code_bytes(chain(conv(8, 8, 8), custom("SignalRfft")), M4)
    assert found.value is None
    assert found.lo is not None and found.lo > 40_000


def test_a_custom_op_is_found_under_the_name_in_the_model() -> None:
    assert op_names(custom("TFLite_Detection_PostProcess")) == {"DetectionPostprocess"}


def test_ops_of_all_subgraphs_are_linked() -> None:
    main, body = conv(8, 8, 8).main, depthwise(8, 8).main
    assert op_names(ModelGraph((main, body))) == {"CONV_2D", "DEPTHWISE_CONV_2D"}


def test_a_flat_figure_is_the_code() -> None:
    found = code_bytes(conv(8, 8, 8), with_code(M4, flat="24 KiB"))
    assert held(found) == (24576, 24576, 24576)


def test_code_nobody_linked_is_unknown() -> None:
    found = code_bytes(conv(8, 8, 8), load_target("raspberry-pi-4b", runtime="tflm-reference"))
    assert found.value is None
    assert found.reason


def test_code_for_cores_beside_arm_is_a_wide_analytic_interval() -> None:
    arm = code_bytes(conv(8, 8, 8), load_target("nucleo-l4r5zi", runtime="tflm-reference"))
    esp = code_bytes(conv(8, 8, 8), load_target("esp32-s3", runtime="tflm-esp-nn"))
    assert esp.basis is Basis.ANALYTIC
    assert esp.lo < arm.value < esp.value < esp.hi
    assert esp.hi > 3 * esp.lo


def test_model_bytes_are_those_of_the_file_or_of_the_file_it_would_become() -> None:
    graph = fully_connected(64, 8)
    assert model_bytes(replace(graph, file_bytes=1234)) == 1234
    assert model_bytes(graph) == len(write_tflite(graph))
