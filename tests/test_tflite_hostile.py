"""Damaged and hostile bytes give a model that is safe to use or a named error: no crash, no hang."""

from __future__ import annotations

import random
import struct
import time
import tracemalloc

import pytest
from builders import BUILT_FILES, add_records, outcome
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash.errors import ModelFileInvalid
from preflash.graphs.tflite.encode import encode
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.verify import verify
from shared_data import shared_dir

_REAL = ["kws_ref_model", "hello_world_int8", "audio_preprocessor_int8", "synthetic/s0070", "synthetic/s0001"]
_WORDS = (0, 1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def refusal(data: bytes) -> ModelFileInvalid:
    with pytest.raises(ModelFileInvalid) as caught:
        verify(data)
    return caught.value


@pytest.mark.parametrize("data", BUILT_FILES.values(), ids=BUILT_FILES.keys())
def test_every_truncation_of_a_built_file_is_refused_or_harmless(data):
    outcomes = [outcome(data[:length]) for length in range(len(data))]
    assert all(isinstance(error, ModelFileInvalid) for error in outcomes[: len(data) // 2])


@pytest.mark.parametrize("data", BUILT_FILES.values(), ids=BUILT_FILES.keys())
def test_every_single_byte_may_change(data):
    for position in range(len(data)):
        for value in (data[position] ^ 0xFF, data[position] ^ 0x01, 0x80):
            outcome(data[:position] + bytes([value]) + data[position + 1 :])


@pytest.mark.parametrize("data", BUILT_FILES.values(), ids=BUILT_FILES.keys())
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
