"""A period adds up: slack, load, energy, average power, days of a battery; the unknown stays a bound."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from preflash.devices.battery import parse_battery
from preflash.devices.catalog import load_target
from preflash.devices.sleep import DeclaredSleep, SleepSpec, parse_sleep
from preflash.devices.spec import PowerSpec
from preflash.devices.target import Target
from preflash.simulator.cycle import DutyCycle
from preflash.simulator.duty import duty_cycle
from preflash.simulator.duty_findings import duty_findings
from preflash.simulator.estimate import Basis, Conditions, Duty, Interval, Step, unknown
from preflash.simulator.verdict import time_budgets

BOARD = load_target("nucleo-u575zi")


def sure(value: float, basis: Basis = Basis.MEASURED) -> Interval:
    return Interval(value, value, value, basis, "test")


def powered(*, sleep: SleepSpec | None = None, supply: str | None = "3 V") -> Target:
    """10 mW exactly while the core works at this clock, but for the spread that every power figure has."""
    power = PowerSpec.model_validate(
        {
            "active": "10 mW",
            "at_clock": "160 MHz",
            "supply": supply,
            "source": "test",
            "confidence": "measured",
        }
    ).model_copy(update={"sleep": sleep})
    return replace(BOARD, device=BOARD.device.model_copy(update={"power": power}))


def cycle(
    duty: Duty, *, latency: Interval | None = None, energy: Interval | None = None,
    deadline_s: float | None = None, target: Target | None = None,
) -> DutyCycle:  # fmt: skip
    return duty_cycle(
        latency or sure(0.040), energy or sure(1004e-6), target or powered(),
        Conditions(deadline_s=deadline_s, duty=duty),
    )  # fmt: skip


SLEEP = parse_sleep("3uA@3V")
MFCC = Step("mfcc", "pre", sure(0.010))
CAPTURE = Step("capture", "pre", sure(0.030), core="sleep")


def test_kws_on_u575_turns_from_work_to_sleep_at_112_s() -> None:
    """specs/energy.md, section 6: 1004 uJ / (3 uA x 3 V) = 1004e-6 / 9e-6 = 111.6 s."""
    found = cycle(Duty(period_s=1.0, sleep=SLEEP)).crossover_s
    assert found.value == pytest.approx(111.6, abs=0.05)


@pytest.mark.parametrize(
    ("period_s", "milliwatts"),
    # 1 s: 1.004 mW of work + 9 uW x 0.96 of sleep; 10 min: 1.004 mJ / 600 s = 1.673 uW + 9 uW
    [(1.0, 1.004 + 0.009 * 0.96), (600.0, 1.004 / 600 + 0.009 * (600 - 0.04) / 600)],
)
def test_average_power_is_work_and_sleep_over_the_period(period_s: float, milliwatts: float) -> None:
    found = cycle(Duty(period_s=period_s, sleep=SLEEP))
    assert found.average_w.value == pytest.approx(milliwatts * 1e-3)
    assert found.period_j.value == pytest.approx(milliwatts * 1e-3 * period_s)


def test_days_are_usable_energy_over_average_power() -> None:
    """220 mAh x 3 V = 2376 J; x 0.85 = 2019.6 J; / 1.01264 mW / 86400 s = 23.08 days."""
    duty = Duty(period_s=1.0, sleep=SLEEP, battery=parse_battery("220mAh@3V,85%"))
    found = cycle(duty).battery_days
    assert found.value == pytest.approx(2019.6 / 1.01264e-3 / 86400, rel=1e-6)
    assert found.lo == found.value == found.hi
    assert found.basis is Basis.ANALYTIC  # the declared sleep was not said to be measured


def test_a_part_that_is_not_declared_is_an_interval() -> None:
    found = cycle(Duty(period_s=1.0, sleep=SLEEP, battery=parse_battery("220mAh@3V"))).battery_days
    assert found.value and found.lo and found.hi
    assert found.lo / found.value == pytest.approx(0.75 / 0.875)
    assert found.hi / found.value == pytest.approx(1.0 / 0.875)
    assert "not declared" in found.source


@pytest.mark.parametrize(
    ("supply", "lo", "hi"), [("1.8 V", 0.6, 1.0), ("3 V", 1.0, 1.0), ("3.3 V", 1.0, 1.1)]
)
def test_a_linear_regulator_is_inside_the_interval(supply: str, lo: float, hi: float) -> None:
    """At 1.8 V behind a linear regulator the battery gives 3 V x the same current: 0.6 of the life."""
    duty = Duty(period_s=1.0, sleep=SLEEP, battery=parse_battery("220mAh@3V,100%"))
    found = cycle(duty, target=powered(supply=supply)).battery_days
    assert found.value and found.lo and found.hi
    assert (found.lo / found.value, found.hi / found.value) == (pytest.approx(lo), pytest.approx(hi))


def test_without_a_sleep_current_days_are_at_most_what_the_work_allows() -> None:
    duty = Duty(period_s=1.0, battery=parse_battery("220mAh@3V,100%"))
    found = cycle(duty)
    assert found.battery_days.value is None
    assert found.battery_days.hi == pytest.approx(2376 / 1.004e-3 / 86400)
    assert "sleep current of nucleo-u575zi is not known" in found.battery_days.reason
    assert found.average_w.lo == pytest.approx(1.004e-3)
    assert found.crossover_s.value is None


def test_without_a_power_figure_days_are_at_most_what_the_sleep_allows() -> None:
    duty = Duty(period_s=1.0, sleep=SLEEP, battery=parse_battery("220mAh@3V,100%"))
    found = cycle(duty, energy=unknown("no power figure")).battery_days
    assert found.value is None
    assert found.hi == pytest.approx(2376 / (9e-6 * 0.96) / 86400)
    assert "no power figure" in found.reason


def test_the_response_is_wake_up_steps_and_inference_one_after_the_other() -> None:
    sleep = DeclaredSleep.model_validate({"current": "3 uA", "supply": "3 V", "wake_up": "500 us"})
    post = Step("argmax", "post", Interval(0.001, 0.0005, 0.002, Basis.ANALYTIC, "guess"))
    found = cycle(Duty(period_s=1.0, steps=(post, MFCC, CAPTURE), sleep=sleep), deadline_s=0.1)
    assert [line.name for line in found.lines] == [
        "wake-up",
        "mfcc",
        "capture",
        "inference",
        "argmax",
        "sleep",
    ]
    assert found.response_s.value == pytest.approx(0.0005 + 0.010 + 0.030 + 0.040 + 0.001)
    assert found.slack_s.value == pytest.approx(0.1 - 0.0815)
    assert (found.slack_s.lo, found.slack_s.hi) == (pytest.approx(0.1 - 0.0825), pytest.approx(0.1 - 0.081))
    assert found.response_s.basis is Basis.ANALYTIC


def test_the_core_is_not_loaded_while_it_sleeps() -> None:
    found = cycle(Duty(period_s=0.5, steps=(MFCC, CAPTURE), sleep=SLEEP))
    assert found.cpu_load.value == pytest.approx((0.040 + 0.010) / 0.5)


def test_a_step_takes_the_power_of_the_core_or_of_its_sleep_or_what_is_declared() -> None:
    camera = replace(CAPTURE, name="camera", energy_j=sure(2e-3))
    found = cycle(Duty(period_s=1.0, steps=(MFCC, CAPTURE, camera), sleep=SLEEP))
    energies = {line.name: line.energy_j.value for line in found.lines}
    assert energies["mfcc"] == pytest.approx(10e-3 * 0.010)
    assert energies["capture"] == pytest.approx(9e-6 * 0.030)
    assert energies["camera"] == 2e-3
    assert energies["sleep"] == pytest.approx(9e-6 * (1 - 0.040 - 0.010 - 0.060))
    assert found.period_j.value == pytest.approx(sum(v for v in energies.values() if v is not None))


def test_a_wake_up_is_counted_where_it_is_declared() -> None:
    words = {"current": "3 uA", "supply": "3 V", "wake_up": "1 ms"}
    by_power, by_energy = (
        cycle(Duty(period_s=1.0, sleep=DeclaredSleep.model_validate({**words, **more}))).lines[0]
        for more in ({}, {"wake_up_energy": "5 uJ"})
    )
    assert by_power.energy_j.value == pytest.approx(10e-3 * 1e-3)
    assert by_energy.energy_j.value == pytest.approx(5e-6)


def test_a_period_that_is_too_short_has_no_average_power() -> None:
    duty = Duty(period_s=0.03, sleep=SLEEP, battery=parse_battery("220mAh@3V"))
    found = cycle(duty)
    assert found.cpu_load.value == pytest.approx(4 / 3)
    assert found.average_w.value is None and found.battery_days.value is None
    assert "takes longer than the period" in found.battery_days.reason
    (budget,) = time_budgets(found, Conditions(duty=duty))
    assert (budget.name, budget.word.value) == ("period", "NO")


def test_an_unknown_latency_leaves_bounds() -> None:
    lost = unknown("no price for X", at_least=0.02)
    found = cycle(Duty(period_s=1.0, sleep=SLEEP), latency=lost, energy=unknown("x"), deadline_s=0.05)
    assert (found.slack_s.value, found.slack_s.hi) == (None, pytest.approx(0.03))
    assert (found.cpu_load.value, found.cpu_load.lo) == (None, pytest.approx(0.02))


def test_nothing_given_is_nothing_but_the_latency() -> None:
    found = cycle(Duty())
    assert found.response_s.value == 0.040
    figures = (found.slack_s, found.cpu_load, found.average_w, found.battery_days)
    assert all(figure.value is None and "was given" in figure.reason for figure in figures)


def test_a_device_files_sleep_is_used_and_a_declared_one_stands_above_it() -> None:
    spec = SleepSpec.model_validate({
        "state": "stop 2", "current": "2 uA", "current_low": "1 uA", "current_high": "4 uA", "supply": "3 V",
        "ram": "retained", "source": "datasheet", "confidence": "datasheet",
    })  # fmt: skip
    own = cycle(Duty(period_s=1.0), target=powered(sleep=spec)).sleep_w
    assert (own.lo, own.value, own.hi) == tuple(pytest.approx(x * 3e-6) for x in (1, 2, 4))
    assert own.basis is Basis.DATASHEET
    declared = cycle(Duty(period_s=1.0, sleep=parse_sleep("7uW")), target=powered(sleep=spec)).sleep_w
    assert declared.value == pytest.approx(7e-6)


def test_a_current_without_a_voltage_takes_that_of_the_board_then_of_the_battery() -> None:
    sleep, battery = parse_sleep("2uA"), parse_battery("1Ah@3.7V")
    boards = (powered(supply="1.8 V"), powered(supply=None))
    found = [cycle(Duty(1.0, (), battery, sleep), target=board).sleep_w.value for board in boards]
    assert found == [pytest.approx(3.6e-6), pytest.approx(7.4e-6)]
    assert "no voltage" in cycle(Duty(1.0, sleep=sleep), target=boards[1]).sleep_w.reason


@given(st.floats(0.05, 1e6), st.floats(1.001, 100))
def test_a_longer_period_never_shortens_the_life(period_s: float, factor: float) -> None:
    battery = parse_battery("220mAh@3V")
    short, long = (
        cycle(Duty(period_s=p, sleep=SLEEP, battery=battery)).battery_days.value
        for p in (period_s, period_s * factor)
    )
    assert short is not None and long is not None and long >= short


def _rules(duty: Duty, target: Target, deadline_s: float | None = None) -> dict[str, str]:
    conditions = Conditions(deadline_s=deadline_s, duty=duty)
    found = duty_cycle(sure(0.040), sure(1004e-6), target, conditions)
    budgets = time_budgets(found, conditions)
    return {
        f.rule: f.message for f in duty_findings(found, (), budgets, target=target, conditions=conditions)
    }


def test_the_findings_say_whether_work_or_sleep_empties_the_battery() -> None:
    work, sleep = (_rules(Duty(p, sleep=SLEEP), powered())["PF811"] for p in (1.0, 600.0))
    assert work.startswith("work takes") and "from a period of 111.6 s on it is sleep" in work
    assert sleep.startswith("sleep takes 84 %") and "below a period of 111.6 s it is work" in sleep


def test_the_findings_say_by_how_much_the_deadline_is_missed() -> None:
    found = _rules(Duty(steps=(MFCC,)), powered(), deadline_s=0.030)
    assert found["PF405"] == "deadline of 30 ms missed by 20 ms; around it: mfcc 10 ms"


def test_a_sleep_that_nobody_states_and_one_that_loses_ram_are_said() -> None:
    assert "PF812" in _rules(Duty(1.0), powered())
    lost = DeclaredSleep.model_validate({"current": "10 uA", "supply": "3 V", "ram": "lost"})
    assert "PF813" in _rules(Duty(1.0, sleep=lost), powered())
    assert set(_rules(Duty(1.0, sleep=SLEEP), powered())) == {"PF811"}


def test_a_life_beyond_the_shelf_life_is_said() -> None:
    assert "PF814" in _rules(Duty(3600.0, sleep=SLEEP, battery=parse_battery("2000mAh@3V")), powered())
