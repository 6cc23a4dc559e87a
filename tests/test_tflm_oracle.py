"""Arenas that no recording covered, held against the tflite-micro interpreter itself (a 64-bit host)."""

from __future__ import annotations

from functools import cache

import pytest
from memory_models import conv, one_op, t
from preflash.devices.target import KernelBuild
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import ModelGraph
from preflash.graphs.ops import (
    CumsumAttributes,
    L2NormAttributes,
    MirrorPadAttributes,
    Pool2DAttributes,
    ReducerAttributes,
)
from preflash.simulator.memory.offline_plan import with_best_offsets, with_offline_plan
from preflash.simulator.memory.persistent_sizes import ABI_SIZES, init_bytes
from preflash.simulator.memory.plan import plan_tflm
from preflash.simulator.memory.prepare_data import assigned_bytes, prepare_data
from stateful_models import (
    accumulators,
    branchy,
    called_once,
    choice,
    circular_buffer,
    detections,
    f,
    loop,
    numbers,
    q,
    svdf,
)
from tflm_oracle import Recording, record

HOST = KernelBuild("reference", "", "host64")
POINTER = 8
# the wheel is a build with compression, in which ASSIGN_VARIABLE keeps 4 bytes
WHEEL_ASSIGN = 4
CASES: dict[str, ModelGraph] = {
    "ELU, a table of 256": one_op("ELU", [q(1, 20)], q(1, 20)),
    "PRELU": one_op("PRELU", [f(1, 4, 4, 3), f(1, 1, 3, constant=True)], f(1, 4, 4, 3)),
    "HARD_SWISH": one_op("HARD_SWISH", [q(1, 20)], q(1, 20)),
    "RELU6": one_op("RELU6", [q(1, 20)], q(1, 20)),
    "ABS": one_op("ABS", [q(1, 20)], q(1, 20)),
    "RSQRT": one_op("RSQRT", [f(1, 20)], f(1, 20)),
    "SELECT_V2": one_op("SELECT_V2", [t(1, 20, dtype="bool"), f(1, 20), f(1, 20)], f(1, 20)),
    "SQUARED_DIFFERENCE": one_op("SQUARED_DIFFERENCE", [f(1, 20), f(1, 20)], f(1, 20)),
    "MIRROR_PAD": one_op("MIRROR_PAD", [q(2, 3), numbers([[1, 1], [1, 1]])], q(4, 5), MirrorPadAttributes()),
    "L2_NORMALIZATION": one_op("L2_NORMALIZATION", [f(1, 20)], f(1, 20), L2NormAttributes()),
    "L2_POOL_2D": one_op("L2_POOL_2D", [f(1, 4, 4, 3)], f(1, 2, 2, 3), Pool2DAttributes(
        padding=Padding.VALID, stride_w=2, stride_h=2, filter_width=2, filter_height=2)),
    "EMBEDDING_LOOKUP, rank 2": one_op("EMBEDDING_LOOKUP", [t(3, dtype="int32"), f(5, 8, constant=True)],
                                       f(3, 8)),
    "EMBEDDING_LOOKUP, rank 3": one_op("EMBEDDING_LOOKUP", [t(3, dtype="int32"), f(5, 2, 4, constant=True)],
                                       f(3, 2, 4)),
    "REDUCE_ALL": one_op("REDUCE_ALL", [t(2, 3, dtype="bool"), numbers([1])], t(2, dtype="bool"),
                         ReducerAttributes()),
    "CUMSUM": one_op("CUMSUM", [q(1, 10), numbers([1])], q(1, 10), CumsumAttributes()),
    "ADD_N": one_op("ADD_N", [q(1, 10)] * 3, q(1, 10)),
    "CIRCULAR_BUFFER": circular_buffer(),
    "Detection_PostProcess": detections(),
    "a state of float SVDF": svdf(quantized=False),
    "a state of int8 SVDF": svdf(quantized=True),
    "one resource variable": accumulators("a"),
    "two resource variables": accumulators("a", "b"),
    "one resource variable assigned twice": accumulators("a", "a"),
    "CALL_ONCE": called_once(),
    "IF": choice(),
    "WHILE": loop(),
}  # fmt: skip


@cache
def recordings() -> dict[str, Recording]:
    return dict(zip(CASES, record(tuple(CASES.values())), strict=True))


def kept_on_the_host(graph: ModelGraph) -> int:
    """What our tables say the kernels and the application ask for, before any alignment."""
    sizes, names = ABI_SIZES["host64"], set()
    total = POINTER * (len(graph.inputs) + len(graph.outputs))
    for s in graph.subgraphs:
        for op in s.ops:
            label = op.custom_code if op.kind == "CUSTOM" else op.kind
            total += (init_bytes(label, "reference", enum_is_int=True) or 0) + sum(prepare_data(s, op, HOST))
            if op.kind == "ASSIGN_VARIABLE":
                total += WHEEL_ASSIGN
                name = s.ops[op.producers[0]].attributes
                total += 0 if name in names else assigned_bytes(s, op)
                names.add(name)
    return total + (sizes.resource_variables + sizes.resource_variable * len(names) if names else 0)


@pytest.mark.parametrize("name", CASES)
def test_the_head_is_the_interpreters(name: str) -> None:
    recorded = recordings()[name]
    assert recorded.refusal == ""
    assert plan_tflm(CASES[name], HOST).head_bytes == recorded.head_bytes


@pytest.mark.parametrize("name", CASES)
def test_op_data_and_resources_are_the_interpreters(name: str) -> None:
    """Structs without pointers are as long on a board; those with pointers have their own host figure."""
    graph, recorded = CASES[name], recordings()[name]
    assert kept_on_the_host(graph) == recorded.requested_bytes("Persistent buffer data")


@pytest.mark.parametrize("name", CASES)
def test_eval_tensors_nodes_and_variables_are_the_interpreters(name: str) -> None:
    graph, recorded = CASES[name], recordings()[name]
    items = dict(plan_tflm(graph, HOST).tail_items)
    assert items["eval tensors"] == recorded.requested_bytes("TfLiteEvalTensor data")
    assert items["nodes and registrations"] == recorded.requested_bytes("NodeAndRegistration struct")
    variables = [tensor.dense_bytes for s in graph.subgraphs for tensor in s.tensors if tensor.is_variable]
    assert sum(variables) == recorded.requested_bytes("TfLiteTensor variable buffer data")


def test_no_case_has_a_tail_that_is_only_a_lower_bound() -> None:
    board = KernelBuild("reference", "", "arm32-short-enum")
    warned = {name: plan_tflm(graph, board).warnings for name, graph in CASES.items()}
    assert warned == dict.fromkeys(CASES, ())


def test_the_interpreter_follows_the_offsets_that_we_write() -> None:
    """768 bytes put at 4096; and five vectors for which TFLM's own plan takes 208 bytes, ours 192."""
    graph = conv((8, 8, 3), (3, 3, 8), dtype="float32", weights="float32", bias="float32")
    spread = with_offline_plan(graph, {(0, 0): 4096, (0, 3): 0})
    models = [spread, branchy(), with_best_offsets(branchy(), HOST)]
    recorded = record(models)
    assert [r.refusal for r in recorded] == [""] * 3
    assert [r.head_bytes for r in recorded] == [4096 + 768, 208, 192]
    assert [plan_tflm(one, HOST).head_bytes for one in models] == [4096 + 768, 208, 192]


def test_an_interpreter_that_crashes_is_only_a_refusal() -> None:
    """Detection_PostProcess without options ends the interpreter's process, not ours."""
    bare = one_op("CUSTOM:TFLite_Detection_PostProcess",
                  [f(1, 10, 4), f(1, 10, 3), f(10, 4, constant=True)], f(1, 5, 4))  # fmt: skip
    (recorded,) = record([bare])
    assert recorded.refusal
