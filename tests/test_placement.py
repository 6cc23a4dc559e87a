"""Where things lie decides what fills which memory, what start-up copies, and how long kernels wait."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cost_graphs import conv, elementwise, fully_connected
from placed_targets import DISCO, S3, with_arenas, with_memories, without_cache
from preflash.devices.catalog import load_target
from preflash.devices.homes import Homes, homes_of
from preflash.devices.target import Target
from preflash.errors import PlacementInvalid
from preflash.graphs.ir import ModelGraph
from preflash.graphs.zoo import build
from preflash.simulator.contents import contents_of
from preflash.simulator.estimate import Conditions, Estimate, Reservation
from preflash.simulator.interval import Basis
from preflash.simulator.kernels.cores import core_costs
from preflash.simulator.latency import kernel_cycles
from preflash.simulator.placement import memory_uses
from preflash.simulator.simulate import simulate
from preflash.simulator.startup import copy_s
from preflash.simulator.workload import compile_table

KWS = build("kws01")


def at(target: Target, **homes: str) -> Target:
    return target.placed(replace(target.homes, **homes))


def cycles(graph: ModelGraph, target: Target) -> float:
    return float(kernel_cycles(compile_table(graph, target.kernels), target).value.sum())


def used(estimate: Estimate, memory: str) -> dict[str, float | None]:
    found = next(m for m in estimate.memories if m.name == memory)
    return {use.kind: use.used.value for use in found.used}


def test_unplaced_homes_are_those_of_the_device_file_and_placing_there_changes_nothing() -> None:
    assert DISCO.homes == Homes("flash", "flash", "axi-sram", "dtcm")
    assert DISCO.placed(DISCO.homes) == DISCO
    assert at(at(DISCO, arena="dtcm"), arena="axi-sram") == DISCO
    assert simulate(KWS, DISCO.placed(DISCO.homes)).metrics == simulate(KWS, DISCO).metrics


def test_a_placed_device_still_has_one_home_for_everything() -> None:
    placed = at(DISCO, arena="sdram", weights="qspi-flash")
    assert homes_of(placed.device) == replace(placed.homes, weights_image="")
    assert placed.unplaced == DISCO
    assert placed.own_home("arena").name == "axi-sram"


def test_weights_in_place_in_external_flash_lie_there_and_not_in_internal_flash() -> None:
    estimate = simulate(KWS, at(DISCO, weights="qspi-flash"))
    assert set(used(estimate, "qspi-flash")) == {"weights"}
    assert set(used(estimate, "flash")) == {"code"}


def test_copied_weights_take_ram_and_still_lie_in_nonvolatile_memory() -> None:
    estimate = simulate(KWS, at(DISCO, weights="sdram"))
    naive = simulate(KWS, DISCO)
    assert used(estimate, "sdram")["weights"] == used(naive, "flash")["weights"]
    assert used(estimate, "flash")["weights_image"] == used(naive, "flash")["weights"]
    assert "weights" not in used(estimate, "flash")


def test_an_image_may_lie_in_external_flash() -> None:
    estimate = simulate(KWS, at(DISCO, weights="axi-sram", weights_image="qspi-flash"))
    assert set(used(estimate, "qspi-flash")) == {"weights_image"}
    assert {"weights", "arena_head"} <= set(used(estimate, "axi-sram"))


def test_two_arenas_put_the_persistent_part_elsewhere() -> None:
    plan = simulate(KWS, DISCO).plan
    assert plan is not None
    estimate = simulate(KWS, at(DISCO, persistent="sram4"))
    assert used(estimate, "sram4") == {"arena_tail": plan.tail_bytes}
    assert used(estimate, "axi-sram")["arena_head"] == plan.min_bytes - plan.tail_bytes
    with pytest.raises(PlacementInvalid, match="one arena"):
        at(with_arenas(DISCO, "one"), persistent="sram4")


@pytest.mark.parametrize(
    ("homes", "said"),
    [
        ({"arena": "sram9"}, "no memory 'sram9'"),
        ({"arena": "flash"}, "arena is written while the model runs"),
        ({"static": "qspi-flash"}, "static is written"),
        ({"arena": "itcm"}, "may not hold arena"),
        ({"weights": "sdram", "weights_image": "axi-sram"}, "no nonvolatile memory"),
        ({"weights": "qspi-flash", "weights_image": "flash"}, "copied into RAM"),
    ],
)
def test_a_placement_that_cannot_be_is_refused(homes: dict[str, str], said: str) -> None:
    with pytest.raises(PlacementInvalid, match=said):
        at(DISCO, **homes)


def test_copying_takes_the_bytes_over_the_slower_end() -> None:
    """QSPI 100 MB/s, SDRAM 400 MB/s: n / 100e6 s; one after the other n / 100e6 + n / 400e6."""
    contents = contents_of(simulate(KWS, DISCO))
    size = contents.model.value
    assert size is not None
    found = copy_s(at(DISCO, weights="sdram", weights_image="qspi-flash"), contents)
    assert found.value == found.lo == pytest.approx(size / 100e6)
    assert found.hi == pytest.approx(size / 100e6 + size / 400e6)
    assert copy_s(DISCO, contents).value == 0
    assert memory_uses(DISCO, contents)["sdram"] == ()


def test_copying_over_a_bus_of_unknown_speed_takes_an_unknown_time() -> None:
    target = with_memories(DISCO, sdram={"access": None})
    found = copy_s(at(target, weights="sdram"), contents_of(simulate(KWS, target)))
    assert found.value is None and "sdram" in found.reason


def test_activations_in_another_ram_cost_the_difference_of_cycles_per_byte() -> None:
    """ADD of two 32x32x8: 3 x 8192 B moved, without a cache each once. Cycles a byte:
    dtcm - axi = (1 - 2) / 8, sram1+2+3 - axi = 2 / 4 - 2 / 8, sdram - axi = 480 / 400 - 2 / 8.
    """
    target, graph, moved = without_cache(DISCO), elementwise("ADD", (1, 32, 32, 8), operands=2), 3 * 8192
    own = cycles(graph, target)
    for arena, per_byte in (("dtcm", -1 / 8), ("sram1+2+3", 1 / 4), ("sdram", 1.2 - 1 / 4)):
        assert cycles(graph, at(target, arena=arena)) - own == pytest.approx(moved * per_byte), arena


@pytest.mark.parametrize(
    "graph", [conv(24, 16, 16, kernel=3), conv(8, 64, 256), elementwise("ADD", (1, 9, 9, 8), operands=2)]
)
def test_tightly_coupled_is_never_slower_than_axi_and_that_never_slower_than_sdram(graph: ModelGraph) -> None:
    arenas = [cycles(graph, at(DISCO, arena=arena)) for arena in ("dtcm", "axi-sram", "sram1+2+3", "sdram")]
    assert arenas == sorted(arenas)
    weights = [cycles(graph, at(DISCO, weights=ram)) for ram in ("dtcm", "axi-sram", "sdram", "qspi-flash")]
    assert weights == sorted(weights)


def test_psram_is_never_faster_than_the_internal_ram_of_an_esp32_s3() -> None:
    graph = conv(24, 16, 16, kernel=3)
    assert cycles(graph, S3) < cycles(graph, at(S3, arena="psram"))


def test_a_cache_spares_what_is_read_again_but_not_the_first_time() -> None:
    """A 3x3 convolution of 16 channels fits 16 KiB: each byte once; without a cache each access pays."""
    graph, placed = conv(24, 16, 16, kernel=3), at(DISCO, arena="sdram")
    found = kernel_cycles(compile_table(graph, placed.kernels), placed)
    own = kernel_cycles(compile_table(graph, DISCO.kernels), DISCO)
    once = 2 * 24 * 24 * 16
    assert found.value[0] - own.value[0] == pytest.approx(once * (1.2 - 0.25))
    assert found.lo[0] - own.lo[0] == pytest.approx(once * (1.2 - 0.25))
    assert found.hi[0] - own.hi[0] > 4 * once * (1.2 - 0.25)
    bare = without_cache(placed)
    assert cycles(graph, bare) - cycles(graph, without_cache(DISCO)) == pytest.approx(found.hi[0] - own.hi[0])


def test_a_cache_spares_the_weights_that_are_read_again() -> None:
    """1x1 on 8 x 8 pixels: filter and biases once; without a cache the filter once per 2 pixels."""
    graph, costs = conv(8, 16, 16), core_costs(DISCO)
    assert costs is not None and costs.is_cached
    found, bare = (
        kernel_cycles(compile_table(graph, target.kernels), target).weight_stall_cycles[0]
        for target in (DISCO, without_cache(DISCO))
    )
    per_byte, once, often = costs.cycles_per_byte.value, 16 * 16 + 16 * 4, 8 * 8 / 2 * 16 * 16
    assert found == pytest.approx(once * per_byte)
    assert bare == pytest.approx((often + 16 * 4) * per_byte)


def test_weights_in_place_copied_or_outside_are_three_times() -> None:
    graph = fully_connected(640, 128)
    ram, flash, outside = (cycles(graph, at(DISCO, weights=m)) for m in ("axi-sram", "flash", "qspi-flash"))
    assert ram < flash < outside
    assert outside - ram == pytest.approx(640 * 128 * 4.8)  # 480 MHz / 100 MB/s


def test_a_moved_row_is_analytic_and_says_what_moved() -> None:
    board = load_target("nucleo-l4r5zi")
    graph = conv(9, 16, 16)
    found = kernel_cycles(compile_table(graph, board.kernels), at(board, weights="sram1+2+3"))
    assert found.basis == [Basis.ANALYTIC]
    assert "weights in sram1+2+3 instead of flash" in found.source[0]


def test_an_unknown_speed_stays_unknown() -> None:
    graph = conv(9, 16, 16)
    outside = with_memories(DISCO, sdram={"access": None})
    found = kernel_cycles(compile_table(graph, outside.kernels), at(outside, arena="sdram"))
    assert found.basis == [Basis.UNKNOWN] and "sdram" in found.reason[0]
    assert found.lo[0] > 0  # external RAM is not faster than the core alone
    inside = with_memories(DISCO, dtcm={"access": None})
    lost = kernel_cycles(compile_table(graph, inside.kernels), at(inside, arena="dtcm"))
    assert lost.basis == [Basis.UNKNOWN] and lost.lo[0] == 0  # it may be faster: no bound


def test_an_arena_that_is_short_names_the_ram_that_has_room() -> None:
    full = Conditions(reservations=(Reservation("app", "axi-sram", 500 * 1024, "test"),))
    found = {f.rule: f for f in simulate(KWS, DISCO, full).findings}
    assert "it would fit in dtcm or sram1+2+3 or sram4 or sdram" in found["PF902"].message
    assert found["PF902"].fix == "preflash plan MODEL -d stm32h747i-disco --place auto"
    assert "PF902" not in {f.rule for f in simulate(KWS, DISCO).findings}


def test_a_copy_at_start_is_told_with_its_time() -> None:
    found = {f.rule: f for f in simulate(KWS, at(DISCO, weights="sdram")).findings}
    assert "weights from flash to sdram" in found["PF903"].message and " ms" in found["PF903"].message
    assert "PF903" not in {f.rule for f in simulate(KWS, DISCO).findings}
