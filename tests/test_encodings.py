"""Storage encodings: what is stated is what is written, and what is written comes back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from preflash.errors import ModelFileInvalid
from preflash.graphs.encodings.bits import width_of
from preflash.graphs.encodings.codec import Codec, Frame
from preflash.graphs.encodings.download import download, gzipped
from preflash.graphs.encodings.huffman import canonical_codes, code_lengths
from preflash.graphs.encodings.lut import Lut
from preflash.graphs.encodings.lz4 import lz4_block, lz4_unblock
from preflash.graphs.encodings.plain import Bitmask
from preflash.graphs.encodings.sparse import CompressedRows, NOfM, RelativeIndex
from preflash.graphs.encodings.table import CODEC_OF, CODECS, cheapest, encodings_of
from preflash.graphs.encodings.values import Values, restored, values_of_tensor
from preflash.graphs.ir import DType, Quantization, Tensor, WeightForm

_DTYPES = {"int8": DType.INT8, "uint8": DType.UINT8, "int16": DType.INT16, "float32": DType.FLOAT32}


def tensor(stored: Any, *, zero_points: Any = None, axis: int = 0, form: WeightForm | None = None) -> Tensor:
    """A constant; with zero points, one scale each."""
    array, scales = np.asarray(stored), None
    if zero_points is not None:
        zeros = np.atleast_1d(np.asarray(zero_points, np.int64))
        scales = Quantization(np.ones(len(zeros), np.float32), zeros, axis)
    dtype = _DTYPES[array.dtype.name]
    return Tensor(0, "w", dtype, array.shape, array.tobytes(), quantization=scales, form=form)


def int8(*rows: Any) -> Tensor:
    return tensor(np.array(rows, np.int8))


def comes_back(codec: Codec, one: Tensor) -> None:
    """bits as stated, whole bytes as stated, the very array again."""
    values = values_of_tensor(one)
    assert values is not None
    bits = codec.size_bits(values)
    if bits is None:
        return
    stream = codec.encode(values)
    assert stream.bits == bits
    assert len(stream.data) == -(-bits // 8)
    again = restored(one, values, codec.decode(stream, Frame.of(values)))
    assert again.dtype.itemsize * again.size == one.stored_bytes
    assert again.tobytes() == bytes(one.data or b"")


# hand-worked sizes ------------------------------------------------------------------------------------

SPARSE = int8([0, 0, 5, 0], [0, 0, 0, 0], [7, 0, 0, -1])  # 12 values, 3 of them not zero, at 2, 8 and 11


@pytest.mark.parametrize(
    ("codec", "bits", "why"),
    [
        (CODEC_OF["raw"], 96, "12 * 8"),
        (Bitmask(), 36, "12 + 3 * 8"),
        (CompressedRows(), 46, "3 * (8 + log2 4 columns) + 4 row starts of ceil(log2 13) = 4 bits"),
        (RelativeIndex(4), 36, "gaps 3, 6, 3 all within 16: 3 * (8 + 4)"),
        (RelativeIndex(2), 40, "gap 6 is more than 4: one filler; 4 * (8 + 2)"),
        (RelativeIndex(1), 63, "gaps 3, 6, 3 in steps of 2: 1 + 2 + 1 fillers; 7 * (8 + 1)"),
        (RelativeIndex(4, shared=True), 50, "codes 0, 5, 7, -1: 3 * (2 + 4) + 4 * 8"),
        (Lut(), 56, "12 * 2 + 4 * 8"),
        (NOfM(2, 4), 60, "3 groups of 2 * (8 + 2)"),
        (NOfM(1, 4), None, "the third group has two values"),
    ],
)
def test_a_sparse_tensor_takes(codec: Codec, bits: int | None, why: str) -> None:
    values = values_of_tensor(SPARSE)
    assert values is not None
    assert codec.size_bits(values) == bits, why
    if bits is not None:
        comes_back(codec, SPARSE)


def test_values_of_k_bits_are_packed_only_where_they_keep_to_them() -> None:
    small = tensor(np.array([[-7, 7, 0, 3]], np.int8), form=WeightForm(bits=4))
    large = tensor(np.array([[-7, 9, 0, 3]], np.int8), form=WeightForm(bits=4))
    assert {one.word: one.bits for one in encodings_of(small)}["packed"] == 16
    assert "packed" not in {one.word for one in encodings_of(large)}  # 9 is no value of 4 bits
    comes_back(CODEC_OF["packed"], small)


def test_one_table_per_channel_is_as_long_as_the_longest() -> None:
    """3 channels of 4 values with 2, 1 and 3 distinct: 12 * 2 + 3 tables * 3 * 8 = 96 bits; together 6 codes:
    12 * 3 + 6 * 8 = 84."""
    one = tensor(np.array([[1, 2, 1, 2], [3, 3, 3, 3], [4, 5, 6, 4]], np.int8), zero_points=[0, 0, 0])
    values = values_of_tensor(one)
    assert values is not None
    assert Lut(per_channel=True).size_bits(values) == 96
    assert Lut().size_bits(values) == 84
    comes_back(Lut(per_channel=True), one)


def test_a_zero_point_is_the_zero_that_encodings_leave_out() -> None:
    one = tensor(np.array([[131, 131, 140, 131]], np.uint8), zero_points=131)
    values = values_of_tensor(one)
    assert values is not None
    assert (values.sparsity, Bitmask().size_bits(values)) == (0.75, 4 + 8)
    comes_back(Bitmask(), one)


def test_a_huffman_code_and_its_table() -> None:
    """a 4, b 2, c 1, d 1 times: lengths 1, 2, 3, 3 -> 14 bits; table 6 + 3 * (8 + 1) + 4 * 8 = 65."""
    assert code_lengths(np.array([4, 2, 1, 1])).tolist() == [1, 2, 3, 3]
    assert canonical_codes(np.array([1, 2, 3, 3])).tolist() == [0b0, 0b10, 0b110, 0b111]
    one = int8([1, 1, 1, 1, 2, 2, 3, 4])
    assert {e.word: e.bits for e in encodings_of(one)}["huffman"] == 14 + 65
    comes_back(CODEC_OF["huffman"], one)


def test_a_huffman_code_is_within_a_bit_of_the_entropy() -> None:
    draw = np.random.default_rng(3)
    values = values_of_tensor(tensor(np.rint(draw.normal(0, 20, (64, 64))).astype(np.int8)))
    assert values is not None
    lengths = code_lengths(values.counts[1])
    mean = float((lengths * values.counts[1]).sum()) / values.count
    assert values.entropy_bits <= mean < values.entropy_bits + 0.1
    assert 2.0 ** -lengths.astype(float) @ np.ones(len(lengths)) == 1  # Kraft: the code is complete


# laws ------------------------------------------------------------------------------------------------

SHAPES = arrays.array_shapes(min_dims=1, max_dims=4, max_side=9)
FEW = st.sampled_from([0, 0, 0, 1, -1, 5, 127, -128])


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.word)
@settings(max_examples=25)
@given(stored=arrays.arrays(np.int8, SHAPES, elements=FEW) | arrays.arrays(np.int8, SHAPES))
def test_bytes_come_back(codec: Codec, stored: Any) -> None:
    comes_back(codec, tensor(stored))


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.word)
@settings(max_examples=25)
@given(stored=arrays.arrays(np.int8, (3, 4, 2), elements=FEW), axis=st.sampled_from([0, 1, 2]))
def test_per_channel_tensors_come_back(codec: Codec, stored: Any, axis: int) -> None:
    zeros = np.arange(stored.shape[axis])
    comes_back(codec, tensor(stored, zero_points=zeros, axis=axis))


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.word)
@settings(max_examples=25)
@given(stored=arrays.arrays(np.float32, SHAPES, elements=st.sampled_from([0, -0.0, 0.5, 2.0**-20, -3])))
def test_floats_come_back_bit_by_bit(codec: Codec, stored: Any) -> None:
    comes_back(codec, tensor(stored))


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.word)
@settings(max_examples=25)
@given(stored=arrays.arrays(np.int8, SHAPES, elements=st.integers(-8, 7)))
def test_values_of_four_bits_come_back(codec: Codec, stored: Any) -> None:
    comes_back(codec, tensor(stored, form=WeightForm(bits=4)))


@settings(max_examples=20)
@given(stored=arrays.arrays(np.int16, SHAPES))
def test_words_come_back(stored: Any) -> None:
    for codec in CODECS:
        comes_back(codec, tensor(stored))


@given(stored=arrays.arrays(np.int8, SHAPES))
def test_nothing_is_cheaper_than_the_cheapest_and_raw_is_always_there(stored: Any) -> None:
    one = tensor(stored)
    found = encodings_of(one)
    assert found[0].word == "raw" and found[0].size_bytes == one.stored_bytes
    assert cheapest(one).bits == min(e.bits for e in found)
    assert cheapest(one, allowed=()).word == "raw"


@given(stored=arrays.arrays(np.int8, (8, 16), elements=FEW), more=st.integers(0, 127))
def test_one_zero_more_never_takes_more_bits_as_a_bitmask(stored: Any, more: int) -> None:
    sparser = stored.copy()
    sparser.reshape(-1)[more] = 0
    sizes = []
    for one in (sparser, stored):
        values = values_of_tensor(tensor(one))
        assert values is not None
        sizes.append(Bitmask().size_bits(values))
    assert sizes[0] <= sizes[1]


def test_what_is_no_array_of_numbers_is_raw_only() -> None:
    assert [e.word for e in encodings_of(Tensor(0, "s", DType.STRING, (1,), b"\0" * 12))] == ["raw"]
    assert [e.bits for e in encodings_of(Tensor(0, "wide", DType.INT64, (2,), b"\0" * 16))] == [128]


def test_a_width_tells_things_apart() -> None:
    assert [width_of(n) for n in (1, 2, 3, 4, 16, 17, 128, 129)] == [0, 1, 2, 2, 4, 5, 7, 8]


def test_a_large_tensor_is_encoded_in_one_go() -> None:
    """Half a million weights through the sparse and the shared codecs."""
    draw = np.random.default_rng(0)
    stored = np.where(draw.random((500, 1024)) < 0.1, draw.integers(-8, 8, (500, 1024)), 0).astype(np.int8)
    for word in ("bitmask", "relative-4", "relative-5-lut", "csr", "lut", "huffman"):
        comes_back(CODEC_OF[word], tensor(stored))


# bytes -----------------------------------------------------------------------------------------------

TEXTS = st.binary(max_size=400) | st.lists(
    st.sampled_from([b"abcd", b"abcde", b"\0" * 9, b"x"]), max_size=120
).map(b"".join)


@given(data=TEXTS)
def test_lz4_blocks_come_back(data: bytes) -> None:
    assert lz4_unblock(lz4_block(data)) == data


def test_lz4_by_hand() -> None:
    """20 times "a": one literal and a match of 14 at distance 1 (token 0x1a), then the last 5 literals."""
    assert lz4_block(b"a" * 20).hex() == "1a6101005061616161" + "61"
    assert lz4_block(b"abc").hex() == "30616263"


@pytest.mark.parametrize("size", [0, 5, 12, 13, 15, 270, 300, 65536 + 100])
def test_lz4_agrees_with_the_library_where_there_is_one(size: int) -> None:
    lz4 = pytest.importorskip("lz4.block", reason="lz4 is not installed: it is the oracle")
    draw = np.random.default_rng(size)
    data = draw.integers(0, 3, size, dtype=np.uint8).tobytes()
    assert lz4.decompress(lz4_block(data), uncompressed_size=size) == data
    assert lz4_unblock(lz4.compress(data, store_size=False)) == data


@pytest.mark.parametrize(
    "block", [b"", b"\x10", b"\xf0\xff", b"\x01a\x00\x00", b"\x10a\x05\x00", b"\x1fa\x01\x00\xff"]
)
def test_what_is_no_lz4_block_is_refused(block: bytes) -> None:
    with pytest.raises(ModelFileInvalid):
        lz4_unblock(block)


def test_a_small_block_may_not_become_endless() -> None:
    with pytest.raises(ModelFileInvalid):
        lz4_unblock(lz4_block(b"a" * 5000), most_bytes=1000)


def test_a_download_is_really_compressed() -> None:
    import gzip

    data = b"weights" * 500
    sizes = download(data)
    assert sizes.raw_bytes == 3500 and sizes.gzip_bytes < 60 and sizes.lz4_bytes < 60
    assert gzip.decompress(gzipped(data)) == data
    assert sizes.gzip_bytes == len(gzipped(data))


def test_values_state_their_entropy() -> None:
    values = Values(np.array([0, 0, 1, 2], np.uint8), 8, 8)
    assert values.entropy_bits == 1.5  # 2 * 1/4 * 2 + 1/2 * 1
