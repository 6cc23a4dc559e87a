"""Many points at once are the points one by one."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from placed_targets import DISCO, with_memories
from preflash.devices.catalog import (
    device_names,
    load_device,
    load_runtime,
    load_target,
    misfit,
    runtime_names,
)
from preflash.devices.target import Target
from preflash.graphs.ir import DType, ModelGraph, Op, Tensor, wire
from preflash.graphs.tflite.read import read_tflite
from preflash.graphs.variants.recipe import parse_recipe
from preflash.graphs.zoo import build
from preflash.simulator.budget_words import BY_SEVERITY
from preflash.simulator.estimate import Conditions, Duty, Estimate, Limit, Metric, Reservation, Step, Word
from preflash.simulator.interval import Basis, Interval
from preflash.simulator.points import Figures, Points, price_points
from preflash.simulator.simulate import simulate
from preflash.simulator.structure import structure_key
from shared_data import shared_dir

FIGURES = {
    "latency_s": "latency_s",
    "energy_j": "energy_j",
    "arena_bytes": "arena_min_bytes",
    "ram_bytes": "ram_bytes",
    "flash_bytes": "flash_bytes",
}


def with_a_strange_op() -> ModelGraph:
    """An op nobody can price between two that everybody can."""
    tensors = [Tensor(i, f"t{i}", DType.INT8, (1, 8, 8, 4)) for i in range(4)]
    ops = [
        Op(0, "ABS", (0,), (1,)),
        Op(1, "CUSTOM", (1,), (2,), custom_code="Mystery"),
        Op(2, "ABS", (2,), (3,)),
    ]
    return ModelGraph((wire(tensors, ops, inputs=(0,), outputs=(3,)),), name="strange", file_bytes=1000)


def without_ops() -> ModelGraph:
    whole = wire([Tensor(0, "in", DType.INT8, (1, 4))], [], inputs=(0,), outputs=(0,))
    return ModelGraph((whole,), name="nothing", file_bytes=100)


@cache
def variants() -> tuple[ModelGraph, ...]:
    return (
        build("kws01"),
        with_a_strange_op(),
        build("person-detect", width=0.125, resolution=48),
        without_ops(),
        build("conv-add-pool-relu", dtype="float32"),
        build("ad01"),
        build("person-detect", dtype="int16", width=0.125, resolution=48),
    )


@cache
def targets() -> tuple[Target, ...]:
    return (
        load_target("nucleo-l4r5zi"),
        load_target("nucleo-l4r5zi", clock="48 MHz"),
        load_target("nucleo-l4r5zi", runtime="tflm-reference"),
        load_target("nucleo-h743zi2", runtime="x-cube-ai@8.1"),
        load_target("nucleo-h743zi2", runtime="x-cube-ai@7.3"),
        load_target("nucleo-h743zi2", runtime="tflm-aot"),
        load_target("nucleo-h743zi2", runtime="microtvm-cmsis-nn"),
        load_target("esp32-s3-devkitc-1"),
        load_target("esp32-c3-devkitm-1"),
        load_target("raspberry-pi-4b"),
        load_target("gapuino", runtime="tflm-reference"),
        load_target("example-npu"),
    )


@cache
def whole() -> Points:
    return price_points(variants(), targets())


def same(found: Interval, wanted: Interval | Metric) -> bool:
    """The same texts and basis; the ends agree to the last few bits of a sum."""
    ends = ((found.value, wanted.value), (found.lo, wanted.lo), (found.hi, wanted.hi))
    agree = all((a is None and b is None) or a == pytest.approx(b, rel=1e-12) for a, b in ends)
    texts = (found.basis, found.source, found.reason) == (wanted.basis, wanted.source, wanted.reason)
    return agree and texts


def assert_is_the_estimate(points: Points, variant: int, target: int, estimate: Estimate) -> None:
    for name, metric in FIGURES.items():
        figures: Figures = getattr(points, name)
        found, wanted = figures.at(variant, target), estimate.metric(metric)
        assert same(found, wanted), f"{name}: {found} is not {wanted}"


@pytest.mark.parametrize("target", range(len(targets())), ids=lambda n: f"{targets()[n].device.name}-{n}")
@pytest.mark.parametrize("variant", range(len(variants())), ids=lambda n: variants()[n].name)
def test_a_point_is_what_simulate_says(variant: int, target: int) -> None:
    estimate = simulate(variants()[variant], targets()[target])
    assert_is_the_estimate(whole(), variant, target, estimate)


def test_an_op_nobody_can_price_makes_a_lower_bound_and_no_energy() -> None:
    latency_s, energy_j = whole().latency_s.at(1, 0), whole().energy_j.at(1, 0)
    assert latency_s.basis is Basis.UNKNOWN and latency_s.lo is not None and latency_s.lo > 0
    assert "Mystery" in latency_s.reason
    assert energy_j.value is None and energy_j.reason == f"latency unknown: {latency_s.reason}"


def test_every_board_with_every_runtime_that_fits_it_is_what_simulate_says() -> None:
    """One variant on all of them, a third of the targets each; the unknown cores among them."""
    fitting = [
        load_target(board, runtime)
        for board in device_names()
        for runtime in runtime_names()
        if not misfit(load_device(board), load_runtime(runtime))
    ][::3]
    graph = build("conv-add-pool-relu")
    points = price_points([graph], fitting)
    for number, target in enumerate(fitting):
        assert_is_the_estimate(points, 0, number, simulate(graph, target))


def test_weights_and_arena_elsewhere_are_priced_as_simulate_does() -> None:
    unfed = with_memories(DISCO, sdram={"access": None})
    moved = [
        unplaced.placed(replace(unplaced.homes, **where))
        for unplaced, where in (
            (DISCO, {"weights": "axi-sram"}),
            (DISCO, {"weights": "qspi-flash", "arena": "sdram"}),
            (unfed, {"arena": "sdram"}),
        )
    ]
    points = price_points([variants()[2], variants()[0]], moved)
    for number, target in enumerate(moved):
        assert_is_the_estimate(points, 1, number, simulate(variants()[0], target))
    assert "sdram" in points.latency_s.at(1, 2).reason


def test_channels_that_a_release_drops_cost_nothing_in_a_batch_either() -> None:
    path: Path = shared_dir() / "models" / "vww_96_int8.tflite"
    graph = read_tflite(path)
    releases = [load_target("nucleo-h743zi2", runtime=f"x-cube-ai@{number}") for number in ("7.3", "8.1")]
    points = price_points([variants()[0], graph], releases)
    for number, target in enumerate(releases):
        assert_is_the_estimate(points, 1, number, simulate(graph, target))
    kept, dropped = points.latency_s.value[1]
    assert dropped < kept


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, len(variants()) - 1), min_size=1, max_size=5, unique=True))
def test_adding_a_variant_does_not_change_the_others(chosen: list[int]) -> None:
    some = price_points([variants()[n] for n in chosen], targets())
    for name in FIGURES:
        part, full = getattr(some, name), getattr(whole(), name)
        for mine, all_of_them in zip(part, full, strict=True):
            there = all_of_them[chosen]
            if there.dtype == object:
                assert (mine == there).all(), name
            else:
                np.testing.assert_allclose(mine, there, rtol=1e-12)


def test_the_order_of_targets_is_the_order_of_columns() -> None:
    back = price_points(variants(), targets()[::-1])
    np.testing.assert_array_equal(back.latency_s.value[:, ::-1], whole().latency_s.value)
    np.testing.assert_array_equal(back.flash_bytes.value[:, ::-1], whole().flash_bytes.value)


def test_no_variant_or_no_target_is_no_point() -> None:
    assert len(price_points([], targets())) == len(price_points(variants(), [])) == 0
    assert price_points([], targets()).latency_s.value.shape == (0, len(targets()))


def conditions_for(target: Target, number: int) -> Conditions:
    """Some budgets in turn: none, a short deadline, little memory left, limits, a period with steps."""
    step = Step("filter", "pre", Interval(0.002, 0.001, 0.004, Basis.ANALYTIC, "declared"))
    ram = target.device.home_of("arena")
    taken = Reservation("other", ram.name, max(0, ram.size_bytes - 20_000), "--reserve")
    return (
        Conditions(),
        Conditions(deadline_s=0.005),
        Conditions(reservations=(taken,), tight_headroom=0.5),
        Conditions(limits=(Limit("ram", 20_000), Limit("flash", 60_000), Limit("energy", 1e-3))),
        Conditions(deadline_s=0.1, duty=Duty(period_s=0.05, steps=(step,))),
    )[number]


@pytest.mark.parametrize("number", range(5))
def test_a_verdict_is_that_of_simulate(number: int) -> None:
    given = [conditions_for(target, number) for target in targets()]
    found = price_points(variants(), targets(), given).verdicts
    for variant, graph in enumerate(variants()):
        for place, target in enumerate(targets()):
            verdict = simulate(graph, target, given[place]).verdict
            word = BY_SEVERITY[found.severity[variant, place]]
            limiting = found.limiting[variant, place]
            assert (word, limiting) == (verdict.word, verdict.limiting), (
                f"{graph.name} on {target.device.name}"
            )


def test_a_point_without_a_word_of_yes_says_why() -> None:
    found = whole().verdicts
    unknown = (found.severity >= BY_SEVERITY.index(Word.UNKNOWN)) & np.isnan(whole().latency_s.value)
    assert unknown.any() and all(found.reason[unknown])


def test_variants_of_one_structure_are_what_simulate_says() -> None:
    """Zeros, few bits, shared values and dead channels: runtimes that look at them tell them apart."""
    graph = build("kws01")
    recipes = (
        "prune sparsity=0.5",
        "quantize-weights bits=4",
        "cluster clusters=16",
        "prune granularity=2:4",
    )
    made = [graph, *(parse_recipe(text).apply(graph) for text in recipes)]
    on = [
        load_target("nucleo-l4r5zi"), load_target("nucleo-h743zi2", runtime="x-cube-ai@8.1"),
        load_target("nucleo-l4r5zi", runtime="tflm-cmsis-nn-lut"), load_target("example-npu"),
        load_target("nucleo-l4r5zi", runtime="micronets-4bit"), load_target("pixel-3"),
    ]  # fmt: skip
    points = price_points(made, on)
    for variant, one in enumerate(made):
        for place, target in enumerate(on):
            assert_is_the_estimate(points, variant, place, simulate(one, target))
    assert len({structure_key(one) for one in made}) == 1
