"""A .tflite becomes a ModelGraph, and nothing in it is dropped."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from builders import add_records, conv_graph, rich_graph, with_op, with_tensor
from preflash.errors import ModelError
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import BlockwiseQuantization, DType
from preflash.graphs.ops import (
    Activation,
    Conv2DAttributes,
    EmptyAttributes,
    IfAttributes,
    LSTMAttributes,
    OpaqueAttributes,
    ReshapeAttributes,
)
from preflash.graphs.tflite.encode import encode
from preflash.graphs.tflite.read import parse_tflite, read_tflite
from preflash.graphs.tflite.write import write_tflite
from shared_data import shared_dir, shared_models


def test_a_file_gives_its_name_length_and_hash(tmp_path):
    path = tmp_path / "my.model.tflite"
    data = write_tflite(conv_graph(), path)
    graph = read_tflite(path)
    assert (graph.name, graph.file_bytes) == ("my.model", len(data))
    assert graph.sha256 == hashlib.sha256(data).hexdigest()


def test_a_convolution_keeps_attributes_shapes_and_per_channel_scales():
    graph = parse_tflite(write_tflite(conv_graph()))
    (op,) = graph.ops
    assert (op.kind, op.version, op.inputs, op.outputs) == ("CONV_2D", 3, (0, 1, 2), (3,))
    assert op.attributes == Conv2DAttributes(Padding.SAME, 1, 1, Activation.RELU, 1, 1)
    weights = graph.tensors[1]
    assert weights.shape == (3, 3, 3, 2)
    assert weights.stored_bytes == weights.dense_bytes == 54
    assert weights.quantization.is_per_channel
    np.testing.assert_array_equal(weights.quantization.scales, np.array([0.01, 0.02, 0.04], np.float32))
    assert not graph.tensors[0].is_constant


def test_constants_are_read_only_views_of_the_file():
    data = write_tflite(conv_graph())
    weights = parse_tflite(data).tensors[1].data
    assert isinstance(weights, memoryview)
    assert weights.readonly
    assert weights.obj is data


def test_scales_cannot_be_written():
    quantization = parse_tflite(write_tflite(conv_graph())).tensors[1].quantization
    assert not quantization.scales.flags.writeable
    assert not quantization.zero_points.flags.writeable


def test_int4_sparse_variable_signature_metadata_and_custom_op_are_understood():
    graph = parse_tflite(write_tflite(rich_graph()))
    assert graph.tensors[1].dtype is DType.INT4
    assert graph.tensors[1].stored_bytes == 5  # nine elements, two in a byte
    assert graph.tensors[2].sparsity.dimensions[1].segments == (0, 1, 2)
    assert graph.tensors[2].sparsity.dimensions[1].indices_bits == 16
    assert graph.tensors[3].is_variable
    assert graph.tensors[0].shape_signature == (-1, 4)
    assert graph.tensors[5].name == "ünïcode ☃"
    assert graph.signatures[0].inputs == (("x", 0),)
    assert graph.metadata[0] == ("min_runtime_version", b"1.5.0" + bytes(11))
    assert graph.description == "made in code"
    custom = graph.ops[1]
    assert (custom.label, custom.custom_options) == ("Mine", b"\x01\x02")
    assert custom.mutating_inputs == (False, True, False)


@pytest.mark.parametrize(
    ("legacy", "new", "kind", "only_legacy"),
    [
        (3, 0, "CONV_2D", True),  # written before 2021
        (3, 3, "CONV_2D", False),
        (0, 0, "ADD", False),
        (127, 150, "GELU", False),  # too large for the byte
        (0, 118, "IF", False),
        (118, 0, "IF", True),
    ],
)
def test_the_op_kind_is_the_larger_of_both_codes(legacy, new, kind, only_legacy):
    code = {"deprecated_builtin_code": legacy, "builtin_code": new}
    (op,) = parse_tflite(encode(add_records(operator_codes=[code]))).ops
    assert (op.kind, op.only_legacy_code) == (kind, only_legacy)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"builtin_options_type": 78, "builtin_options": ("AbsOptions", {})}, EmptyAttributes("AbsOptions")),
        (
            {"builtin_options_type": 17, "builtin_options": ("ReshapeOptions", {"new_shape": (2, -1)})},
            ReshapeAttributes((2, -1)),
        ),
        (
            {"builtin_options_type": 14, "builtin_options": ("LSTMOptions", {"cell_clip": 2.5})},
            LSTMAttributes(cell_clip=2.5),
        ),
        (
            {"builtin_options_2_type": 18, "builtin_options_2": ("DilateOptions", {})},
            EmptyAttributes("DilateOptions"),
        ),
        (
            {"builtin_options_type": 200, "builtin_options": ("AbsOptions", {})},
            OpaqueAttributes("builtin_options", 200),
        ),
    ],
)
def test_attributes_follow_from_the_options_in_the_file(options, expected):
    (op,) = parse_tflite(with_op(**options)).ops
    assert op.attributes == expected


def test_if_refers_to_its_subgraphs():
    model = add_records(operator_codes=[{"builtin_code": 118}])
    body = {**model["subgraphs"][0], "operators": []}
    model["subgraphs"] += [body, body]
    branches = {"then_subgraph_index": 1, "else_subgraph_index": 2}
    op = model["subgraphs"][0]["operators"][0]
    op.update(builtin_options_type=92, builtin_options=("IfOptions", branches))
    graph = parse_tflite(encode(model))
    assert graph.ops[0].attributes == IfAttributes(1, 2)
    assert len(graph.subgraphs) == 3


def test_weights_behind_the_flatbuffer_are_found():
    model = add_records()
    model["buffers"][1] = {"offset": 4096, "size": 8}
    data = encode(model)
    data += bytes(4096 - len(data)) + np.array([5, 6], "<f4").tobytes()
    constant = parse_tflite(data).tensors[1].data
    np.testing.assert_array_equal(np.frombuffer(constant, "<f4"), [5, 6])


def test_custom_options_behind_the_flatbuffer_are_found():
    data = with_op(large_custom_options_offset=2048, large_custom_options_size=3)
    data += bytes(2048 - len(data)) + b"abc"
    assert parse_tflite(data).ops[0].custom_options == b"abc"


def test_an_empty_buffer_is_not_a_constant():
    model = add_records(buffers=[{}, {"data": b""}])
    assert parse_tflite(encode(model)).tensors[1].data is None


def test_a_range_without_a_scale_is_kept_apart_from_the_quantization():
    tensor = parse_tflite(
        with_tensor(0, quantization={"min": np.float32([-1]).tobytes(), "max": np.float32([2]).tobytes()})
    ).tensors[0]
    assert tensor.quantization is None
    assert (tensor.recorded.minimum[0], tensor.recorded.maximum[0]) == (-1, 2)


def test_one_zero_point_stands_for_all_channels():
    scales = np.float32([1, 2]).tobytes()
    quantization = {"scale": scales, "zero_point": np.int64([7]).tobytes(), "quantized_dimension": 1}
    found = parse_tflite(with_tensor(0, quantization=quantization)).tensors[0].quantization
    assert (list(found.zero_points), found.axis) == ([7, 7], 1)


def test_blockwise_quantization_names_its_scale_tensor():
    details = ("BlockwiseQuantization", {"scales": 1, "zero_points": -1, "block_size": 32})
    tensor = parse_tflite(with_tensor(0, quantization={"details_type": 2, "details": details})).tensors[0]
    assert tensor.recorded.details == BlockwiseQuantization(1, -1, 32)


def test_an_extent_that_the_runtime_works_out_has_no_elements_yet():
    tensor = parse_tflite(with_tensor(2, shape=(1, -1))).tensors[2]
    assert (tensor.shape, tensor.element_count, tensor.dense_bytes) == ((1, -1), 0, 0)


def test_ops_know_their_producers_and_consumers():
    main = parse_tflite(write_tflite(rich_graph())).main
    assert main.ops[1].producers == (0, -1, -1)
    assert main.ops[0].consumers == (1,)
    assert list(main.nx.edges(data="tensors")) == [(0, 1, (4,))]


def test_every_shared_model_is_read():
    shared_dir()
    refused = {}
    for path in shared_models():
        try:
            graph = read_tflite(path)
        except ModelError as error:
            refused[path.name] = str(error)
            continue
        assert graph.inputs or graph.tensors, path
    assert refused == {}
    assert len(shared_models()) > 400
