"""What is wrong with a file is named, with its place and a remedy, before anyone reads it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from builders import BUILT_FILES, add_records, conv_graph, outcome, with_op, with_subgraph, with_tensor
from preflash.errors import ModelFileInvalid, ModelNotFound, ModelVersionUnsupported
from preflash.graphs.ir import DType, wire
from preflash.graphs.ops import Conv2DAttributes, Pool2DAttributes
from preflash.graphs.tflite.encode import encode
from preflash.graphs.tflite.read import parse_tflite, read_tflite
from preflash.graphs.tflite.verify import verify
from preflash.graphs.tflite.write import write_tflite


def refusal(data: bytes) -> ModelFileInvalid:
    with pytest.raises(ModelFileInvalid) as caught:
        verify(data)
    return caught.value


@pytest.mark.parametrize("data", BUILT_FILES.values(), ids=BUILT_FILES.keys())
def test_a_sound_file_passes(data):
    verify(data)
    assert outcome(data) is None


@pytest.mark.parametrize(
    ("start", "named"),
    [
        (b"", "empty"),
        (b"PK\x03\x04" + bytes(20), "ZIP"),
        (b"\x1f\x8b\x08" + bytes(20), "gzip"),
        (b"\x89HDF\r\n\x1a\n" + bytes(20), "HDF5"),
        (b"\x08\x07\x12\x07pytorch", "ONNX"),
        (b"\x08\x01\x12\xff\x01", "SavedModel"),
        (b"\x80\x02\x8a\x0a" + bytes(9), "PyTorch"),
        (b"\x7fELF" + bytes(20), "ELF"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b"<!DOCTYPE html>", "web page"),
        (b"hello, this is no model\n", "text file"),
        (b"\x01\x02\x03", "lacks the identifier"),
        (bytes(1000), "lacks the identifier"),
        (b"\x00\x00\x00\x00TFL3", "model"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_name(start, named):
    error = refusal(start)
    assert named in str(error)
    assert error.fix


@pytest.mark.parametrize("data", [b"\x10\x00\x00\x00TFL2" + bytes(40), encode(add_records(version=2))])
def test_another_schema_version_is_refused(data):
    with pytest.raises(ModelVersionUnsupported, match=r"only (TFL3|version 3)"):
        verify(data)


@pytest.mark.parametrize(
    ("data", "where", "what"),
    [
        (encode(add_records(subgraphs=[])), "model", "no subgraph"),
        (with_tensor(1, buffer=9), "subgraph 0, tensor 1 'b'", "buffer 9"),
        (with_tensor(1, shape=(1, 3)), "subgraph 0, tensor 1 'b'", "8 bytes are stored"),
        (with_tensor(2, shape=(1, -2)), "subgraph 0, tensor 2 'c'", "negative"),
        (with_tensor(2, shape=(1 << 30, 1 << 30)), "subgraph 0, tensor 2 'c'", "absurdly large"),
        (with_tensor(1, shape=(1, -1)), "subgraph 0, tensor 1 'b'", "unknown extent"),
        (with_tensor(2, external_buffer=5), "subgraph 0, tensor 2 'c'", "separate weight file"),
        (
            with_tensor(0, quantization={"scale": bytes(12), "quantized_dimension": 1}),
            "subgraph 0, tensor 0 'a'", "3 scales for 2 channels",
        ),
        (
            with_tensor(0, quantization={"scale": bytes(8), "zero_point": bytes(24)}),
            "subgraph 0, tensor 0 'a'", "3 zero points",
        ),
        (
            with_tensor(0, sparsity={"traversal_order": (0, 0), "dim_metadata": [{}, {}]}),
            "subgraph 0, tensor 0 'a'", "sparse dimensions",
        ),
        (with_op(opcode_index=1), "subgraph 0, op 0", "operator code 1"),
        (with_op(inputs=(0, 3)), "subgraph 0, op 0, inputs", "tensor 3 does not exist"),
        (with_op(inputs=(0, -2)), "subgraph 0, op 0, inputs", "tensor -2 does not exist"),
        (with_op(outputs=(-1,)), "subgraph 0, op 0, outputs", "tensor -1 does not exist"),
        (with_op(intermediates=(7,)), "subgraph 0, op 0, intermediates", "tensor 7"),
        (
            with_op(builtin_options_type=92, builtin_options=("IfOptions", {"then_subgraph_index": 4})),
            "subgraph 0, op 0", "subgraph 4 does not exist",
        ),
        (
            with_op(builtin_options_type=93, builtin_options=("WhileOptions", {})),
            "subgraph 0", "calls itself",
        ),
        (
            with_op(large_custom_options_offset=100, large_custom_options_size=1 << 40),
            "subgraph 0, op 0", "outside the file",
        ),
        (with_subgraph(inputs=(-1,)), "subgraph 0, inputs", "tensor -1"),
        (with_subgraph(outputs=(3,)), "subgraph 0, outputs", "tensor 3"),
        (
            encode(add_records(buffers=[{}, {"offset": 64, "size": 1 << 50}])),
            "buffer 1", "outside the file",
        ),
        (
            encode(add_records(metadata=[{"name": "m", "buffer": 5}])), "metadata 'm'", "buffer 5",
        ),
        (
            encode(add_records(signature_defs=[{"signature_key": "s", "subgraph_index": 2}])),
            "signature 's'", "subgraph 2",
        ),
        (
            encode(add_records(signature_defs=[
                {"signature_key": "s", "inputs": [{"name": "x", "tensor_index": 8}]}])),
            "signature 's'", "tensor 8",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place(data, where, what):
    error = refusal(data)
    assert error.where == where
    assert what in error.what
    assert error.fix


def test_an_enum_value_out_of_range_is_named():
    data = with_tensor(2, type=DType.INT8)
    errors = [str(outcome(data[:i] + b"\x63" + data[i + 1 :])) for i in range(len(data))]
    named = [error for error in errors if "type has the unknown value 99" in error]
    assert named[0].startswith("model.subgraphs[0].tensors[2]: ")


@pytest.mark.parametrize(
    ("attributes", "what"),
    [
        (Conv2DAttributes(stride_w=0), "stride_w is 0"),
        (Conv2DAttributes(dilation_h_factor=-1), "dilation_h_factor is -1"),
        (Pool2DAttributes(filter_height=1 << 30), "filter_height is 1073741824"),
    ],
)
def test_a_window_that_does_not_move_or_has_no_extent_is_refused(attributes, what):
    graph = conv_graph()
    op = dataclasses.replace(graph.ops[0], attributes=attributes)
    error = refusal(write_tflite(graph.with_main(wire(graph.tensors, [op], inputs=[0], outputs=[3]))))
    assert (what in error.what, error.where) == (True, "subgraph 0, op 0")


def test_names_in_errors_stay_on_one_line_and_short():
    error = refusal(with_tensor(1, buffer=9, name="evil\n\x1b[31m" + "x" * 10000))
    assert "\n" not in str(error)
    assert "\x1b" not in str(error)
    assert len(str(error)) < 300


def test_a_vector_whose_axis_is_that_of_its_filter_is_quantized_along_itself():
    # converters of 2019 give biases the quantized dimension 3 of a depthwise filter
    bias = {"shape": (2,), "quantization": {"scale": np.ones(2, "<f4").tobytes(), "quantized_dimension": 3}}
    assert parse_tflite(with_tensor(1, **bias)).tensors[1].quantization.axis == 0


def test_what_is_no_readable_file_is_a_named_error(tmp_path):
    with pytest.raises(ModelNotFound, match="no such model file"):
        read_tflite(tmp_path / "none.tflite")
    with pytest.raises(ModelFileInvalid, match="directory"):
        read_tflite(tmp_path)
    if Path("/dev/zero").exists():
        with pytest.raises(ModelFileInvalid, match="device"):
            read_tflite("/dev/zero")
    with pytest.raises(ModelFileInvalid, match="cannot be read"):
        read_tflite("bad\0name")
    wrong = tmp_path / "wrong.tflite"
    wrong.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelFileInvalid, match=r"wrong\.tflite: .*GGUF"):
        read_tflite(wrong)
