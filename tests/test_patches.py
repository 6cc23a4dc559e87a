"""Where patches may end, which are chosen for a budget, and who runs them."""

from __future__ import annotations

from pathlib import Path

import preflash
import pytest
from patch_models import CMSIS, REFERENCE, two_convs
from preflash.devices.catalog import load_runtime, runtime_names
from preflash.errors import PatchesInvalid, RuntimeFileInvalid
from preflash.graphs.build import GraphBuilder
from preflash.graphs.zoo import build
from preflash.simulator.patches.runners import how_to_run
from preflash.simulator.patches.schedule import plan_unpatched
from preflash.simulator.patches.screen import candidates, front
from preflash.simulator.patches.stage import find_cuts
from preflash.simulator.patches.study import auto_patches, fits_with, study_patches
from preflash.simulator.patches.tiling import is_contiguous


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
