"""The code size of a model is the union of what its ops keep; the model's bytes are those of its file."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cost_graphs import chain, conv, depthwise, elementwise, fully_connected, one_op, tensor
from hypothesis import given
from hypothesis import strategies as st
from preflash.devices.build import FirmwareBuild, with_build
from preflash.devices.catalog import load_target
from preflash.devices.runtime import CodeModel
from preflash.devices.target import Target
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.tflite.write import write_tflite
from preflash.simulator.estimate import Conditions, Reservation, Word
from preflash.simulator.flash import (
    code_bytes,
    constant_bytes,
    flash_image,
    kernel_bytes,
    load_build,
    model_bytes,
    op_names,
    padding_bytes,
    registration_saving_bytes,
    registrations,
    undeclared_ends,
)
from preflash.simulator.flash.registrations import NARROWER
from preflash.simulator.interval import Basis, Interval
from preflash.simulator.simulate import simulate

M4 = load_target("nucleo-l4r5zi", runtime="tflm-cmsis-nn")
BUILD = load_build("m4", "cmsis_nn", "Oscore+O2kernels", False)
OPS = sorted(BUILD.ops) if BUILD else []
DECLARED = FirmwareBuild(registrations="all", ndebug=True, libc="newlib-nano", debug_log="callback")
TOLD = with_build(M4, DECLARED)


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
    found = code_bytes(fully_connected(64, 8), TOLD)
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
    found = code_bytes(chain(conv(8, 8, 8), custom("SignalRfft")), TOLD)
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


@pytest.mark.parametrize("board", ["raspberry-pi-4b", "gapuino"])
def test_an_estimate_is_made_where_no_firmware_was_linked_for_the_core(board: str) -> None:
    target = load_target(board, runtime="tflm-reference")
    assert registration_saving_bytes(conv(8, 8, 8), target) == 0
    assert simulate(conv(8, 8, 8), target).metric("flash_bytes").value is None


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


def test_what_is_not_declared_is_an_interval_with_named_ends_around_the_same_value() -> None:
    graph = conv(8, 8, 8)
    told, open_ = code_bytes(graph, TOLD), code_bytes(graph, M4)
    assert open_.value == told.value
    assert held(open_)[0] < held(told)[0] and held(open_)[2] > held(told)[2] + 20_000
    assert "from INT8-only registrations, NDEBUG, newlib-nano" in open_.source
    assert "to all types, no NDEBUG, full newlib" in open_.source
    assert "not declared" not in told.source


FIELDS = st.fixed_dictionaries({}, optional={
    "flags": st.sampled_from(["Os", "O2", "O3", "Oscore+O2kernels"]),
    "strip_error_strings": st.booleans(),
    "registrations": st.sampled_from(["all", "int8"]),
    "ndebug": st.booleans(),
    "libc": st.sampled_from(["newlib-nano", "newlib-nano-float", "newlib"]),
    "debug_log": st.sampled_from(["callback", "default"]),
})  # fmt: skip


@given(said=FIELDS, more=FIELDS)
def test_declaring_more_never_leaves_the_interval(said: dict[str, object], more: dict[str, object]) -> None:
    """An undeclared build holds every declared one that was linked."""
    nothing = with_code(M4, table="tflm-cmsis-nn")
    graph = conv(8, 8, 8)
    less, all_ = (
        code_bytes(graph, with_build(nothing, FirmwareBuild(**fields))) for fields in (said, {**more, **said})
    )  # type: ignore[arg-type]
    if all_.value is not None and less.value is not None:
        assert held(less)[0] <= held(all_)[0] and held(all_)[2] <= held(less)[2]


def test_a_verdict_is_risky_only_where_the_open_choices_decide() -> None:
    graph = conv(8, 8, 8)
    flash = M4.device.home_of("code")

    def word_with(free_bytes: int, target: Target) -> Word:
        taken = Reservation("app", flash.name, flash.size_bytes - free_bytes, "test")
        estimate = simulate(graph, target, Conditions(reservations=(taken,)))
        ids = {f.rule for f in estimate.findings}
        assert ("PF309" in ids) == (estimate.verdict.word is Word.RISKY)
        return next(b.word for b in estimate.verdict.budgets if b.name == f"flash:{flash.name}")

    low, value, high = held(code_bytes(graph, M4))
    array = model_bytes(graph) + 16
    assert word_with(int(high / 0.9) + array, M4) is not Word.RISKY
    assert word_with(int(value) + 1000 + array, M4) is Word.RISKY
    assert word_with(int(low) - 100, M4) is Word.NO
    assert word_with(int(value) - 2000, TOLD) is Word.NO


def test_the_kernels_alone_are_the_firmware_without_its_base() -> None:
    assert BUILD is not None
    graph = conv(8, 8, 8)
    whole, alone = code_bytes(graph, TOLD), kernel_bytes(graph, TOLD)
    assert whole.value is not None and alone.value is not None
    assert whole.value - alone.value == pytest.approx(BUILD.base_bytes, abs=1)
    assert held(alone)[0] > 0


@pytest.mark.parametrize("board", ["esp32-s3", "stm32f030r8", "nucleo-f746zg", "stm32f103rb", "ek-ra8d1"])
def test_kernels_alone_are_smaller_on_every_core(board: str) -> None:
    graph, target = conv(8, 8, 8), load_target(board)
    whole, alone = held(code_bytes(graph, target)), held(kernel_bytes(graph, target))
    assert all(0 < part < both for part, both in zip(alone, whole, strict=True))


@pytest.mark.parametrize(
    ("graph", "suffix"),
    [
        (conv(8, 8, 8), "INT8"),
        (conv(8, 8, 8, dtype=DType.INT16), "INT16"),
        (conv(8, 8, 8, dtype=DType.FLOAT32), ""),
        (chain(conv(8, 8, 8), conv(8, 8, 8, dtype=DType.FLOAT32)), ""),
    ],
)
def test_an_op_is_registered_for_one_type_only_if_every_instance_has_it(
    graph: ModelGraph, suffix: str
) -> None:
    (found,) = registrations(graph)
    assert (found.op, found.method, found.narrower) == ("CONV_2D", "AddConv2D", suffix)
    saves = registration_saving_bytes(graph, M4)
    assert (saves > 10_000) == bool(suffix)


def test_every_narrower_registration_was_linked() -> None:
    assert BUILD is not None
    assert {f"{op}_{suffix}" for op, ways in NARROWER.items() for suffix in ways} == {
        op for op in BUILD.ops if op.rpartition("_")[2] in ("INT4", "INT8", "INT16")
    }


def test_reference_kernels_have_nothing_narrower() -> None:
    target = load_target("nucleo-l4r5zi", runtime="tflm-reference")
    assert registration_saving_bytes(conv(8, 8, 8), target) == 0
    named = undeclared_ends(conv(8, 8, 8), target)
    assert named is not None and "registrations" not in named[0]


def test_a_custom_op_named_like_a_builtin_is_not_taken_for_it() -> None:
    (found,) = registrations(custom("CONV_2D"))
    assert (found.is_custom, found.method) == (True, "")
    assert code_bytes(custom("CONV_2D"), TOLD).value is None


@given(size=st.integers(0, 1 << 24))
def test_padding_reaches_the_next_multiple_of_the_alignment(size: int) -> None:
    assert (size + padding_bytes(size)) % 16 == 0 and 0 <= padding_bytes(size) < 16


def test_the_image_is_model_padding_and_code() -> None:
    graph = replace(fully_connected(64, 8), file_bytes=1234)
    image = flash_image(graph, TOLD)
    assert (image.model_bytes, image.padding_bytes) == (1234, 14)
    assert image.total.value == 1248 + (image.code.value or 0)


def test_constants_alone_count_each_stored_buffer_once() -> None:
    graph = fully_connected(64, 8)  # 512 weights, no bias
    assert constant_bytes(graph) == 512
    shared = replace(graph.main.tensors[1], index=len(graph.main.tensors))
    twice = replace(graph, subgraphs=(replace(graph.main, tensors=(*graph.main.tensors, shared)),))
    assert constant_bytes(twice) == 512
    assert constant_bytes(conv(8, 3, 3), alignment_bytes=16) == 16 + 16  # 9 weights, 12 bytes of bias


def test_what_narrower_registrations_save_is_a_finding_until_they_are_declared() -> None:
    graph = conv(8, 8, 8)
    ids = {f.rule for f in simulate(graph, M4).findings}
    said = with_build(M4, FirmwareBuild(registrations="int8"))
    assert "PF305" in ids
    assert "PF305" not in {f.rule for f in simulate(graph, said).findings}
