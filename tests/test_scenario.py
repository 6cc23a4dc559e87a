"""A scenario file states what is around the inference; options stand above it; faults come at once."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from preflash.devices.catalog import load_target
from preflash.errors import BudgetInvalid, ScenarioFileInvalid, UnitInvalid
from preflash.reports.schema import render_schema
from preflash.simulator.estimate import Basis, Conditions
from preflash.simulator.scenario import Said, conditions_of, read_scenario

BOARD = load_target("nucleo-u575zi")
KWS = """\
deadline = "300 ms"
period = "1 s"
headroom = "20%"

[battery]
capacity = "220 mAh"
voltage = "3 V"
usable = 0.85

[sleep]
state = "stop 2"
current = "3 uA"
supply = "3 V"
ram = "retained"
wake_up = "50 us"
measured = true

[[step]]
name = "microphone"
when = "pre"
core = "sleep"
time = "30 ms"
energy = "60 uJ"
measured = true
source = "logic analyser"

[[step]]
name = "mfcc"
when = "pre"
cycles = 2_400_000

[[step]]
name = "smoothing"
when = "post"
time = "120 us"
time_high = "200 us"

[[reserve]]
name = "audio"
memory = "ram"
size = "32 KiB"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    return path


def read(tmp_path: Path, text: str, said: Said | None = None) -> Conditions:
    return conditions_of(BOARD, read_scenario(written(tmp_path, text)), said)


def test_a_file_states_everything(tmp_path: Path) -> None:
    found = read(tmp_path, KWS)
    assert (found.deadline_s, found.tight_headroom, found.duty.period_s) == (0.3, 0.2, 1.0)
    assert [(r.name, r.size_bytes, r.source) for r in found.reservations] == [
        ("audio", 32768, "scenario file")
    ]
    assert found.duty.battery is not None and found.duty.battery.usable == 0.85
    assert found.duty.sleep is not None and found.duty.sleep.wake_up_s == pytest.approx(50e-6)
    assert [(s.name, s.when, s.core) for s in found.duty.steps] == [
        ("microphone", "pre", "sleep"), ("mfcc", "pre", "active"), ("smoothing", "post", "active"),
    ]  # fmt: skip


def test_a_steps_basis_is_measured_only_where_it_says_so(tmp_path: Path) -> None:
    microphone, mfcc, smoothing = read(tmp_path, KWS).duty.steps
    assert (microphone.time_s.basis, microphone.time_s.source) == (Basis.MEASURED, "logic analyser")
    assert mfcc.time_s.basis is smoothing.time_s.basis is Basis.ANALYTIC
    assert smoothing.time_s.hi == pytest.approx(200e-6)


def test_cycles_are_timed_at_the_targets_clock(tmp_path: Path) -> None:
    scenario = read_scenario(written(tmp_path, KWS))
    for clock_hz in (160e6, 80e6):
        step = conditions_of(replace(BOARD, clock_hz=clock_hz), scenario).duty.steps[1]
        assert step.time_s.value == pytest.approx(2.4e6 / clock_hz)


def test_options_stand_above_the_file(tmp_path: Path) -> None:
    said = Said(("ram=1KiB",), "50 ms", "5%", "2 s", "1Ah@3.7V", "9uW")
    found = read(tmp_path, KWS, said)
    assert (found.deadline_s, found.tight_headroom, found.duty.period_s) == (0.05, 0.05, 2.0)
    assert [r.size_bytes for r in found.reservations] == [1024]
    assert found.duty.battery is not None and found.duty.battery.nominal_j == pytest.approx(13320)
    assert found.duty.sleep is not None and found.duty.sleep.power_w == pytest.approx(9e-6)
    assert len(found.duty.steps) == 3


def test_an_empty_file_states_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Conditions()


def test_all_faults_come_at_once_in_plain_words(tmp_path: Path) -> None:
    text = """
deadline = 50
period = "0 s"
[batery]
[battery]
capacity = "220 mAh"
[sleep]
current = "3"
[[step]]
name = "a"
when = "during"
time = "1 ms"
[[step]]
name = "b"
when = "pre"
[[step]]
name = "c,d"
when = "pre"
time = "1 ms"
energie = "2 mJ"
"""
    with pytest.raises(ScenarioFileInvalid) as refusal:
        read(tmp_path, text)
    faults = "\n".join(refusal.value.faults)
    for said in (
        "deadline: 50 is not a time: it has no unit", "period: must be greater than 0",
        "batery: unknown key; did you mean 'battery'?", "battery: capacity needs voltage",
        "sleep.current: '3' is not a current", "step[0].when: 'during' is not allowed; allowed: pre, post",
        "step[1]: give time or cycles", "step[2].name: a name has 1 to 40 characters",
        "step[2].energie: unknown key; did you mean 'energy'?",
    ):  # fmt: skip
        assert said in faults
    assert len(refusal.value.faults) == 9


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = [", "TOML syntax"),
        ("step = 3", "must be a list"),
        ('battery = "220mAh@3V"', "must be a table"),
        ('[[step]]\nname="a"\nwhen="pre"\ntime="2 ms"\n' * 2, "a is named twice"),
        ('[[step]]\nname="a"\nwhen="pre"\ntime="2 ms"\ntime_low="3 ms"', "time_low <= time <= time_high"),
        ('[[step]]\nname="a"\nwhen="pre"\ncycles=3\ntime_low="3 ms"', "need time"),
        ('[[step]]\nname="a"\nwhen="pre"\ncycles=3\ncore="sleep"', "counts no cycles"),
        ('[[step]]\nname="a"\nwhen="pre"\ncycles=-3', "it is negative"),
        ("headroom = nan", "no part of a whole"),
        ('headroom = "100%"', "must be less than 1"),
        ('period = "400 d"', "must be at most"),
        ('[[reserve]]\nname="a"\nmemory="ram"\nsize=-1', "it is negative"),
    ],
)
def test_a_slip_has_its_own_sentence(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ScenarioFileInvalid, match=says):
        read(tmp_path, text)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.toml", tmp_path):
        with pytest.raises(ScenarioFileInvalid, match="cannot be used"):
            read_scenario(path)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScenarioFileInvalid, match="not UTF-8"):
        read_scenario(binary)


@pytest.mark.parametrize(
    ("memory", "size", "says"), [("axi", "1 KiB", "no memory 'axi'"), ("ram", "1 GiB", "are reserved in")]
)
def test_a_reservation_is_held_against_the_device(tmp_path: Path, memory: str, size: str, says: str) -> None:
    text = f'[[reserve]]\nname = "camera"\nmemory = "{memory}"\nsize = "{size}"\n'
    with pytest.raises(BudgetInvalid, match=says) as refusal:
        read(tmp_path, text)
    assert refusal.value.where == "scenario: reserve"


@pytest.mark.parametrize("period", ["0s", "-1s", "1", "", "400d", "soon"])
def test_a_period_that_is_none_is_refused(period: str) -> None:
    with pytest.raises((BudgetInvalid, UnitInvalid)):
        conditions_of(BOARD, None, Said(period=period))


def test_the_deadline_leaves_the_inference_what_the_steps_do_not_take(tmp_path: Path) -> None:
    found = read(tmp_path, KWS)
    assert found.inference_deadline_s == pytest.approx(0.3 - 0.030 - 0.015 - 0.00012)
    assert replace(found, deadline_s=0.04).inference_deadline_s is None
    assert Conditions(deadline_s=0.3).inference_deadline_s == 0.3


def test_the_schema_accepts_what_is_read_and_refuses_slips() -> None:
    schema = jsonschema.Draft202012Validator(json.loads(render_schema("scenario")))
    good = tomllib.loads(KWS)
    schema.validate(good)
    schema.validate({**good, "headroom": 0.2, "battery": {"energy": "1 Wh", "usable": "85%"}})
    assert not schema.is_valid({**good, "deadline": 50})
    assert not schema.is_valid({**good, "batery": {}})


def test_the_scenario_of_the_readme_is_read(tmp_path: Path) -> None:
    readme = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
    blocks = [b.partition("```")[0] for b in readme.split("```toml\n")[1:]]
    (text,) = [block for block in blocks if "[sleep]" in block]
    found = read(tmp_path, text)
    assert [step.name for step in found.duty.steps] == ["microphone", "mfcc"]
    assert found.duty.period_s == 1.0 and found.duty.battery is not None and found.duty.sleep is not None
