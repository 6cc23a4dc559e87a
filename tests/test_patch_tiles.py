"""What each patch needs, exactly, and that patch by patch the numbers are the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patch_models import GRIDS, REFERENCE, ending_at, exact_arithmetic, legal, numbers, stacks, two_convs
from preflash.errors import UnsupportedOp
from preflash.graphs.build import GraphBuilder
from preflash.graphs.check import check
from preflash.graphs.evaluate import evaluate, run_op
from preflash.graphs.geometry import Padding, repadded, slide
from preflash.graphs.ir import DType, ModelGraph, Op
from preflash.graphs.ops import Conv2DAttributes
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.zoo import build
from preflash.simulator.patches.execute import run_patches
from preflash.simulator.patches.fields import Spans, activation_inputs, window_reads
from preflash.simulator.patches.judge import judge_patches
from preflash.simulator.patches.kernels import one_patch, tiled_kernels
from preflash.simulator.patches.stage import stage_at
from preflash.simulator.patches.study import study_patches
from preflash.simulator.patches.tiling import Grid, Range, even_parts, tile

# Ranges.


def test_a_part_of_an_extent_differs_by_one_at_most_and_the_parts_cover_it() -> None:
    parts = even_parts(7, 3)
    assert list(zip(parts.first.tolist(), parts.stop.tolist(), strict=True)) == [(0, 2), (2, 4), (4, 7)]


def test_ranges_of_two_convolutions_by_hand() -> None:
    # conv 2: out 4, stride 2, total padding (4-1)*2 + 3 - 8 = 1, none in front: rows [0,2) read [0, 2+3)
    # and [2,4) read [4, min(8, 9)); conv 1 pads one in front: [0,5) reads [0,6), [4,8) reads [3,8)
    plan = study_patches(two_convs(), REFERENCE, cut=1, patches=(2, 1))
    graph = plan.tiling.stage.subgraph
    picture, (first, second) = graph.inputs[0], (op.outputs[0] for op in graph.ops[:2])
    rows = [[patch.tile_of[t].rows for t in (picture, first, second)] for patch in plan.patches]
    assert rows == [[Range(0, 6), Range(0, 5), Range(0, 2)], [Range(3, 8), Range(4, 8), Range(2, 4)]]
    assert {patch.tile_of[picture].cols for patch in plan.patches} == {Range(0, 8)}


@given(
    extent=st.integers(1, 30), kernel=st.integers(1, 7), stride=st.integers(1, 4),
    dilation=st.integers(1, 4), padding=st.sampled_from(Padding), data=st.data(),
)  # fmt: skip
def test_a_window_reads_from_the_first_to_the_last_tap_inside(
    extent: int, kernel: int, stride: int, dilation: int, padding: Padding, data: st.DataObject
) -> None:
    window = slide(extent, kernel=kernel, stride=stride, dilation=dilation, padding=padding)
    if not window.extent_out:
        return
    first = data.draw(st.integers(0, window.extent_out - 1))
    stop = data.draw(st.integers(first + 1, window.extent_out))
    seen = [
        place for y in range(first, stop) for tap in range(kernel)
        if 0 <= (place := y * stride + tap * dilation - window.pad_before) < extent
    ]  # fmt: skip
    read = window_reads(window, Spans(np.array([first]), np.array([stop])))
    if seen:
        assert (int(read.first[0]), int(read.stop[0])) == (min(seen), max(seen) + 1)
    else:
        assert read.first[0] >= read.stop[0]


@settings(max_examples=60, deadline=None)
@given(graph=stacks(dtype=DType.FLOAT32), grid=GRIDS, at=st.integers(0, 9), data=st.data())
def test_a_range_suffices_and_one_row_or_column_less_does_not(
    graph: ModelGraph, grid: tuple[int, int], at: int, data: st.DataObject
) -> None:
    found = legal(graph, grid, at)
    if found is None:
        return
    stage = stage_at(graph, found[0])
    tiling = tile(stage, found[1])
    i = data.draw(st.integers(0, found[1].rows - 1))
    j = data.draw(st.integers(0, found[1].cols - 1))
    for op in stage.ops:
        for n in activation_inputs(stage.subgraph, op):
            read = [axis.reads[op.index, n] for axis in (tiling.rows, tiling.cols)]
            box = [(int(s.first[p]), int(s.stop[p])) for s, p in zip(read, (i, j), strict=True)]
            made = [axis.tiles[op.outputs[0]] for axis in (tiling.rows, tiling.cols)]
            out = [(int(s.first[p]), int(s.stop[p])) for s, p in zip(made, (i, j), strict=True)]
            assert not is_poisoned(graph, op, n, box, out)
            for axis in (0, 1):
                for side, step in ((0, 1), (1, -1)):
                    smaller = [list(pair) for pair in box]
                    smaller[axis][side] += step
                    assert is_poisoned(graph, op, n, smaller, out)


def is_poisoned(graph: ModelGraph, op: Op, position: int, box: list, out: list) -> bool:
    """Whether NaN outside `box` of one input reaches the output inside `out`."""
    activations = [t for t in op.inputs if not graph.tensors[t].is_constant]
    values = {t: np.ones(graph.tensors[t].shape, np.float32) for t in activations}
    spoilt = np.full(graph.tensors[op.inputs[position]].shape, np.nan, np.float32)
    spoilt[:, box[0][0] : box[0][1], box[1][0] : box[1][1]] = 1.0
    values[op.inputs[position]] = spoilt
    (result,) = run_op(graph.main, op, values).values()
    return bool(np.isnan(result[:, out[0][0] : out[0][1], out[1][0] : out[1][1]]).any())


@settings(max_examples=60, deadline=None)
@given(graph=stacks(), grid=GRIDS, at=st.integers(0, 9))
def test_a_tile_is_the_hull_of_what_is_read_of_it(graph: ModelGraph, grid: tuple[int, int], at: int) -> None:
    found = legal(graph, grid, at)
    if found is None:
        return
    tiling = tile(stage_at(graph, found[0]), found[1])
    for axis in (tiling.rows, tiling.cols):
        for t, held in axis.tiles.items():
            reads = [
                axis.reads[op.index, n]
                for op in tiling.stage.ops for n in activation_inputs(graph.main, op) if op.inputs[n] == t
            ]  # fmt: skip
            if reads:
                assert np.array_equal(held.first, np.min([r.first for r in reads], axis=0))
                assert np.array_equal(held.stop, np.max([r.stop for r in reads], axis=0))


# Execution.


@settings(max_examples=150, deadline=None)
@given(graph=stacks(), grid=GRIDS, at=st.integers(0, 9))
def test_patch_by_patch_gives_the_same_bits(graph: ModelGraph, grid: tuple[int, int], at: int) -> None:
    found = legal(graph, grid, at)
    if found is None:
        return
    cut, chosen = found
    shown = ending_at(graph, graph.ops[cut].outputs[0])
    inputs = numbers(shown)
    (whole,), (patched,) = evaluate(shown, inputs), run_patches(shown, inputs, cut=cut, grid=chosen)
    assert np.array_equal(whole, patched)


@settings(max_examples=60, deadline=None)
@given(graph=stacks(), grid=GRIDS, at=st.integers(0, 9), streamed=st.booleans())
def test_the_kernels_of_patches_are_valid_graphs_whose_shapes_follow_from_each_other(
    graph: ModelGraph, grid: tuple[int, int], at: int, streamed: bool
) -> None:
    found = legal(graph, grid, at)
    if found is None:
        return
    tiling = tile(stage_at(graph, found[0]), found[1])
    check(one_patch(graph, tiling, 0, 0))
    kernels = tiled_kernels(graph, tiling, is_streamed=streamed)
    check(kernels.graph)
    stage_runs = sum(kernels.counts[~np.array(kernels.is_copy)]) - (len(graph.ops) - len(tiling.stage.ops))
    assert stage_runs == len(tiling.stage.ops) * found[1].rows * found[1].cols


def test_a_transposed_picture_is_cut_where_its_rows_and_columns_lie() -> None:
    b = GraphBuilder("nchw")
    x = b.input((1, 2, 9, 7))
    order = b.constant(np.array([0, 2, 3, 1], np.int32))
    nhwc = b.op("TRANSPOSE", (x, order))[0]
    y = b.conv(nhwc, 3, (3, 3), Conv2DAttributes(Padding.SAME, 2, 2))
    graph = exact_arithmetic(b.finish([y]))
    plan = study_patches(graph, REFERENCE, cut=1, patches=(3, 2))
    assert plan.tiling.stage.axes[x] == (2, 3)
    judge_patches(plan, graph, REFERENCE.kernels)
    inputs = numbers(graph)
    assert np.array_equal(evaluate(graph, inputs)[0], run_patches(graph, inputs, cut=1, grid=(3, 2))[0])


def test_the_network_behind_the_patches_runs_as_it_is() -> None:
    graph = exact_arithmetic(build("vww01", resolution=32))
    inputs = numbers(graph)
    assert np.array_equal(evaluate(graph, inputs)[0], run_patches(graph, inputs, cut=6, grid=(2, 2))[0])


def test_an_op_on_a_tile_cannot_be_written_to_a_file() -> None:
    graph = two_convs()
    with pytest.raises(UnsupportedOp, match="padding of its own"):
        write_tflite(one_patch(graph, tile(stage_at(graph, 1), Grid(2, 2)), 0, 0))


def test_padding_can_be_stated_side_by_side() -> None:
    window = slide(5, kernel=3, stride=1, dilation=1, padding=Padding.SAME)
    assert repadded(window, 1, 1) == window
    assert repadded(window, 0, 1).extent_out == 4
    assert repadded(window, 0, 0) == slide(5, kernel=3, stride=1, dilation=1, padding=Padding.VALID)
