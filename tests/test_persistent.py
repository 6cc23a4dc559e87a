"""The arena's tail: specs/tflm_memory.md section 5, added up by hand in allocation order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from memory_models import (
    BUILDS,
    INT_ENUM,
    MVE,
    PLAIN_C,
    REFERENCE,
    chain,
    conv,
    fully_connected,
    one_op,
    op,
    subgraph,
    t,
    transpose_conv,
)
from preflash.devices.target import KernelBuild
from preflash.graphs.ir import ModelGraph, Op
from preflash.graphs.ops import BatchMatMulAttributes, VarHandleAttributes
from preflash.simulator.memory.persistent import Tail, lay_tail
from preflash.simulator.memory.persistent_sizes import (
    INIT_BYTES,
    INIT_BYTES_OF_LIBRARY,
    NO_INIT_DATA,
    OPTION_BYTES,
    init_bytes,
)
from preflash.simulator.memory.prepare_data import prepare_data
from preflash.simulator.memory.requests import tensor_requests


def tail_of(graph: ModelGraph, build: KernelBuild = REFERENCE, scratch: int = 0) -> Tail:
    return lay_tail(graph, build, scratch_count=scratch, variables=tensor_requests(graph).variables)


def test_an_allocation_moves_down_to_a_multiple_of_its_alignment() -> None:
    tail = Tail()
    for size, alignment, depth in [(36, 4, 36), (2, 1, 38), (8, 4, 48), (4, 16, 64)]:
        tail.push("x", size, alignment)
        assert tail.depth_bytes == depth
    assert tail.by_kind == {"x": 64}


def test_one_relu_adds_up() -> None:
    """36 + 44 + 36 + 8 fixed, 8 subgraph, 2*12 eval, 32 op = 188; RELU's 28 -> 224;

    4 pointers -> 240, 32 struct -> 272; 4 -> 288, 32 -> 320.
    """
    tail = tail_of(chain(8, 8))
    assert tail.by_kind == {
        "fixed objects": 132, "eval tensors": 24, "nodes and registrations": 32, "op data": 36,
        "inputs and outputs": 96,
    }  # fmt: skip
    assert (tail.before_io, tail.depth_bytes) == (224, 320)


def test_quantized_inputs_carry_their_scales() -> None:
    """+ 12 and 4 + 4*1 behind each of the two tensor structs; 240 + 32 + 20 = 292, 304, 336, 356."""
    graph = one_op("RELU", [t(8, scales=1)], t(8, scales=1))
    assert tail_of(graph).depth_bytes == 356


def test_int_enums_make_tensor_structs_and_options_longer() -> None:
    """MUL's option grows from 1 byte to 4: 132 + 36 + 32 = 200, 204; MUL's 36 -> 240."""
    graph = one_op("MUL", [t(8), t(8)], t(8))
    assert tail_of(graph).by_kind["op options"] == 1
    longer = tail_of(graph, KernelBuild("reference", "", INT_ENUM))
    assert longer.by_kind["op options"] == 4
    # 2 input pointers -> 256, + 2*40 = 336; 1 output pointer -> 352, + 40
    assert longer.depth_bytes == 392


def test_scratch_handles_exist_only_with_scratch() -> None:
    assert "scratch handles" not in tail_of(chain(8, 8)).by_kind
    assert tail_of(chain(8, 8), scratch=3).by_kind["scratch handles"] == 12


def test_variables_lie_in_the_tail_aligned_to_16() -> None:
    graph = one_op("RELU", [t(8), t(5, variable=True)], t(8))
    assert tail_of(graph).by_kind["variables"] >= 5
    # 132 + 36 + 32 + 28 -> 240 (RELU at 16), + 5 -> 256
    assert tail_of(graph).before_io == 256


def test_an_op_nobody_recorded_leaves_the_tail_known_from_below() -> None:
    assert tuple(tail_of(one_op("CUSTOM:Mystery", [t(8)], t(8))).unknown_ops) == ("Mystery",)
    assert tuple(tail_of(one_op("TILE", [t(8)], t(8))).unknown_ops) == ("TILE",)


def _matmul(adj_x: bool, adj_y: bool) -> ModelGraph:
    left, right = (t(1, 6, 4) if adj_x else t(1, 4, 6)), (t(1, 5, 6) if adj_y else t(1, 6, 5))
    return one_op("BATCH_MATMUL", [left, right], t(1, 4, 5), BatchMatMulAttributes(adj_x=adj_x, adj_y=adj_y))


PREPARE = [
    ("conv: multipliers and shifts", conv((8, 8, 4), (3, 3, 8)), "ref", (32, 32)),
    ("float conv too", conv((8, 8, 4), (3, 3, 8), dtype="float32", weights="float32"), "ref", (32, 32)),
    ("float conv on ESP-NN too", conv((8, 8, 4), (3, 3, 8), dtype="float32", weights="float32"), "s3",
     (32, 32)),
    ("but not in CMSIS-NN", conv((8, 8, 4), (3, 3, 8), dtype="float32", weights="float32"), "c", ()),
    ("transpose conv always", transpose_conv((4, 4, 16), (3, 3, 8)), "c", (32, 32)),
    ("per-tensor fully connected", fully_connected(1, 64, 10), "ref", ()),
    ("per-channel fully connected", fully_connected(1, 64, 10, scales=10), "ref", (40, 40)),
    ("MVE adds the kernel sums", fully_connected(1, 64, 10, scales=10), "mve", (40, 40, 40)),
    ("not where the filter is no constant", fully_connected(1, 64, 10, constant=False), "mve", ()),
    ("nor on the 1x1 route", fully_connected(6, 64, 10, out=(1, 6, 10)), "mve", ()),
    ("nor for int4", fully_connected(1, 64, 10, weights="int4"), "mve", ()),
    ("without a bias as with one", fully_connected(1, 64, 10, bias=False), "mve", (40,)),
    ("int16 softmax: two tables", one_op("SOFTMAX", [t(1, 4, dtype="int16")], t(1, 4, dtype="int16")),
     "ref", (1026, 1026)),
    # the right operand is transposed unless adj_y: 12, 4 + 4*3 dims, 30 bytes
    ("matrix product", _matmul(False, False), "ref", (28, 12, 16, 30, 16)),
    ("CMSIS-NN puts the 28 last", _matmul(False, False), "c", (12, 16, 30, 16, 28)),
    ("adj_y spares it", _matmul(False, True), "ref", (28, 16)),
    ("adj_x transposes the left one", _matmul(True, True), "ref", (28, 12, 16, 24, 16)),
    ("int8 ADD_N", one_op("ADD_N", [t(8), t(8)], t(8)), "ref", (40,)),
    ("float ADD_N", one_op("ADD_N", [t(8, dtype="float32")] * 2, t(8, dtype="float32")), "ref", ()),
    ("a static reshape", one_op("RESHAPE", [t(2, 4)], t(8)), "ref", ()),
    ("a reshape to be solved", one_op("RESHAPE", [t(2, 4)], t(1, -1)), "ref", (12,)),
]  # fmt: skip


@pytest.mark.parametrize("row", PREPARE, ids=[row[0] for row in PREPARE])
def test_prepare_keeps(row: tuple[str, ModelGraph, str, tuple[int, ...]]) -> None:
    _, graph, build, wanted = row
    assert tuple(prepare_data(graph.main, graph.ops[0], BUILDS[build])) == wanted


def test_a_library_replaces_the_struct_of_its_own_kernels() -> None:
    assert init_bytes("CONV_2D", "reference", enum_is_int=False) == 56
    assert init_bytes("CONV_2D", "cmsis-nn", enum_is_int=False) == 60
    assert init_bytes("MEAN", "cmsis-nn", enum_is_int=False) == 44
    assert init_bytes("ABS", "reference", enum_is_int=True) == 28
    assert init_bytes("RESHAPE", "reference", enum_is_int=False) == 0
    assert init_bytes("TILE", "reference", enum_is_int=False) is None


def test_tables_do_not_contradict_each_other() -> None:
    assert not NO_INIT_DATA & INIT_BYTES.keys()
    for own in INIT_BYTES_OF_LIBRARY.values():
        assert own.keys() <= INIT_BYTES.keys()
        assert all(own[kind] > INIT_BYTES[kind] for kind in own)
    assert all(short <= long for short, _, long, _ in OPTION_BYTES.values())


def test_resource_variables_are_counted_by_name_and_allocated_once() -> None:
    """12 -> 16 alignment and 20 per variable; the data of 'a' once although assigned twice."""
    def handle(out: int, name: str) -> Op:
        return op("VAR_HANDLE", [], [out], VarHandleAttributes(shared_name=name))

    resource = t(dtype="resource")
    assign_1, assign_2 = op("ASSIGN_VARIABLE", [1, 0], []), op("ASSIGN_VARIABLE", [2, 0], [])
    ops = [handle(1, "a"), assign_1, handle(2, "a"), assign_2]
    graph = ModelGraph((subgraph([t(40), resource, replace(resource)], ops, [0], []),))
    tail = tail_of(graph)
    # 116 + 12 -> 128, + 20 -> 160: 44; 40 bytes -> 48
    assert tail.by_kind["resource variables"] == 44 + 48


def test_signal_ops_keep_their_tables() -> None:
    from test_scratch import _options

    graph = one_op("CUSTOM:SignalRfft", [t(1, 480, dtype="int16")], t(1, 514, dtype="int16"),
                   custom_options=_options(fft_length=512))  # fmt: skip
    # 132 + 24 + 32 = 188; 32 -> 224; S = 12 + 264 + 4 + 4*255 + 4*384 = 2836 -> 3072
    assert tail_of(graph).before_io == 3072


def test_libraries_with_longer_structs_have_the_longer_tail() -> None:
    graph = conv((8, 8, 4), (3, 3, 8))
    assert tail_of(graph, MVE).depth_bytes >= tail_of(graph, PLAIN_C).depth_bytes
    assert tail_of(graph, PLAIN_C).depth_bytes >= tail_of(graph, REFERENCE).depth_bytes
