"""Fragility: one assumption at a time; what turns the verdict, from where on, what to measure first."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from preflash.devices.battery import parse_battery
from preflash.devices.catalog import load_target
from preflash.devices.sleep import parse_sleep
from preflash.devices.what_if import WhatIf
from preflash.errors import BudgetInvalid
from preflash.graphs.zoo import build
from preflash.simulator.estimate import Conditions, Duty, Limit, Reservation, Step, Word, exact
from preflash.simulator.fragility import Fragility, Swing, Turn, fragility, parse_by
from preflash.simulator.fragility.case import Case
from preflash.simulator.fragility.study import WEAK
from preflash.simulator.fragility.turning import turn_of
from preflash.simulator.points import price_points
from preflash.simulator.simulate import simulate

KWS = build("kws01", dtype="int8")
BOARD = load_target("nucleo-l4r5zi")
DUTY = Duty(
    period_s=1.0, battery=parse_battery("220mAh@3V,85%"),
    sleep=parse_sleep("3uA@3V"),
    steps=(
        Step("mfcc", "pre", exact(0.02, "t"), cycles=2.4e6),
        Step("radio", "post", exact(0.01, "t"), exact(1e-4, "t")),
    ),
)  # fmt: skip
FULL = Conditions(
    deadline_s=0.15, duty=DUTY, reservations=(Reservation("camera", "sram1+2+3", 100_000, "--reserve"),),
    limits=(Limit("ram", 30_000.0), Limit("flash", 400_000.0), Limit("energy", 0.02)),
)  # fmt: skip
FOUND = fragility(KWS, BOARD, FULL)
CASE = Case(KWS, BOARD, FULL)


def swing(name: str, found: Fragility = FOUND) -> Swing:
    return next(one for one in found.swings if one.knob.name == name)


def change(one: Swing, name: str, found: Fragility = FOUND) -> tuple[float, float]:
    """Relative change of a figure at the low and the high end."""
    base, ends = found.base.figures[name].value, (one.low.figures[name].value, one.high.figures[name].value)
    assert base
    return tuple((value or 0.0) / base - 1 for value in ends)  # type: ignore[return-value]


def still(one: Swing, *but: str) -> bool:
    """Whether no figure changes but these."""
    names = [name for name in FOUND.base.figures if name not in but]
    return all(
        end.figures[name].value == FOUND.base.figures[name].value
        for end in (one.low, one.high)
        for name in names
    )


@pytest.mark.parametrize("one", FOUND.swings, ids=lambda one: one.knob.name)
def test_both_ends_are_what_simulate_says(one: Swing) -> None:
    for end in (one.low, one.high):
        estimate = simulate(*one.knob.turned(CASE, end.factor))
        assert estimate.verdict == end.verdict
        for name, figure in end.figures.items():
            assert estimate.metric(name).value == figure.value, name


@pytest.mark.parametrize("one", FOUND.swings, ids=lambda one: one.knob.name)
def test_once_the_assumed_value_changes_nothing(one: Swing) -> None:
    assert simulate(*one.knob.turned(CASE, 1.0)).verdict == FOUND.base.verdict


@pytest.mark.parametrize("deadline_s", [0.05, 0.1, 0.15])
@pytest.mark.parametrize("board", ["nucleo-l4r5zi", "nucleo-u575zi", "esp32-qio80", "arduino-portenta-h7"])
def test_a_turn_turns_the_verdict_on_one_side_and_not_on_the_other(board: str, deadline_s: float) -> None:
    target, conditions = load_target(board), Conditions(deadline_s=deadline_s)
    found = fragility(KWS, target, conditions)
    case = Case(KWS, target, conditions)
    assert found.base.verdict == simulate(*case).verdict
    for one in found.swings:
        for turn in (one.below, one.above):
            if turn is None:
                continue
            assert simulate(*one.knob.turned(case, turn.within)).verdict.word is found.base.word
            beyond = simulate(*one.knob.turned(case, turn.beyond)).verdict
            assert (beyond.word, beyond.limiting) == (turn.word, turn.limiting)
            assert abs(turn.beyond / turn.within - 1) < 0.001


def test_the_turn_of_the_deadline_worked_by_hand() -> None:
    # FITS while latency <= 0.9 x deadline; TIGHT down to p90 = deadline; so FITS ends at latency / 0.9.
    latency = simulate(KWS, BOARD).metric("latency_s")
    assert latency.value is not None and latency.hi is not None
    deadline_s = latency.value * 1.3
    found = fragility(KWS, BOARD, Conditions(deadline_s=deadline_s))
    turn = swing("deadline", found).below
    first = max(latency.value / 0.9, latency.hi) / deadline_s
    assert found.base.word is Word.FITS and turn is not None
    assert turn.within >= first * (1 - 1e-9) > turn.beyond and turn.within / turn.beyond <= 1.0005
    assert turn.word is (Word.TIGHT if latency.value / 0.9 > latency.hi else Word.RISKY)
    assert turn.limiting == "latency"


def test_a_faster_clock_takes_less_time_and_a_step_in_cycles_follows_it() -> None:
    clock = swing("clock")
    low, high = change(clock, "latency_s")
    assert low > 0.1 and high == pytest.approx(1 / 1.2 - 1, abs=0.02)
    slower = clock.knob.turned(CASE, 0.5).conditions.duty.steps
    assert [step.time_s.value for step in slower] == [0.04, 0.01]


def test_cycles_of_the_kernels_and_waiting_for_weights_are_all_of_the_latency() -> None:
    kernels, waiting = (change(swing(name), "latency_s") for name in ("kernel cycles", "waiting for weights"))
    assert kernels[1] + waiting[1] == pytest.approx(0.2, abs=1e-3)
    assert kernels[0] == pytest.approx(-kernels[1]) and kernels[1] > waiting[1] > 0


@pytest.mark.parametrize("name", ["size of sram1+2+3", "size of flash", "camera in sram1+2+3", "headroom",
                                  "ram limit", "flash limit", "energy limit"])  # fmt: skip
def test_a_size_or_a_limit_changes_budgets_alone(name: str) -> None:
    assert still(swing(name))


@pytest.mark.parametrize(
    ("name", "moved"),
    [
        ("deadline", {"slack_s"}), ("period", {"battery_days"}), ("battery", {"battery_days"}),
        ("active power", {"energy_j", "battery_days"}), ("power asleep", {"battery_days"}),
        ("code size", {"flash_bytes"}), ("static RAM", {"ram_bytes"}),
        ("time of mfcc", {"slack_s", "battery_days"}), ("energy of radio", {"battery_days"}),
    ],
)  # fmt: skip
def test_an_assumption_moves_what_hangs_on_it_and_nothing_else(name: str, moved: set[str]) -> None:
    assert still(swing(name), *moved) and not still(swing(name))


def test_power_is_energy_in_proportion_and_a_battery_is_days() -> None:
    assert change(swing("active power"), "energy_j") == pytest.approx((-0.2, 0.2))
    assert change(swing("battery"), "battery_days") == pytest.approx((-0.2, 0.2))


def test_a_wake_up_is_varied_where_it_is_declared() -> None:
    assert DUTY.sleep is not None
    sleep = DUTY.sleep.model_copy(update={"wake_up_s": 0.001, "wake_up_j": 1e-4})
    found = fragility(KWS, BOARD, replace(FULL, duty=replace(DUTY, sleep=sleep)))
    assert swing("time of the wake-up", found).effect > 0 and swing("energy of the wake-up", found).effect > 0
    assert "wake-up" in {one.name for one in FOUND.fixed}


def test_what_turns_the_verdict_stands_first_then_what_has_most_effect() -> None:
    keys = [(not one.is_turning, -one.effect) for one in FOUND.swings]
    assert keys == sorted(keys) and any(one.is_turning for one in FOUND.swings)


def test_the_order_of_two_ends_does_not_matter() -> None:
    for one in FOUND.swings:
        other = replace(one, low=one.high, high=one.low, below=None, above=None)
        assert other.effect == one.effect
        assert (one.low.word is not one.base or one.high.word is not one.base) <= other.is_turning


def test_what_is_weak_and_turns_the_verdict_is_to_be_measured_first() -> None:
    for one in FOUND.swings:
        assert one.is_first == (one.is_turning and one.knob.confidence in WEAK)
    assert swing("clock", fragility(KWS, BOARD, Conditions(deadline_s=0.1))).is_first


def test_what_is_not_known_stays_unknown_with_its_reason() -> None:
    board = load_target("arduino-portenta-h7")
    found = fragility(KWS, board, Conditions(deadline_s=0.1))
    fixed = {one.name: one.reason for one in found.fixed}
    assert fixed["active power"] == "no power figure for arduino-portenta-h7"
    assert {end.figures["energy_j"].value for one in found.swings for end in (one.low, one.high)} == {None}


def test_a_model_that_is_refused_is_no_whatever_is_varied() -> None:
    runtime = BOARD.runtime.model_copy(update={"ops": (), "op_table": {}})
    found = fragility(KWS, replace(BOARD, runtime=runtime), Conditions(deadline_s=1.0))
    assert (found.base.word, found.base.verdict.limiting) == (Word.NO, "runtime")
    assert found.swings and not any(one.is_turning or one.below or one.above for one in found.swings)


@pytest.mark.parametrize("runtime", ["x-cube-ai@8.1", "tflm-reference", "tflm-aot"])
def test_every_runtime_has_its_knobs(runtime: str) -> None:
    found = fragility(KWS, load_target("nucleo-l4r5zi", runtime), Conditions(deadline_s=0.1))
    names = {one.knob.name for one in found.swings}
    assert {"clock", "kernel cycles", "deadline"} <= names
    assert ("arena" in names) == runtime.startswith("x-cube-ai")
    assert names.isdisjoint({one.name for one in found.fixed})


def test_the_arena_of_a_modelled_planner_is_varied() -> None:
    found = fragility(KWS, load_target("nucleo-l4r5zi", "x-cube-ai@8.1"))
    arena = swing("arena", found)
    assert change(arena, "ram_bytes", found)[1] > 0.05
    assert arena.high.figures["latency_s"] == found.base.figures["latency_s"]


def test_many_points_are_priced_with_the_same_factors() -> None:
    varied = replace(BOARD, what_if=WhatIf(compute=1.5, stalls=2.0, code=1.25, static_ram=3.0))
    points, estimate = price_points([KWS], [BOARD, varied]), simulate(KWS, varied)
    for name in ("latency_s", "energy_j", "ram_bytes", "flash_bytes"):
        assert getattr(points, name).at(0, 1).value == pytest.approx(estimate.metric(name).value), name
        assert points.latency_s.at(0, 0).value == simulate(KWS, BOARD).metric("latency_s").value


def test_a_phone_is_varied_too() -> None:
    found = fragility(KWS, load_target("pixel-3a"), Conditions(deadline_s=0.01))
    moved = {one.knob.name for one in found.swings if change(one, "latency_s", found) != (0, 0)}
    assert {"clock", "kernel cycles", "streaming weights and activations"} <= moved


def test_where_things_lie_elsewhere_both_forms_of_the_device_are_varied() -> None:
    from preflash.simulator.placing.words import parse_placement

    board = load_target("nucleo-h743zi")
    placed = board.placed(parse_placement(board, "arena=dtcm"))
    case = Case(KWS, placed, Conditions())
    found = fragility(*case)
    varied = swing("size of dtcm", found).knob.turned(case, 0.5).target
    assert varied.own_device is not None
    sizes = [device.memory("dtcm").size_bytes for device in (varied.device, varied.own_device)]
    assert sizes == [placed.device.memory("dtcm").size_bytes // 2] * 2


@pytest.mark.parametrize("by", [0.0, 1.0, -0.2, float("nan"), float("inf")])
def test_a_range_that_is_none_is_refused(by: float) -> None:
    with pytest.raises(BudgetInvalid, match="no part above 0 and below 1"):
        fragility(KWS, BOARD, by=by)


@pytest.mark.parametrize("text", ["0", "100%", "-20%", "many", "", "20 mm", "nan"])
def test_a_range_that_nobody_can_read_is_refused(text: str) -> None:
    with pytest.raises(BudgetInvalid, match="--by"):
        parse_by(text)


def test_the_least_and_the_most_range_work() -> None:
    for by in (1e-6, 0.99):
        found = fragility(KWS, BOARD, Conditions(deadline_s=0.1), by=by)
        assert all(one.low.factor == 1 - by and one.high.factor == 1 + by for one in found.swings)


class _Judged:
    def __init__(self, word: Word) -> None:
        self.verdict = replace(FOUND.base.verdict, word=word)


@pytest.mark.parametrize("edge", [1.1, 1.37, 2.9])
def test_a_turn_is_found_at_the_edge(edge: float) -> None:
    turn = turn_of(lambda factor: _Judged(Word.NO if factor >= edge else Word.FITS), (1.2, 2.0, 4.0))
    assert isinstance(turn, Turn) and turn.within < edge <= turn.beyond < turn.within * 1.0006


def test_a_verdict_that_returns_is_found_at_its_first_turn() -> None:
    turn = turn_of(lambda factor: _Judged(Word.NO if 1.5 < factor < 3 else Word.FITS), (1.2, 2.0, 4.0))
    assert turn is not None and turn.within <= 1.5 < turn.beyond
    assert turn_of(lambda _: _Judged(Word.FITS), (0.8, 0.5, 0.25)) is None


def test_it_takes_no_longer_than_a_third_of_a_second() -> None:
    graph = build("vww01", dtype="int8")
    fragility(graph, BOARD, FULL)
    best = 1.0
    for _ in range(3):
        begin = time.perf_counter()
        fragility(graph, BOARD, FULL)
        best = min(best, time.perf_counter() - begin)
    assert best < 0.3
