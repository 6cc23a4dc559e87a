"""Patches: exact ranges, the same numbers tile by tile, RAM that a replay confirms, and an honest choice."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import preflash
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patch_models import ending_at, exact_arithmetic, numbers, stacks
from preflash.devices.catalog import load_runtime, load_target, runtime_names
from preflash.devices.target import Target
from preflash.errors import PatchesInvalid, PlanInvalid, RuntimeFileInvalid, UnsupportedOp
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
from preflash.simulator.patches.runners import how_to_run
from preflash.simulator.patches.schedule import plan_unpatched
from preflash.simulator.patches.screen import candidates, front
from preflash.simulator.patches.stage import find_cuts, stage_at
from preflash.simulator.patches.study import auto_patches, fits_with, study_patches
from preflash.simulator.patches.tiling import Grid, Range, even_parts, is_contiguous, tile

REFERENCE = load_target("nucleo-l4r5zi", runtime="tflm-reference")
CMSIS = load_target("nucleo-l4r5zi", runtime="tflm-cmsis-nn")
GRIDS = st.tuples(st.integers(1, 4), st.integers(1, 4))


def two_convs() -> ModelGraph:
    """8x8x1, conv 3x3 to 4 channels, conv 3x3 of stride 2 to 4x4x4, then a dense op."""
    b = GraphBuilder("two-convs")
    x = b.conv(b.input((1, 8, 8, 1)), 4, (3, 3), Conv2DAttributes(Padding.SAME))
    y = b.conv(x, 4, (3, 3), Conv2DAttributes(Padding.SAME, 2, 2))
    return b.finish([b.fully_connected(b.reshape(y, (1, 64)), 3)])


def legal(graph: ModelGraph, grid: tuple[int, int], at: int) -> tuple[int, tuple[int, int]] | None:
    """A legal (cut, grid) as near as the graph allows."""
    stages = find_cuts(graph).stages
    if not stages:
        return None
    stage = stages[at % len(stages)]
    _, height, width, _ = graph.tensors[stage.cut].shape
    chosen = Grid(min(grid[0], height), min(grid[1], width))
    try:
        tile(stage, chosen)
    except PatchesInvalid:  # a patch in padding alone
        return None
    return stage.last, chosen


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


# RAM, work, traffic.


@pytest.mark.parametrize(
    ("patches", "streamed", "stage_bytes"),
    [
        # whole: cut 4*4*4 = 64, picture 64; between the convs 5 rows of 8x4 = 160
        ((2, 1), False, 64 + 64 + 160),
        # while conv 1 runs: cut 64, 6 rows of the picture = 48, its result 160
        ((2, 1), True, 64 + 48 + 160),
        # while conv 1 runs: cut 64, picture 64, the tile copied out of it 6*6 = 36 -> 48, 5*5*4 = 100 -> 112
        ((2, 2), False, 64 + 64 + 48 + 112),
        ((2, 2), True, 64 + 48 + 112),
    ],
)
def test_bytes_alive_by_hand(patches: tuple[int, int], streamed: bool, stage_bytes: int) -> None:
    plan = study_patches(two_convs(), REFERENCE, cut=1, patches=patches, input_streamed=streamed)
    assert plan.ram.stage_bytes == plan.ram.live_bytes == stage_bytes
    assert plan.ram.rest_bytes == 64 + 64  # RESHAPE: the cut and its copy
    assert plan.peak_bytes >= stage_bytes
    assert (plan.need.lo, plan.need.value) == (stage_bytes + plan.beside_bytes, plan.ram_bytes)


def test_macs_by_hand() -> None:
    # conv 1 makes 5 + 4 = 9 rows instead of 8: 9*8*4 * 9 taps = 2592 instead of 2304; conv 2: 4*4*4 * 36;
    # dense: 64 * 3 = 192
    plan = study_patches(two_convs(), REFERENCE, cut=1, patches=(2, 1))
    assert (plan.unpatched.macs, plan.patched.macs) == (2304 + 2304 + 192, 2592 + 2304 + 192)
    assert plan.mac_overhead == pytest.approx(5088 / 4800 - 1)
    assert (plan.unpatched.kernel_calls, plan.patched.kernel_calls) == (4, 2 * 2 + 2)


def test_copies_by_hand() -> None:
    in_rows = study_patches(two_convs(), REFERENCE, cut=1, patches=(2, 1))
    assert in_rows.patched.copied_bytes == 0
    # out of the picture rows (6 + 5) x columns (6 + 5) = 121 bytes, into the cut all its 64 bytes
    plan = study_patches(two_convs(), REFERENCE, cut=1, patches=(2, 2))
    assert plan.patched.copied_bytes == 121 + 64
    streamed = study_patches(two_convs(), REFERENCE, cut=1, patches=(2, 2), input_streamed=True)
    assert streamed.patched.copied_bytes == 64


@pytest.mark.parametrize("target", [REFERENCE, CMSIS], ids=["reference", "cmsis-nn"])
@settings(max_examples=40, deadline=None)
@given(graph=stacks(dtype=DType.INT8), grid=GRIDS, at=st.integers(0, 9), streamed=st.booleans())
def test_a_replay_that_follows_every_tap_finds_the_same_ranges_bytes_and_macs(
    target: Target, graph: ModelGraph, grid: tuple[int, int], at: int, streamed: bool
) -> None:
    found = legal(graph, grid, at)
    if found is None:
        return
    plan = study_patches(graph, target, cut=found[0], patches=found[1], input_streamed=streamed)
    judge_patches(plan, graph, target.kernels)


@pytest.mark.parametrize("field", ["peak_bytes", "stage_bytes", "rest_bytes"])
def test_the_judge_refuses_bytes_that_are_off(field: str) -> None:
    graph = two_convs()
    plan = study_patches(graph, REFERENCE, cut=1)
    wrong = replace(plan, ram=plan.ram._replace(**{field: getattr(plan.ram, field) - 64}))
    with pytest.raises(PlanInvalid):
        judge_patches(wrong, graph, REFERENCE.kernels)


def test_the_judge_refuses_a_range_that_is_one_row_off() -> None:
    graph = two_convs()
    plan = study_patches(graph, REFERENCE, cut=1)
    rows = plan.tiling.rows
    wider = {t: Spans(s.first, s.stop + (t != plan.tiling.stage.cut)) for t, s in rows.tiles.items()}
    wrong = replace(plan, tiling=plan.tiling._replace(rows=rows._replace(tiles=wider)))
    with pytest.raises(PlanInvalid, match="needs"):
        judge_patches(wrong, graph, REFERENCE.kernels)


def test_the_screen_and_the_plan_count_the_same_bytes_and_macs() -> None:
    graph = build("vww01", resolution=48)
    unpatched = plan_unpatched(graph, REFERENCE)  # reference kernels ask for no scratch
    for stage in find_cuts(graph).stages[2:12:3]:
        for candidate in candidates(stage, unpatched, is_streamed=False, finest=4):
            plan = study_patches(graph, REFERENCE, cut=stage.last, patches=candidate.grid)
            assert (candidate.live_bytes, candidate.macs) == (plan.ram.live_bytes, plan.patched.macs)


def test_one_patch_is_the_network_as_it_is_but_for_a_cut_tensor_that_lives_from_the_start() -> None:
    graph = build("vww01", resolution=48)
    plan = study_patches(graph, CMSIS, cut=6, patches=(1, 1))
    assert plan.patched == plan.unpatched
    assert plan.ram_bytes >= plan.unpatched_bytes


def test_finer_patches_are_never_cheaper_in_macs_traffic_or_time() -> None:
    graph = build("vww01")
    plans = [study_patches(graph, CMSIS, cut=6, patches=(n, n)) for n in (1, 2, 3, 6)]
    for coarse, fine in pairwise(plans):
        assert fine.patched.macs > coarse.patched.macs
        assert fine.patched.kernel_calls > coarse.patched.kernel_calls
        assert fine.patched.latency_s.value > coarse.patched.latency_s.value
        for less, more in zip(coarse.patched.traffic, fine.patched.traffic, strict=True):
            assert more.memory == less.memory
            assert more.read_bytes > less.read_bytes
            assert more.write_bytes >= less.write_bytes
        assert fine.ram.stage_bytes < coarse.ram.stage_bytes


def test_a_time_that_is_unknown_without_patches_is_unknown_with_them() -> None:
    target = load_target("nucleo-h743zi", runtime="x-cube-ai")
    plan = study_patches(build("vww01"), target, cut=6)
    assert plan.unpatched.latency_s.value is plan.patched.latency_s.value is plan.time_overhead is None
    assert plan.patched.latency_s.reason
    assert any("scratch of x-cube-ai" in note for note in plan.notes)


# Where patches may end.


def test_a_residual_is_not_cut_in_two() -> None:
    graph = build("ic01")  # conv, (conv, conv, add), (conv, conv, conv 1x1, add) x 2, pool, ...
    cuts = find_cuts(graph)
    assert [stage.last for stage in cuts.stages] == [0, 3, 7, 11, 12]
    assert dict(cuts.refused)[1].startswith("2 tensors cross")
    assert cuts.ended.startswith("RESHAPE 13")


def test_an_op_that_needs_everything_ends_the_stage() -> None:
    b = GraphBuilder("gated")
    x = b.conv(b.input((1, 8, 8, 4)), 4)
    gate = b.unary("LOGISTIC", b.mean(x, (1, 2), keep_dims=True))
    graph = b.finish([b.mul(x, gate)])
    cuts = find_cuts(graph)
    assert [stage.last for stage in cuts.stages] == [0]
    assert cuts.ended.startswith("MEAN 1")
    with pytest.raises(PatchesInvalid, match=r"cannot end after op 3.*MEAN 1"):
        study_patches(graph, REFERENCE, cut=3)


def test_a_tensor_that_the_model_also_gives_out_is_not_inside_a_stage() -> None:
    b = GraphBuilder("two heads")
    x = b.conv(b.input((1, 8, 8, 4)), 4)
    y = b.conv(x, 4)
    cuts = find_cuts(b.finish([x, y]))
    assert [stage.last for stage in cuts.stages] == [0]


def test_a_model_without_pictures_has_no_patches_and_says_why() -> None:
    study = auto_patches(build("ad01"), REFERENCE, 1024)
    assert (study.chosen, study.front, study.fits) == (None, (), False)
    assert "FULLY_CONNECTED 0 needs its whole input" in study.sentence
    with pytest.raises(PatchesInvalid, match="FULLY_CONNECTED 0"):
        study_patches(build("ad01"), REFERENCE)


@pytest.mark.parametrize("patches", [(0, 1), (5, 1), (1, 5), (-1, 2)])
def test_a_grid_that_the_cut_does_not_have_is_refused(patches: tuple[int, int]) -> None:
    with pytest.raises(PatchesInvalid):
        study_patches(two_convs(), REFERENCE, cut=1, patches=patches)
    if min(patches) < 1:
        with pytest.raises(PatchesInvalid):
            study_patches(two_convs(), REFERENCE, patches=patches)


def test_a_patch_in_padding_alone_is_refused() -> None:
    b = GraphBuilder("border")
    graph = b.finish([b.pad(b.input((1, 4, 4, 1)), [(0, 0), (4, 4), (0, 0), (0, 0)])])
    with pytest.raises(PatchesInvalid, match="padding alone"):
        study_patches(graph, REFERENCE, cut=0, patches=(3, 1))
    assert study_patches(graph, REFERENCE, cut=0, patches=(2, 1)).patches


def test_tiles_are_contiguous_where_rows_alone_are_cut() -> None:
    assert is_contiguous((1, 8, 8, 3), (1, 2, 8, 3))
    assert is_contiguous((1, 8, 8, 3), (1, 1, 4, 3))  # a part of one row
    assert not is_contiguous((1, 8, 8, 3), (1, 2, 4, 3))
    assert not is_contiguous((2, 8, 8, 3), (2, 2, 8, 3))


# The choice.


def test_a_budget_that_holds_the_network_needs_no_patches() -> None:
    study = auto_patches(build("vww01"), CMSIS, 1 << 20)
    assert study.fits and study.chosen is None
    assert study.sentence.startswith("fits without patches")
    assert fits_with(study, 1 << 20) == "no patches"


def test_the_cheapest_that_fits_is_chosen_and_no_smaller_budget_is_cheaper() -> None:
    graph = build("vww01")
    whole = auto_patches(graph, CMSIS, 1).unpatched_bytes
    prices = []
    for budget_bytes in (whole - 1, whole * 9 // 10, whole * 8 // 10, whole * 7 // 10):
        study = auto_patches(graph, CMSIS, budget_bytes)
        assert study.fits and study.chosen is not None and study.chosen.ram_bytes <= budget_bytes
        assert fits_with(study, budget_bytes) and fits_with(study, budget_bytes) in study.sentence
        prices.append(study.chosen.patched.latency_s.value)
    assert prices == sorted(prices)


def test_no_pair_of_cut_and_grid_that_fits_is_cheaper_in_macs_than_the_choice() -> None:
    graph, budget_bytes = build("ic01"), 44_000
    study = auto_patches(graph, REFERENCE, budget_bytes, finest=3)
    every = [
        study_patches(graph, REFERENCE, cut=stage.last, patches=(p, q))
        for stage in find_cuts(graph).stages for p in (1, 2, 3) for q in (1, 2, 3)
        if min(graph.tensors[stage.cut].shape[1:3]) >= 3 and p * q > 1
    ]  # fmt: skip
    fitting = [plan for plan in every if plan.ram_bytes <= budget_bytes]
    assert fitting and study.chosen is not None
    assert study.chosen.patched.macs == min(plan.patched.macs for plan in fitting)


def test_a_budget_out_of_reach_gives_the_least_there_is_and_says_so() -> None:
    study = auto_patches(build("vww01"), CMSIS, 1024)
    assert not study.fits and study.chosen is study.front[0]
    assert "patches do not reach 1,024 B" in study.sentence
    assert fits_with(study, 1024) == ""


def test_the_front_falls_in_macs_as_it_rises_in_ram() -> None:
    study = auto_patches(build("vww01"), CMSIS, 1024)
    ram = [plan.ram_bytes for plan in study.front]
    macs = [plan.patched.macs for plan in study.front]
    assert ram == sorted(set(ram)) and macs == sorted(set(macs), reverse=True)
    assert ram[-1] < study.unpatched_bytes


def test_a_front_keeps_what_nothing_else_beats() -> None:
    graph = build("vww01", resolution=48)
    stage = find_cuts(graph).stages[6]
    every = list(candidates(stage, plan_unpatched(graph, REFERENCE), is_streamed=False, finest=6))
    kept = front(every)
    for one in every:
        assert any(best.live_bytes <= one.live_bytes and best.macs <= one.macs for best in kept)
    for best in kept:
        assert not any(
            (one.live_bytes, one.macs) != (best.live_bytes, best.macs)
            and one.live_bytes <= best.live_bytes and one.macs <= best.macs for one in every
        )  # fmt: skip


# Who runs them.


@pytest.mark.parametrize("name", ["tflm-reference", "tflm-cmsis-nn", "tflm-esp-nn", "x-cube-ai"])
def test_the_shipped_runtimes_run_patches_by_hand_only_and_name_their_source(name: str) -> None:
    stated = load_runtime(name).patches
    assert stated is not None and stated.run == "by-hand" and stated.source


def test_a_runtime_file_that_says_nothing_known_about_patches_is_refused(tmp_path: Path) -> None:
    shipped = Path(preflash.__file__).parent / "devices" / "runtimes" / "tflm-esp-nn.toml"
    mine = tmp_path / "mine.toml"
    mine.write_text(shipped.read_text(encoding="utf-8").replace('run = "by-hand"', 'run = "maybe"'))
    with pytest.raises(RuntimeFileInvalid, match=r"patches\.run"):
        load_runtime(mine)


def test_a_plan_says_that_no_runtime_of_the_catalogue_runs_it() -> None:
    plan = study_patches(two_convs(), REFERENCE, cut=1)
    assert plan.run_by == tuple(
        name for name in runtime_names()
        if (p := load_runtime(name).patches) is not None and p.run == "built-in"
    )  # fmt: skip
    assert "TinyEngine" in plan.how and "2x2 patches" in plan.how


def test_a_runtime_that_runs_patches_is_named_and_one_of_which_nobody_knows_is_not() -> None:
    runtime = load_runtime("tflm-reference")
    assert runtime.patches is not None
    able = runtime.model_copy(update={"patches": runtime.patches.model_copy(update={"run": "built-in"})})
    assert how_to_run(able, shapes=4, grid="2x2").startswith("tflm-reference runs patches itself")
    silent = runtime.model_copy(update={"patches": None})
    assert "is not known" in how_to_run(silent, shapes=4, grid="2x2")
