"""The smallest weights go, alone or in a pattern: counts are exact, and of equal ones the first goes."""

from __future__ import annotations

import doctest

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from preflash.errors import RecipeInvalid, VariantInvalid
from preflash.graphs.variants import prune_masks
from preflash.graphs.variants.prune_masks import Granularity, granularity_of, kept_mask, smallest

Array = npt.NDArray[np.float32]

# Few different values, so that many are equal.
VALUES = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=4, max_dims=4, max_side=5)
    | hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.integers(0, 5).map(float),
)
SPARSITIES = st.floats(0, 0.999)
EXTENTS = st.integers(1, 5)
LAWS = settings(max_examples=60, deadline=None)


def rows_of(values: npt.NDArray, output_axis: int) -> npt.NDArray:
    """Output channels x the rest in memory order, one by one."""
    return np.stack([values.take(k, axis=output_axis).reshape(-1) for k in range(values.shape[output_axis])])


def axis_of(values: Array, depthwise: bool) -> int:
    return 3 if depthwise and values.ndim == 4 else 0


def kept(matrix: list[list[float]], word: str, sparsity: float = 0.0) -> list[list[int]]:
    mask = kept_mask(np.array(matrix, np.float32), granularity_of(word), sparsity=sparsity)
    return mask.astype(int).tolist()


@pytest.mark.parametrize(
    ("word", "sparsity", "matrix", "expected"),
    [
        # round(0.5 x 4) = 2 of 4: 1 and the first 2
        ("weight", 0.5, [[3, 2, 1, 2]], [[1, 0, 0, 1]]),
        # round(0.3 x 8) = 2: of four equal ones the first two
        ("weight", 0.3, [[1, 1, 5, 5], [5, 5, 1, 1]], [[0, 0, 1, 1], [1, 1, 1, 1]]),
        ("weight", 0.0, [[0, 1]], [[1, 1]]),
        # Mean squares of 1x2: 5, 4, 0.5, 12.5; half of the blocks go.
        ("1x2", 0.5, [[1, 3, 2, 2], [0, 1, 4, 3]], [[1, 1, 0, 0], [0, 0, 1, 1]]),
        # Mean squares of 2x1: 0.5, 5, 10, 6.5; a quarter of the blocks goes.
        ("2x1", 0.25, [[1, 3, 2, 2], [0, 1, 4, 3]], [[0, 1, 1, 1], [0, 1, 1, 1]]),
        # 1x3 leaves a block of 2: mean squares 1, 4. 2 of 5 are asked for: 3 are nearer than 0 or 5.
        ("1x3", 0.4, [[1, 1, 1, 2, 2]], [[0, 0, 0, 1, 1]]),
        # The block of 2 is the smaller: 2 of 5 are asked for, and go.
        ("1x3", 0.4, [[2, 2, 2, 1, 1]], [[1, 1, 1, 0, 0]]),
        # A block larger than the tensor is the tensor: 3 of 4 are nearer to all than to none.
        ("9x9", 0.75, [[1, 2], [3, 4]], [[0, 0], [0, 0]]),
        ("2:4", 0.0, [[1, 2, 3, 4, 4, 3, 2, 1]], [[0, 0, 1, 1, 1, 1, 0, 0]]),
        ("1:4", 0.0, [[1, 2, 3, 4, 7, 7, 7, 7]], [[0, 0, 0, 1, 0, 0, 0, 1]]),
        # 7 = 4 + 3: of the last three two stay; of 5 = 4 + 1 the last one stays.
        ("2:4", 0.0, [[1, 2, 3, 4, 3, 2, 1]], [[0, 0, 1, 1, 1, 1, 0]]),
        ("2:4", 0.0, [[1, 2, 3, 4, 0]], [[0, 0, 1, 1, 1]]),
    ],
)  # fmt: skip
def test_masks_worked_by_hand(
    word: str, sparsity: float, matrix: list[list[float]], expected: list[list[int]]
) -> None:
    assert kept(matrix, word, sparsity) == expected


def test_n_of_m_counts_along_the_input_channels_of_a_convolution() -> None:
    """1x1x2x4 (OHWI): both taps keep 2 of 4 channels, though the second tap holds all large weights."""
    weights = np.array([1, 2, 3, 4, 50, 60, 70, 80], np.float32).reshape(1, 1, 2, 4)
    assert kept_mask(weights, granularity_of("2:4")).astype(int).tolist() == [[[[0, 0, 1, 1], [0, 0, 1, 1]]]]


def test_n_of_m_counts_along_the_taps_of_a_depthwise_kernel() -> None:
    """9 taps = 4 + 4 + 1: 2 + 2 + 1 stay in each channel."""
    weights = np.random.default_rng(1).random((1, 3, 3, 7), np.float32)
    mask = kept_mask(weights, granularity_of("2:4"), output_axis=3)
    assert mask.sum((0, 1, 2)).tolist() == [5] * 7


def test_a_stride_has_one_offset_per_output_channel_that_keeps_the_most() -> None:
    """Four taps, two input channels: even taps of the first filter hold 4, odd ones 40; then 4 and 2."""
    filters = [[[1, 1], [10, 10], [1, 1], [10, 10]], [[1, 1], [0, 1], [1, 1], [1, 0]]]
    mask = kept_mask(np.array(filters, np.float32).reshape(2, 2, 2, 2), granularity_of("stride-2"))
    assert mask.reshape(2, 4, 2).astype(int).tolist() == [
        [[0, 0], [1, 1], [0, 0], [1, 1]], [[1, 1], [0, 0], [1, 1], [0, 0]],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("weight", Granularity("weight")), ("1x1", Granularity("weight")),
        ("4x1", Granularity("block", 4, 1)),
        ("1:4", Granularity("n:m", 1, 4)), ("stride-4", Granularity("stride", 4)),
        ("stride 4", Granularity("stride", 4)),
    ],
)  # fmt: skip
def test_words_of_granularity(text: str, means: Granularity) -> None:
    assert granularity_of(text) == means


@pytest.mark.parametrize(
    "text", ["", "filter", "0x4", "4x", "4:4", "4:2", "0:4", "stride-1", "stride", "9999x1", "1x4x"]
)
def test_words_that_mean_nothing_are_refused(text: str) -> None:
    with pytest.raises(RecipeInvalid, match="none of weight, RxC"):
        granularity_of(text)


def test_weights_without_output_channels_are_refused() -> None:
    with pytest.raises(VariantInvalid, match="no output channels"):
        kept_mask(np.zeros((3, 3), np.float32), granularity_of("weight"), output_axis=3)


@LAWS
@given(VALUES, SPARSITIES, st.booleans())
def test_exactly_the_asked_number_of_weights_goes_and_none_larger_than_one_that_stays(
    values: Array, sparsity: float, depthwise: bool
) -> None:
    axis = axis_of(values, depthwise)
    mask = rows_of(kept_mask(values, Granularity("weight"), sparsity=sparsity, output_axis=axis), axis)
    flat = rows_of(values, axis).reshape(-1)
    order = sorted(range(values.size), key=lambda k: (flat[k], k))
    assert sorted(np.flatnonzero(~mask)) == sorted(order[: round(sparsity * values.size)])


@LAWS
@given(VALUES, SPARSITIES, EXTENTS, EXTENTS, st.booleans())
def test_blocks_go_whole_and_none_of_larger_mean_square_than_one_that_stays(
    values: Array, sparsity: float, high: int, wide: int, depthwise: bool
) -> None:
    axis = axis_of(values, depthwise)
    mask = kept_mask(values, Granularity("block", high, wide), sparsity=sparsity, output_axis=axis)
    matrix, flags = rows_of(values, axis).astype(np.float64), rows_of(mask, axis)
    gone, stay, sizes = [], [], []
    for row in range(0, matrix.shape[0], high):
        for column in range(0, matrix.shape[1], wide):
            block = matrix[row : row + high, column : column + wide]
            flag = flags[row : row + high, column : column + wide]
            assert flag.all() or not flag.any()
            (stay if flag.all() else gone).append((block**2).mean())
            sizes.append(block.size)
    assert not gone or not stay or max(gone) <= min(stay)
    assert abs(mask.size - mask.sum() - sparsity * mask.size) <= max(sizes) / 2 + 0.5


@LAWS
@given(VALUES, st.integers(1, 3), st.integers(1, 4), st.booleans())
def test_every_group_keeps_its_n_largest(values: Array, n: int, more: int, depthwise: bool) -> None:
    axis, m = axis_of(values, depthwise), n + more
    mask = kept_mask(values, Granularity("n:m", n, m), output_axis=axis)
    moved, flags = np.moveaxis(values, axis, 0), np.moveaxis(mask, axis, 0)
    length = moved.shape[-1] if axis == 0 and values.shape[-1] > 1 else moved[0].size
    for line, flag in zip(moved.reshape(-1, length), flags.reshape(-1, length), strict=True):
        for start in range(0, length, m):
            group, kept_here = line[start : start + m], flag[start : start + m]
            assert kept_here.sum() == min(n, len(group))
            assert kept_here.all() or group[~kept_here].max() <= group[kept_here].min()


@LAWS
@given(VALUES.filter(lambda v: v.ndim == 4), st.integers(2, 6), st.booleans())
def test_a_stride_keeps_the_same_taps_of_all_kernels_of_an_output(
    values: Array, stride: int, depthwise: bool
) -> None:
    axis = 3 if depthwise else 0
    mask = kept_mask(values, Granularity("stride", stride), output_axis=axis)
    for channel in range(values.shape[axis]):
        flags = mask.take(channel, axis=axis)
        flags = flags.reshape(-1, flags.shape[-1]) if axis == 0 else flags.reshape(-1, 1)
        weights = values.take(channel, axis=axis).reshape(flags.shape)
        assert (flags == flags[:, :1]).all()
        best = max(weights[offset::stride].sum() for offset in range(min(stride, len(flags))))
        offset = int(np.flatnonzero(flags[:, 0])[0])
        assert np.flatnonzero(flags[:, 0]).tolist() == list(range(offset, len(flags), stride))
        assert offset < stride and weights[offset::stride].sum() == best


@given(hnp.arrays(np.float32, st.integers(0, 30), elements=st.integers(0, 3).map(float)), st.integers(-1, 32))
def test_the_smallest_of_a_vector_are_those_of_a_stable_sort(values: Array, count: int) -> None:
    chosen = np.argsort(values, kind="stable")[: max(0, count)]
    assert np.flatnonzero(smallest(values, count)).tolist() == sorted(chosen)


def test_the_examples_in_the_docstrings_run() -> None:
    assert doctest.testmod(prune_masks).failed == 0
