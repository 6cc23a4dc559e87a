"""Shapes that one op's Prepare leaves behind are what the next op's Prepare reads."""

from __future__ import annotations

from preflash.devices.target import KernelBuild
from preflash.graphs.ir import DType, ModelGraph, Op, Tensor, wire
from preflash.graphs.ops import Conv2DAttributes, ReshapeAttributes
from preflash.simulator.memory.judge import judge
from preflash.simulator.memory.plan import plan_tflm
from preflash.simulator.memory.refusal import refusals


def opened(then: Op, out: Tensor, *constants: Tensor) -> ModelGraph:
    """288 elements RESHAPEd to (1, -1, 6, 8), which is (1, 6, 6, 8); then an op that reads them."""
    tensors = [
        Tensor(0, "in", DType.INT8, (1, 288)),
        Tensor(1, "open", DType.INT8, (1, -1, 6, 8)),
        out,
        *constants,
    ]
    opening = Op(0, "RESHAPE", (0,), (1,), ReshapeAttributes(new_shape=(1, -1, 6, 8)))
    return ModelGraph((wire(tensors, [opening, then], inputs=(0,), outputs=(2,)),), name="m", file_bytes=1)


def test_a_reshape_reads_the_shape_that_the_reshape_before_it_left() -> None:
    flat = Op(1, "RESHAPE", (1,), (2,), ReshapeAttributes(new_shape=(1, -1)))
    graph = opened(flat, Tensor(2, "flat", DType.INT8, (1, -1)))
    assert refusals(graph) == ()
    plan = plan_tflm(graph, KernelBuild("reference", "", "arm32-short-enum"))
    judge(plan, graph)
    assert plan.head_bytes == 2 * 288  # each RESHAPE copies: two of the three tensors are alive at a time


def test_scratch_is_that_of_the_solved_shape() -> None:
    weight = Tensor(3, "w", DType.INT8, (8, 3, 3, 8), data=bytes(576))
    conv = Op(1, "CONV_2D", (1, 3), (2,), Conv2DAttributes())
    graph = opened(conv, Tensor(2, "out", DType.INT8, (1, 6, 6, 8)), weight)
    plan = plan_tflm(graph, KernelBuild("esp-nn", "s3", "int32-enum"))
    (scratch,) = [b for b in plan.buffers if b.kind == "scratch"]
    # ESP32-S3, padded rows: padded input 8*8*8, filter 9*16*8, rows 32*3*8, overhang 8*8*8, 64 + 4*8
    assert scratch.size_bytes == 512 + 1152 + 768 + 512 + 96
