"""Zeros of constants: what counts as one, and when they lie as the form says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from preflash.graphs.ir import DType, Quantization, Sparsity, Tensor, WeightForm
from preflash.graphs.variants.weights import packed_int4
from preflash.graphs.zeros import nonzero_count, zero_pattern

_UINT8_ZERO = Quantization(np.array([0.1], np.float32), np.array([128], np.int64))
_PER_ROW = Quantization(np.array([0.1, 0.2], np.float32), np.array([3, 5], np.int64))


def _constant(dtype: DType, values: np.ndarray, **known: object) -> Tensor:
    return Tensor(0, "w", dtype, values.shape, values.tobytes(), **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tensor", "count"),
    [
        (_constant(DType.FLOAT32, np.array([0.0, -0.0, 1e-45, 2.0], np.float32)), 2),
        (_constant(DType.FLOAT16, np.array([0.0, -0.0, 1.0], np.float16)), 1),
        (_constant(DType.INT8, np.array([[0, -1], [3, 0]], np.int8)), 2),
        (_constant(DType.UINT8, np.array([0, 128, 129], np.uint8), quantization=_UINT8_ZERO), 2),
        (_constant(DType.INT8, np.array([[3, 5], [3, 5]], np.int8), quantization=_PER_ROW), 2),
        (Tensor(0, "w", DType.INT4, (3,), packed_int4(np.array([1, 0, -8], np.int8))), 2),
        (Tensor(0, "x", DType.FLOAT32, (4,)), 0),
    ],
)
def test_a_value_counts_unless_it_stands_for_zero(tensor: Tensor, count: int) -> None:
    assert nonzero_count(tensor) == count


def test_of_a_constant_that_is_stored_sparse_the_stored_values_count() -> None:
    stored = Tensor(0, "w", DType.FLOAT32, (2, 8), np.array([1, 0, 2], np.float32).tobytes(),
                    sparsity=Sparsity((0, 1), (), ()))  # fmt: skip
    assert nonzero_count(stored) == 2


def test_what_cannot_be_read_as_numbers_has_no_zeros() -> None:
    short = Tensor(0, "w", DType.FLOAT32, (4,), b"\0\0\0")
    text = Tensor(0, "w", DType.STRING, (4,), b"\0" * 8)
    assert nonzero_count(short) == nonzero_count(text) == 4
    assert zero_pattern(replace(short, form=WeightForm(pattern="2:4"))) == ""


@given(st.lists(st.sampled_from([0.0, -0.0, 1.0, -3.5]), max_size=40))
def test_counting_agrees_with_numpy(values: list[float]) -> None:
    array = np.array(values, np.float32)
    assert nonzero_count(_constant(DType.FLOAT32, array)) == np.count_nonzero(array)


TWO_OF_FOUR = np.array([[1, 0, 0, 2, 0, 0, 3, 4], [0, 0, 0, 0, 1, 2, 0, 0]], np.int8)
BLOCKS = np.kron(np.array([[1, 0], [0, 1]]), np.ones((4, 1))).astype(np.int8)  # 4 outputs by 1 input


@pytest.mark.parametrize(
    ("values", "stated", "kept"),
    [
        (TWO_OF_FOUR, "2:4", "2:4"),
        (TWO_OF_FOUR, "1:4", ""),
        (TWO_OF_FOUR, "3:4", "3:4"),
        (TWO_OF_FOUR[:, :7], "2:4", "2:4"),  # the last group has three
        (TWO_OF_FOUR, "0:0", ""),
        (TWO_OF_FOUR[:, :1], "2:4", ""),  # one input channel is no group
        (BLOCKS, "4x1", "4x1"),
        (BLOCKS, "1x2", ""),
        (BLOCKS, "0x1", ""),
        (TWO_OF_FOUR, "stride 2", "stride 2"),
        (TWO_OF_FOUR, "", ""),
    ],
)
def test_a_stated_pattern_counts_only_if_the_values_keep_it(
    values: np.ndarray, stated: str, kept: str
) -> None:
    assert zero_pattern(_constant(DType.INT8, values, form=WeightForm(pattern=stated))) == kept
