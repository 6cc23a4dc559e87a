"""The shipped runtimes: kernels, fusion, op tables; TFLM's table agrees with what TFLM really loads."""

from __future__ import annotations

import re

import pytest
from preflash.devices.catalog import load_runtime, runtime_names
from preflash.devices.runtime import OpSupport, RuntimeSpec
from preflash.graphs.tflite.read import read_tflite
from preflash.simulator.support import refusals
from shared_data import shared_csv, shared_models

TFLM = ("tflm-reference", "tflm-cmsis-nn", "tflm-esp-nn")
RULES = {"bias-activation", "conv-batch-norm", "conv-add", "conv-pool", "conv-add-pool-relu", "pad-conv"}
XNNPACK_RULES = {"pad-conv", "any-pad-conv"}
CUSTOM = {
    "CircularBuffer": "CIRCULAR_BUFFER",
    "Decode": "TFLM_DECODE",
    "DetectionPostprocess": "TFLite_Detection_PostProcess",
}
TYPED = re.compile(r"_(INT4|INT8|INT16|INT8_INT16)$")


def support(runtime: RuntimeSpec, op: str) -> OpSupport:
    return next(entry for entry in runtime.ops if entry.op == op)


@pytest.mark.parametrize("name", runtime_names())
def test_a_runtime_is_named_like_its_file_and_fuses_by_known_rules(name: str) -> None:
    runtime = load_runtime(name)
    assert runtime.name == name
    assert set(runtime.fusion) <= RULES | XNNPACK_RULES


def test_the_promised_runtimes_are_there() -> None:
    assert set(runtime_names()) >= {*TFLM, "x-cube-ai", "example-accelerator"}


@pytest.mark.parametrize(
    ("name", "fusion"),
    [
        *((name, set()) for name in TFLM),
        ("x-cube-ai", {"bias-activation", "conv-batch-norm", "pad-conv", "conv-pool"}),
        ("example-accelerator", RULES),
    ],
)
def test_tflm_fuses_nothing_and_the_example_fuses_everything(name: str, fusion: set[str]) -> None:
    assert set(load_runtime(name).fusion) == fusion


@pytest.mark.parametrize("name", TFLM)
def test_tflm_has_its_own_planner_no_hybrid_ops_and_132_bytes_of_static_ram(name: str) -> None:
    runtime = load_runtime(name)
    assert runtime.memory.planner == "tflm-greedy"
    assert runtime.memory.persistent == "tflm"
    assert runtime.memory.static_ram_bytes == 104 + 28  # .data + .bss of the linked firmwares, newlib-nano
    assert runtime.memory.alignment_bytes == 16
    assert not runtime.hybrid_ops


def test_static_ram_is_the_largest_of_the_linked_firmwares() -> None:
    linked = [
        int(row["data"]) + int(row["bss"])
        for row in shared_csv("tflm_code_size.csv")
        if row["config_type"] in ("op", "op_set", "op_type_restricted")
        and row["config"] not in ("CircularBuffer", "DetectionPostprocess")  # up to 36 bytes more
    ]
    assert load_runtime("tflm-cmsis-nn").memory.static_ram_bytes == max(linked)


def test_code_size_comes_from_linked_firmware_or_is_unknown() -> None:
    assert load_runtime("tflm-reference").code.table == "tflm-reference"
    assert load_runtime("tflm-cmsis-nn").code.table == "tflm-cmsis-nn"
    assert load_runtime("tflm-cmsis-nn").code.flags == "Oscore+O2kernels"
    assert load_runtime("tflm-esp-nn").code.table == "tflm-reference"
    code = load_runtime("x-cube-ai").code
    assert (code.table, code.flat_bytes) == ("x-cube-ai", None)  # by release, fitted to ST's figures
    assert code.source


def test_the_three_tflm_builds_run_the_same_ops() -> None:
    first, *others = (load_runtime(name).ops for name in TFLM)
    assert all(ops == first for ops in others)


def test_every_op_whose_code_was_linked_is_supported() -> None:
    linked = {op for row in shared_csv("tflm_code_atoms.csv") for op in row["ops"].split("|") if op}
    names = {f"CUSTOM:{CUSTOM[op]}" if op in CUSTOM else TYPED.sub("", op) for op in linked}
    ours = {entry.op for entry in load_runtime("tflm-reference").ops}
    assert names <= ours
    assert {op for op in ours - names if not op.startswith("CUSTOM:Signal")} == set()


@pytest.mark.parametrize("op", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"])
def test_tflm_refuses_the_old_uint8_quantisation_and_says_why(op: str) -> None:
    entry = support(load_runtime("tflm-reference"), op)
    assert "uint8" not in entry.types
    assert "uint8" in entry.note
    assert {"int8", "int16", "float32"} == set(entry.types)
    assert {"int8", "int4", "float32"} <= set(entry.weight_types)


@pytest.mark.parametrize(
    ("op", "position"),
    [("TRANSPOSE_CONV", 2), ("SPLIT", 1), ("SPLIT_V", 0), ("CONV_2D", 0), ("SELECT_V2", 1), ("FILL", 1)],
)
def test_the_data_input_is_where_the_op_has_it(op: str, position: int) -> None:
    assert support(load_runtime("tflm-reference"), op).data_input == position


@pytest.mark.parametrize(
    "op", ["TILE", "CUSTOM:ethos-u", "CUSTOM:edgetpu-custom-op", "RFFT2D", "POW", "LSTM"]
)
def test_tflm_has_no_such_op(op: str) -> None:
    for name in TFLM:
        assert op not in {entry.op for entry in load_runtime(name).ops}


def test_tflm_loads_what_it_loaded_and_refuses_what_it_refused() -> None:
    runtime = load_runtime("tflm-reference")
    rows = [*shared_csv("tflm_arena.csv"), *shared_csv("tflm_arena_synthetic.csv")]
    loads = {row["file"].rsplit("/", 1)[-1]: row.get("loads_host", "yes") == "yes" for row in rows}
    wrong, seen = [], {True: 0, False: 0}
    for path in shared_models():
        if path.name in loads:
            found = refusals(read_tflite(path), runtime)
            seen[loads[path.name]] += 1
            if loads[path.name] is bool(found):
                wrong.append((path.name, [finding.message for finding in found]))
    assert not wrong
    assert seen[True] >= 180
    assert seen[False] == 3
