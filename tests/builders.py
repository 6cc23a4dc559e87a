"""Tiny .tflite files made in code: through the writer, and as records that a test breaks on purpose."""

from __future__ import annotations

from typing import Any

import numpy as np
from preflash.errors import ModelError
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import (
    DType,
    ModelGraph,
    Op,
    Quantization,
    Signature,
    SparseDimension,
    Sparsity,
    Tensor,
    wire,
)
from preflash.graphs.ops import Activation, Conv2DAttributes, FullyConnectedAttributes
from preflash.graphs.tflite.encode import encode
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite


def quantized(scale: float, zero_point: int = 0) -> Quantization:
    return Quantization(np.array([scale], np.float32), np.array([zero_point], np.int64))


def conv_graph() -> ModelGraph:
    """int8 (1, 4, 4, 2) -> 3 x 3 convolution, SAME, ReLU -> (1, 4, 4, 3); per-channel weights."""
    rng = np.random.default_rng(7)
    scales = np.array([0.01, 0.02, 0.04], np.float32)
    zeros = np.zeros(3, np.int64)
    weights = rng.integers(-127, 128, (3, 3, 3, 2)).astype(np.int8)
    bias = np.array([10, -20, 30], np.int32)
    bias_quantization = Quantization(scales * np.float32(0.5), zeros, 0)
    tensors = [
        Tensor(0, "input", DType.INT8, (1, 4, 4, 2), quantization=quantized(0.5, -3)),
        Tensor(1, "weights", DType.INT8, (3, 3, 3, 2), weights.tobytes(), Quantization(scales, zeros, 0)),
        Tensor(2, "bias", DType.INT32, (3,), bias.tobytes(), bias_quantization),
        Tensor(3, "output", DType.INT8, (1, 4, 4, 3), quantization=quantized(0.25, -128)),
    ]
    attributes = Conv2DAttributes(Padding.SAME, 1, 1, Activation.RELU)
    op = Op(0, "CONV_2D", (0, 1, 2), (3,), attributes, version=3)
    return ModelGraph((wire(tensors, [op], inputs=[0], outputs=[3], name="main"),), name="conv")


def rich_graph() -> ModelGraph:
    """int4 and sparse constants, a variable, a signature, metadata, a custom op."""
    sparsity = Sparsity(
        traversal_order=(0, 1),
        block_map=(),
        dimensions=(
            SparseDimension(is_dense=True, dense_length=2),
            SparseDimension(False, 0, (0, 1, 2), (3, 1), segments_bits=8, indices_bits=16),
        ),
    )
    tensors = [
        Tensor(0, "input", DType.FLOAT32, (1, 4), shape_signature=(-1, 4)),
        Tensor(1, "int4", DType.INT4, (3, 3), bytes(5), quantized(0.1)),
        Tensor(2, "sparse", DType.FLOAT32, (2, 4), np.array([1, 2], "<f4").tobytes(), sparsity=sparsity),
        Tensor(3, "state", DType.FLOAT32, (1, 2), is_variable=True),
        Tensor(4, "output", DType.FLOAT32, (1, 2)),
        Tensor(5, "ünïcode ☃", DType.FLOAT32, (1, 2)),
    ]
    ops = [
        Op(0, "FULLY_CONNECTED", (0, 2, -1), (4,), FullyConnectedAttributes(), version=8),
        Op(1, "CUSTOM", (4, 3, 1), (5,), custom_code="Mine", custom_options=b"\x01\x02", mutating_inputs=(
            False, True, False)),
    ]  # fmt: skip
    return ModelGraph(
        (wire(tensors, ops, inputs=[0], outputs=[5], name="main"),),
        name="rich",
        description="made in code",
        metadata=(("min_runtime_version", b"1.5.0" + bytes(11)), ("empty", b"")),
        signatures=(Signature("serving_default", 0, (("x", 0),), (("y", 5),)),),
    )


def add_records(**changes: Any) -> dict[str, Any]:
    """The records of c = a + b over float32 (1, 2); `changes` replace whole fields of the model."""
    tensors = [
        {"shape": (1, 2), "type": DType.FLOAT32, "buffer": 0, "name": "a"},
        {"shape": (1, 2), "type": DType.FLOAT32, "buffer": 1, "name": "b"},
        {"shape": (1, 2), "type": DType.FLOAT32, "buffer": 0, "name": "c"},
    ]
    op = {"opcode_index": 0, "inputs": (0, 1), "outputs": (2,)}
    subgraph = {"tensors": tensors, "inputs": (0,), "outputs": (2,), "operators": [op], "name": "main"}
    model = {
        "version": 3,
        "operator_codes": [{"deprecated_builtin_code": 0, "builtin_code": 0}],
        "subgraphs": [subgraph],
        "buffers": [{}, {"data": np.array([1, 2], "<f4").tobytes()}],
    }
    return {**model, **changes}


def with_tensor(index: int, **changes: Any) -> bytes:
    """The addition's file with fields of one tensor replaced."""
    model = add_records()
    model["subgraphs"][0]["tensors"][index].update(changes)
    return encode(model)


def with_op(**changes: Any) -> bytes:
    """The addition's file with fields of its op replaced."""
    model = add_records()
    model["subgraphs"][0]["operators"][0].update(changes)
    return encode(model)


def with_subgraph(**changes: Any) -> bytes:
    """The addition's file with fields of its subgraph replaced."""
    model = add_records()
    model["subgraphs"][0].update(changes)
    return encode(model)


BUILT_FILES = {
    "conv": write_tflite(conv_graph()),
    "rich": write_tflite(rich_graph()),
    "add": encode(add_records()),
}


def outcome(data: bytes) -> ModelError | None:
    """None if the bytes give a model that is safe to use, else the error; anything else is raised."""
    try:
        graph = parse_tflite(data)
    except ModelError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1000
        assert error.what
        assert error.where
        return error
    for subgraph in graph.subgraphs:
        assert subgraph.nx.number_of_nodes() == len(subgraph.ops)
        for tensor in subgraph.tensors:
            assert 0 <= tensor.dense_bytes <= (1 << 40) * 16
            assert tensor.stored_bytes <= len(data)
        for op in subgraph.ops:
            _ = [subgraph.tensors[i] for i in (*op.inputs, *op.outputs) if i != -1]
            assert min(op.outputs, default=0) >= 0
    return None
