"""Models that keep something from run to run, or choose what runs: for the arena's tests and its oracle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from flatbuffers import flexbuffers
from memory_models import op, subgraph, t
from preflash.graphs.ir import OPTIONAL, ModelGraph, Op, Tensor
from preflash.graphs.ops import (
    AddAttributes,
    CallOnceAttributes,
    FullyConnectedAttributes,
    IfAttributes,
    SVDFAttributes,
    VarHandleAttributes,
    WhileAttributes,
)

RESOURCE = t(1, dtype="resource")


def f(*shape: int, constant: bool = False, variable: bool = False) -> Tensor:
    """A float tensor."""
    return t(*shape, dtype="float32", constant=constant, variable=variable)


def q(*shape: int, constant: bool = False) -> Tensor:
    """An int8 tensor with a scale."""
    return t(*shape, constant=constant, scales=1)


def numbers(values: Sequence[int] | Sequence[Sequence[int]]) -> Tensor:
    """A constant of int32."""
    array = np.array(values, np.int32)
    return replace(t(*array.shape, dtype="int32"), data=array.tobytes())


def handle(out: int, name: str) -> Op:
    return op("VAR_HANDLE", [], [out], VarHandleAttributes(shared_name=name))


def accumulators(*names: str) -> ModelGraph:
    """x = variable + x for each name, stored back; ten floats each."""
    tensors, ops, last = [f(1, 10)], [], 0
    for name in names:
        h = len(tensors)
        tensors += [RESOURCE, f(1, 10), f(1, 10)]
        ops += [
            handle(h, name),
            op("READ_VARIABLE", [h], [h + 1]),
            op("ADD", [last, h + 1], [h + 2], AddAttributes()),
            op("ASSIGN_VARIABLE", [h, h + 2], []),
        ]
        last = h + 2
    return ModelGraph((subgraph(tensors, ops, [0], [last]),), name="accumulators")


def called_once() -> ModelGraph:
    """The variable gets its first value in a subgraph that CALL_ONCE runs."""
    first = subgraph([RESOURCE, f(1, 10, constant=True)],
                     [handle(0, "a"), op("ASSIGN_VARIABLE", [0, 1], [])], [], [])  # fmt: skip
    ops = [
        op("CALL_ONCE", [], [], CallOnceAttributes(init_subgraph_index=1)), handle(1, "a"),
        op("READ_VARIABLE", [1], [2]), op("ADD", [0, 2], [3], AddAttributes()),
    ]  # fmt: skip
    return ModelGraph((subgraph([f(1, 10), RESOURCE, f(1, 10), f(1, 10)], ops, [0], [3]), first), name="once")


def svdf(*, quantized: bool) -> ModelGraph:
    """4 filters with a memory of 6: a state of 24 elements."""
    make = q if quantized else f
    state = t(1, 24, dtype="int16", variable=True, scales=1) if quantized else f(1, 24, variable=True)
    time = t(4, 6, dtype="int16", constant=True, scales=1) if quantized else f(4, 6, constant=True)
    bias = t(4, dtype="int32", constant=True, scales=1) if quantized else f(4, constant=True)
    tensors = [make(1, 8), make(4, 8, constant=True), time, bias, state, make(1, 4)]
    ops = [op("SVDF", [0, 1, 2, 3, 4], [5], SVDFAttributes(rank=1))]
    return ModelGraph((subgraph(tensors, ops, [0], [5]),), name="svdf")


def choice() -> ModelGraph:
    """IF with two equal branches."""
    branch = subgraph([f(1, 10), f(1, 10)], [op("RELU", [0], [1])], [0], [1])
    main = subgraph([t(1, dtype="bool"), f(1, 10), f(1, 10)],
                    [op("IF", [0, 1], [2], IfAttributes(1, 2))], [0, 1], [2])  # fmt: skip
    return ModelGraph((main, branch, branch), name="choice")


def loop() -> ModelGraph:
    """WHILE x < 0: x = relu(x)."""
    condition = subgraph([f(1), f(1, constant=True), t(1, dtype="bool")],
                         [op("LESS", [0, 1], [2])], [0], [2])  # fmt: skip
    body = subgraph([f(1), f(1)], [op("RELU", [0], [1])], [0], [1])
    main = subgraph([f(1), f(1)], [op("WHILE", [0], [1], WhileAttributes(1, 2))], [0], [1])
    return ModelGraph((main, condition, body), name="loop")


def branchy() -> ModelGraph:
    """Float FULLY_CONNECTED of 80, 80, 32, 48 and 80 bytes; the first two and the last two in a row.

    TFLM's planner needs 208 bytes, 192 are alive at once and suffice.
    """
    widths, reads = (20, 20, 8, 12, 20), (0, 1, 0, 3)
    tensors = [f(1, width) for width in widths]
    ops = []
    for out, source in enumerate(reads, start=1):
        tensors.append(f(widths[out], widths[source], constant=True))
        ops.append(op("FULLY_CONNECTED", [source, len(tensors) - 1, OPTIONAL], [out],
                      FullyConnectedAttributes()))  # fmt: skip
    return ModelGraph((subgraph(tensors, ops, [0], [4]),), name="branchy")


def detections() -> ModelGraph:
    """10 boxes, 3 scores each, 5 detections."""
    tensors = [f(1, 10, 4), f(1, 10, 3), f(10, 4, constant=True), f(1, 5, 4), f(1, 5), f(1, 5), f(1)]
    one = Op(0, "CUSTOM", (0, 1, 2), (3, 4, 5, 6), custom_code="TFLite_Detection_PostProcess",
             custom_options=_detection_options())  # fmt: skip
    return ModelGraph((subgraph(tensors, [one], [0, 1], [3, 4, 5, 6]),), name="detections")


def circular_buffer() -> ModelGraph:
    """Four rows of eight, one cycle."""
    builder = flexbuffers.Builder()
    with builder.Map():
        builder.Key("cycles_max")
        builder.Int(1)
    one = Op(0, "CUSTOM", (0,), (1,), custom_code="CIRCULAR_BUFFER", custom_options=bytes(builder.Finish()))
    return ModelGraph((subgraph([q(1, 1, 1, 8), q(1, 4, 1, 8)], [one], [0], [1]),), name="circular")


def _detection_options() -> bytes:
    counts = {"max_detections": 5, "max_classes_per_detection": 1, "num_classes": 2,
              "detections_per_class": 4}
    scales = {"nms_score_threshold": 0.1, "nms_iou_threshold": 0.5, "y_scale": 10.0, "x_scale": 10.0,
              "h_scale": 5.0, "w_scale": 5.0}  # fmt: skip
    builder = flexbuffers.Builder()
    with builder.Map():
        for name, count in counts.items():
            builder.Key(name)
            builder.Int(count)
        builder.Key("use_regular_nms")
        builder.Bool(False)
        for name, scale in scales.items():
            builder.Key(name)
            builder.Float(scale)
    return bytes(builder.Finish())
