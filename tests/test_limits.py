"""Limits of the user's own on RAM, flash and energy in all, beside what each memory has."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from preflash import cli
from preflash.devices.catalog import load_target
from preflash.errors import BudgetInvalid, ScenarioFileInvalid, UnitInvalid
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.zoo import build
from preflash.reports.data import to_data
from preflash.reports.explain import explain
from preflash.reports.html import render_html
from preflash.reports.result_schema import RESULT_SCHEMA
from preflash.reports.text import render_text
from preflash.simulator.conditions import parse_conditions
from preflash.simulator.estimate import Conditions, Estimate, Interval, Limit, Word, unknown
from preflash.simulator.interval import Basis
from preflash.simulator.scenario import Said, conditions_of, read_scenario
from preflash.simulator.simulate import simulate
from preflash.simulator.verdict import budget_rules, limit_budgets

BOARD = load_target("nucleo-l4r5zi")
KWS = build("kws01", dtype="int8")
Captured = pytest.CaptureFixture[str]
UNLIMITED = simulate(KWS, BOARD)


def limited(*limits: Limit) -> Estimate:
    return simulate(KWS, BOARD, Conditions(limits=limits))


def value_of(name: str) -> float:
    value = UNLIMITED.metric(name).value
    assert value is not None
    return value


def test_limits_are_read_with_their_units() -> None:
    found = parse_conditions(BOARD, limit=["ram=64KiB, energy=2mJ", "FLASH=300 KiB"]).limits
    assert found == (Limit("ram", 65536), Limit("energy", 0.002), Limit("flash", 307200))
    assert [limit.unit for limit in found] == ["B", "J", "B"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no limit"), ("ram", "no limit"), ("ram=", "no limit"), ("rom=1KiB", "no limit"),
        ("ram=1KiB,,flash=1KiB", "no limit"), ("ram=1KiB,ram=2KiB", "limited twice"),
        ("ram=0", "not above zero"), ("energy=0J", "not above zero"), ("sram=1KiB", "no limit"),
    ],
)  # fmt: skip
def test_a_limit_that_means_nothing_is_refused(text: str, says: str) -> None:
    with pytest.raises(BudgetInvalid, match=says) as refused:
        parse_conditions(BOARD, limit=text)
    assert "--limit" in str(refused.value) and "ram=64KiB" in refused.value.fix


@pytest.mark.parametrize("text", ["ram=2mJ", "energy=64KiB", "energy=nan J", "ram=many", "energy=-1mJ"])
def test_an_amount_in_another_unit_is_refused(text: str) -> None:
    with pytest.raises((UnitInvalid, BudgetInvalid)):
        parse_conditions(BOARD, limit=text)


@pytest.mark.parametrize(
    ("name", "metric"), [("ram", "ram_bytes"), ("flash", "flash_bytes"), ("energy", "energy_j")]
)
def test_a_limit_is_held_against_the_metric_of_its_name(name: str, metric: str) -> None:
    figure = UNLIMITED.metric(metric)
    assert figure.lo is not None and figure.hi is not None
    below, above = limited(Limit(name, figure.lo * 0.9)), limited(Limit(name, figure.hi * 1.5))  # type: ignore[arg-type]
    (check,) = (b for b in below.verdict.budgets if b.name == f"{name} limit")
    assert (check.need.value, check.need.lo, check.need.hi) == (figure.value, figure.lo, figure.hi)
    assert (below.verdict.word, below.verdict.limiting) == (Word.NO, f"{name} limit")
    assert above.verdict.word is UNLIMITED.verdict.word
    assert set(below.verdict.reasons) & {"PF201", "PF301", "PF803"}


def test_what_each_memory_has_is_judged_as_before() -> None:
    budgets = limited(Limit("ram", 1e6), Limit("energy", 1.0)).verdict.budgets
    assert budgets[: len(UNLIMITED.verdict.budgets)] == UNLIMITED.verdict.budgets
    assert [b.name for b in budgets[len(UNLIMITED.verdict.budgets) :]] == ["ram limit", "energy limit"]


@pytest.mark.parametrize(
    ("need", "word", "rule"),
    [
        (Interval(0.5, 0.5, 0.5, Basis.ANALYTIC, "t"), Word.FITS, ()),
        (Interval(0.95, 0.95, 0.95, Basis.ANALYTIC, "t"), Word.TIGHT, ("PF804",)),
        (Interval(0.8, 0.7, 1.1, Basis.ANALYTIC, "t"), Word.RISKY, ("PF804",)),
        (Interval(1.2, 1.1, 1.3, Basis.ANALYTIC, "t"), Word.NO, ("PF803",)),
        (unknown("no power figure"), Word.UNKNOWN, ("PF805",)),
    ],
)
def test_energy_has_rules_of_its_own(need: Interval, word: Word, rule: tuple[str, ...]) -> None:
    given = Conditions(limits=(Limit("energy", 1.0),))
    (check,) = limit_budgets({"energy": need}, given)
    assert check.word is word and budget_rules(check) == rule
    assert all(explain(one) for one in rule)


def test_a_board_without_power_cannot_keep_a_limit_of_energy() -> None:
    found = simulate(KWS, load_target("arduino-portenta-h7"), Conditions(limits=(Limit("energy", 1.0),)))
    assert (found.verdict.word, found.verdict.limiting) == (Word.UNKNOWN, "energy limit")
    assert "PF805" in [finding.rule for finding in found.findings]


def test_every_report_shows_the_limits() -> None:
    found = limited(Limit("ram", 16384), Limit("flash", 1 << 20), Limit("energy", 1.0))
    text, page = render_text(found, color=False), render_html(found)
    for label in ("RAM limit", "flash limit", "energy limit"):
        assert label in text and label in page
    document = to_data(found)
    jsonschema.Draft202012Validator(RESULT_SCHEMA).validate(document)
    assert document["inputs"]["conditions"]["limits"][0] == {"name": "ram", "value": 16384, "unit": "B"}
    assert document["verdict"]["sentence"].startswith("RAM limit")


def test_a_scenario_states_limits_and_options_stand_above_it(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('[limits]\nram = "64 KiB"\nenergy = "2 mJ"\n')
    file = read_scenario(path)
    assert conditions_of(BOARD, file).limits == (Limit("ram", 65536), Limit("energy", 0.002))
    said = conditions_of(BOARD, file, Said(limit=("ram=32KiB", "flash=1MiB"))).limits
    assert {(limit.name, limit.value) for limit in said} == {
        ("ram", 32768), ("energy", 0.002), ("flash", 1 << 20),
    }  # fmt: skip


@pytest.mark.parametrize("line", ['ram = "0"', 'energy = "64 KiB"', 'rom = "64 KiB"', "energy = 2"])
def test_a_slip_in_the_scenario_is_a_fault(tmp_path: Path, line: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(f"[limits]\n{line}\n")
    with pytest.raises(ScenarioFileInvalid):
        read_scenario(path)


def test_the_command_line_takes_limits(tmp_path: Path, capsys: Captured) -> None:
    model = tmp_path / "kws.tflite"
    model.write_bytes(write_tflite(KWS))
    words = ["check", str(model), "-d", "nucleo-l4r5zi", "-f", "json"]
    assert cli.run([*words, "--limit", "ram=64KiB", "--limit", "energy=1J,flash=1MiB"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert "--limit ram=64KiB --limit energy=1J,flash=1MiB" in document["command"]
    assert cli.run([*words, "--limit", "ram=1KiB"]) == 1
    assert cli.run([*words, "--limit", "ram"]) == 3
