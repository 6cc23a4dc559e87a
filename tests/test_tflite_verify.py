"""Any bytes give a model or a named error: never a crash, a hang or a surprise."""

from __future__ import annotations

import dataclasses
import random
import struct
import time
import tracemalloc

import numpy as np
import pytest
from builders import add_records, conv_graph, rich_graph, with_op, with_subgraph, with_tensor
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash.errors import ModelError, ModelFileInvalid, ModelNotFound, ModelVersionUnsupported
from preflash.graphs.ir import DType, wire
from preflash.graphs.ops import Conv2DAttributes, Pool2DAttributes
from preflash.graphs.tflite.encode import encode
from preflash.graphs.tflite.read import parse_tflite, read_tflite
from preflash.graphs.tflite.verify import verify
from preflash.graphs.tflite.write import write_tflite
from shared_data import shared_dir

_BUILT = {
    "conv": write_tflite(conv_graph()),
    "rich": write_tflite(rich_graph()),
    "add": encode(add_records()),
}
_REAL = ["kws_ref_model", "hello_world_int8", "audio_preprocessor_int8", "synthetic/s0070", "synthetic/s0001"]
_WORDS = (0, 1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


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


def refusal(data: bytes) -> ModelFileInvalid:
    with pytest.raises(ModelFileInvalid) as caught:
        verify(data)
    return caught.value


@pytest.mark.parametrize("data", _BUILT.values(), ids=_BUILT.keys())
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


@pytest.mark.parametrize("data", _BUILT.values(), ids=_BUILT.keys())
def test_every_truncation_of_a_built_file_is_refused_or_harmless(data):
    outcomes = [outcome(data[:length]) for length in range(len(data))]
    assert all(isinstance(error, ModelFileInvalid) for error in outcomes[: len(data) // 2])


@pytest.mark.parametrize("data", _BUILT.values(), ids=_BUILT.keys())
def test_every_single_byte_may_change(data):
    for position in range(len(data)):
        for value in (data[position] ^ 0xFF, data[position] ^ 0x01, 0x80):
            outcome(data[:position] + bytes([value]) + data[position + 1 :])


@pytest.mark.parametrize("data", _BUILT.values(), ids=_BUILT.keys())
def test_every_word_may_become_an_extreme_number(data):
    for position in range(0, len(data) - 3, 4):
        for word in (*_WORDS, len(data) - position):
            outcome(data[:position] + struct.pack("<I", word) + data[position + 4 :])


@pytest.mark.parametrize("name", _REAL)
def test_damaged_real_models_are_refused_or_safe_to_use(name):
    data = (shared_dir() / "models" / f"{name}.tflite").read_bytes()
    rng = random.Random(name)
    refused = 0
    for _ in range(400):
        broken = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 4))):
            # the tables lie at the end, or at the start, of what converters write
            near = rng.randrange(min(4000, len(data) - 4))
            position = rng.choice((near, len(data) - 4 - near, rng.randrange(len(data) - 4)))
            word = rng.choice((*_WORDS, rng.randrange(1 << 32), rng.randrange(len(data))))
            broken[position : position + 4] = struct.pack("<I", word)
        refused += outcome(bytes(broken)) is not None
    for _ in range(50):
        refused += outcome(data[: rng.randrange(len(data))]) is not None
    assert refused >= 50


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(data):
    assert outcome(data) is not None


@settings(max_examples=200)
@given(st.binary(min_size=20, max_size=300), st.integers(8, 40))
def test_random_bytes_behind_a_valid_identifier_are_safe(data, root):
    outcome(struct.pack("<I4s", root, b"TFL3") + data)


def flood(tensors: int, subgraphs: int) -> bytes:
    """A file whose subgraph offsets all lead to one subgraph, whose tensors all are one empty table."""
    out = bytearray(struct.pack("<I4s", 24, b"TFL3"))
    out += struct.pack("<8H", 14, 20, 4, 0, 8, 0, 12, 0)  # vtable: version, subgraphs, buffers
    out += struct.pack("<iI3I", 16, 3, 0, 0, 0)
    lists = len(out)
    struct.pack_into("<I", out, 32, lists - 32)
    out += struct.pack("<I", subgraphs) + bytes(4 * subgraphs)
    struct.pack_into("<I", out, 36, len(out) - 36)
    out += struct.pack("<II", 1, 0)
    buffer = len(out) - 4
    out += struct.pack("<4H", 6, 8, 4, 0)
    subgraph = len(out)
    out += struct.pack("<iI", 8, 4)
    tensor_list = len(out)
    out += struct.pack("<I", tensors) + bytes(4 * tensors) + struct.pack("<2Hi", 4, 4, 4)
    empty = len(out) - 4
    struct.pack_into("<I", out, buffer, empty - buffer)
    for i in range(subgraphs):
        struct.pack_into("<I", out, lists + 4 + 4 * i, subgraph - (lists + 4 + 4 * i))
    for i in range(tensors):
        struct.pack_into("<I", out, tensor_list + 4 + 4 * i, empty - (tensor_list + 4 + 4 * i))
    return bytes(out)


def test_a_few_shared_tables_are_allowed():
    graph = parse_tflite(flood(tensors=3, subgraphs=2))
    assert [len(s.tensors) for s in graph.subgraphs] == [3, 3]


def test_tables_shared_without_end_are_refused_quickly_and_without_memory():
    data = flood(tensors=100_000, subgraphs=100_000)
    tracemalloc.start()
    started = time.perf_counter()
    error = refusal(data)
    elapsed_s = time.perf_counter() - started
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "shared so often" in str(error)
    assert peak_bytes < 4 * len(data)
    assert elapsed_s < 2  # generous: the walk over 10^10 tables would take hours


def test_metadata_that_shares_one_large_buffer_is_refused_before_it_is_copied():
    entries = [{"name": str(i), "buffer": 1} for i in range(1000)]
    data = encode(add_records(buffers=[{}, {"data": bytes(100_000)}], metadata=entries, subgraphs=[
        {"tensors": [], "inputs": (), "outputs": (), "operators": []}]))  # fmt: skip
    assert "more than the file holds" in str(refusal(data))


def test_what_is_no_readable_file_is_a_named_error(tmp_path):
    with pytest.raises(ModelNotFound, match="no such model file"):
        read_tflite(tmp_path / "none.tflite")
    with pytest.raises(ModelFileInvalid, match="directory"):
        read_tflite(tmp_path)
    with pytest.raises(ModelFileInvalid, match="cannot be read"):
        read_tflite("bad\0name")
    wrong = tmp_path / "wrong.tflite"
    wrong.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelFileInvalid, match=r"wrong\.tflite: .*GGUF"):
        read_tflite(wrong)
