"""What becomes of a shape that only counts elements anew, once its source has other extents."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st
from preflash.graphs.variants.resize_shapes import Extents, Shape, reshaped_to


@pytest.mark.parametrize(
    ("source", "target", "new_source", "new_target"),
    [
        ((1, 7, 7, 64), (1, 3136), (1, 5, 6, 64), (1, 1920)),  # flattened
        ((1, 7, 7, 64), (1, 49, 64), (1, 4, 4, 64), (1, 16, 64)),  # a picture as tokens
        ((1, 1, 1, 64), (1, 64), (1, 2, 2, 64), (1, 256)),  # a pool that left one pixel, and no more
        ((1, 8, 8, 18), (1, 192, 6), (1, 4, 4, 18), (1, 48, 6)),  # anchors of a detector
        ((1, 49, 40), (1, 49, 40, 1), (1, 25, 20), (1, 25, 20, 1)),  # channels are added
        ((1, 98, 1, 104), (1, 98, 104), (1, 49, 1, 104), (1, 49, 104)),
        ((1, 6, 6, 8), (1, 6, 6, 2, 4), (1, 3, 3, 8), (1, 3, 3, 2, 4)),  # channels in groups
        ((4, 4, 8), (1, 4, 4, 8), (2, 2, 8), (1, 2, 2, 8)),
    ],
)
def test_joined_and_split_dimensions_are_so_again(
    source: Shape, target: Shape, new_source: Shape, new_target: Shape
) -> None:
    assert reshaped_to(source, target, new_source, Extents()) == new_target


def test_a_flat_axis_becomes_a_picture_only_where_its_extents_are_known() -> None:
    known = Extents()
    known.meet((1, 7, 5, 3), (1, 4, 3, 3))
    assert reshaped_to((1, 35, 8), (1, 7, 5, 8), (1, 12, 8), known) == (1, 4, 3, 8)
    assert reshaped_to((1, 35, 8), (1, 7, 5, 8), (1, 12, 8), Extents()) is None
    assert reshaped_to((1, 35, 8), (1, 7, 5, 8), (1, 13, 8), known) is None


def test_an_extent_that_became_two_different_ones_is_not_known() -> None:
    met = Extents()
    met.meet((1, 8, 8, 3), (1, 4, 4, 3))
    assert met.of(1, 8) == 4
    met.meet((1, 8, 8, 5), (1, 5, 4, 5))
    assert (met.of(1, 8), met.of(2, 8), met.of(1, 9)) == (None, 4, None)


_EXTENT = st.integers(1, 6)


@given(
    st.lists(_EXTENT, min_size=4, max_size=4), _EXTENT, _EXTENT, st.sampled_from(["flat", "tokens", "same"])
)
def test_elements_are_never_lost(shape: list[int], height: int, width: int, form: str) -> None:
    n, h, w, c = shape
    target = {"flat": (n, h * w * c), "tokens": (n, h * w, c), "same": (n, h, w, c)}[form]
    found = reshaped_to((n, h, w, c), target, (n, height, width, c), Extents())
    if found is not None:
        assert prod(found) == n * height * width * c
        assert len(found) == len(target)
    else:
        assert form == "same" or 1 in shape
