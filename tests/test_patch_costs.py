"""What patches cost in RAM, work, traffic and time, by hand and by a replay."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patch_models import CMSIS, GRIDS, REFERENCE, legal, stacks, two_convs
from preflash.devices.calibration import UNFITTED
from preflash.devices.catalog import load_target
from preflash.devices.target import Target
from preflash.errors import PlanInvalid
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.zoo import build
from preflash.simulator.patches.fields import Spans
from preflash.simulator.patches.judge import judge_patches
from preflash.simulator.patches.schedule import plan_unpatched
from preflash.simulator.patches.screen import candidates
from preflash.simulator.patches.stage import find_cuts
from preflash.simulator.patches.study import study_patches


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
    unfitted = load_target("nucleo-h743zi", runtime="x-cube-ai")
    target = replace(unfitted, own_calibration=UNFITTED)  # nobody says how ST's kernels differ
    plan = study_patches(build("vww01"), target, cut=6)
    assert plan.unpatched.latency_s.value is plan.patched.latency_s.value is plan.time_overhead is None
    assert plan.patched.latency_s.reason
    assert any("scratch of x-cube-ai" in note for note in plan.notes)
