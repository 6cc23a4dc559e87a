"""Deadline, period and battery in every report: figures with intervals, steps as lines of their own."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from preflash import cli
from preflash.cli.situation import Situation
from preflash.devices.catalog import load_target
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.zoo import build
from preflash.reports.data import to_data
from preflash.reports.duty_block import TITLE
from preflash.reports.explain import explain
from preflash.reports.html import render_html
from preflash.reports.result_schema import RESULT_SCHEMA
from preflash.reports.sections import asked_metrics, gauges
from preflash.reports.text import render_text
from preflash.simulator.estimate import Estimate
from preflash.simulator.scenario import Said, conditions_of, read_scenario
from preflash.simulator.simulate import simulate

HOSTILE = "</script>\\u001b[2J"
SCENARIO = f"""\
deadline = "300 ms"
period = "1 s"
[battery]
capacity = "220 mAh"
voltage = "3 V"
[sleep]
current = "3 uA"
supply = "3 V"
state = "{HOSTILE}"
[[step]]
name = "mfcc"
when = "pre"
cycles = 1000000
[[step]]
name = "{HOSTILE}"
when = "post"
time = "2 ms"
source = "{HOSTILE}"
"""
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("scenario")
    (found / "kws.toml").write_text(SCENARIO, encoding="utf-8")
    (found / "kws.tflite").write_bytes(write_tflite(build("kws01", dtype="int8")))
    return found


@pytest.fixture(scope="module")
def answer(folder: Path) -> Estimate:
    target = load_target("nucleo-u575zi")
    conditions = conditions_of(target, read_scenario(folder / "kws.toml"))
    return simulate(build("kws01", dtype="int8"), target, conditions)


def test_latency_stays_the_inference_alone_and_the_whole_is_a_figure_of_its_own(answer: Estimate) -> None:
    latency, response = answer.metric("latency_s").value, answer.metric("response_s").value
    assert latency is not None
    assert response == pytest.approx(latency + 1e6 / 160e6 + 0.002)
    (budget,) = [b for b in answer.verdict.budgets if b.name == "latency"]
    assert budget.need.value == response


def test_the_first_figures_name_every_step_slack_load_and_life(answer: Estimate) -> None:
    labels = [gauge.label for gauge in gauges(answer)]
    assert labels[2:5] == ["latency", "+ mfcc", labels[4]]
    assert labels[5:] == ["in all", "slack", "period", "CPU load", "energy (MCU)", "average", "battery"]
    assert all(gauge.spread for gauge in gauges(answer)[5:])


def test_the_json_follows_its_schema_and_carries_the_lines(answer: Estimate) -> None:
    document = json.loads(json.dumps(to_data(answer)))
    jsonschema.Draft202012Validator(RESULT_SCHEMA).validate(document)
    assert [line["when"] for line in document["period"]] == ["pre", "inference", "post", "sleep"]
    assert document["inputs"]["conditions"]["battery"]["charge_c"] == 792
    assert document["inputs"]["conditions"]["period_s"] == 1
    assert "\x1b" not in json.dumps(document, ensure_ascii=False)


def test_no_line_of_the_text_is_wider_than_a_terminal(answer: Estimate) -> None:
    text = render_text(answer, color=False)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_page_shows_the_period_and_stays_text(answer: Estimate) -> None:
    page = render_html(answer)
    assert TITLE in page and "mfcc, before" in page and "Sleep takes as much as everything else" in page
    assert page.count("</script>") == 3  # theme, result, script
    assert "no budget was given" in page  # of the energy alone
    assert page.count("no budget was given") == 1


def test_who_gives_no_period_sees_none_of_its_figures() -> None:
    plain = simulate(build("kws01", dtype="int8"), load_target("nucleo-u575zi"))
    assert plain.cycle is None
    assert TITLE not in render_html(plain)
    assert "battery_days" not in {metric.name for metric in asked_metrics(plain)}
    assert plain.metric("battery_days").reason == "no battery was given"
    assert to_data(plain)["period"] == []


def test_the_command_line_says_the_same_again() -> None:
    said = Situation(
        "nucleo-u575zi",
        deadline="50ms",
        period="1s",
        battery="220mAh@3V",
        sleep="3uA@3V",
        scenario="kws.toml",
    )
    words = " ".join(said.words())
    for word in (
        "--deadline 50ms",
        "--period 1s",
        "--battery 220mAh@3V",
        "--sleep 3uA@3V",
        "--scenario kws.toml",
    ):
        assert word in words


def test_options_and_file_reach_the_report(folder: Path, capsys: Captured) -> None:
    model, scenario = str(folder / "kws.tflite"), str(folder / "kws.toml")
    words = ["check", model, "-d", "nucleo-u575zi", "--scenario", scenario]
    assert cli.run([*words, "--period", "2 s", "-f", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["inputs"]["conditions"]["period_s"] == 2
    assert document["command"].endswith(f"--scenario {scenario} --period '2 s'")
    assert cli.run([*words, "--period", "10 ms"]) == 1
    assert "PF406" in capsys.readouterr().out
    assert cli.run(["plan", model, "-d", "nucleo-u575zi", "--scenario", scenario, "--solver", "best"]) == 0
    assert "--scenario" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [("--battery", "220mAh"), ("--period", "1"), ("--sleep", "3"), ("--scenario", "/nowhere.toml")],
)
def test_a_slip_is_one_line_and_bad_input(folder: Path, capsys: Captured, words: tuple[str, str]) -> None:
    assert cli.run(["check", str(folder / "kws.tflite"), "-d", "nucleo-u575zi", *words]) == 3
    error = capsys.readouterr().err
    assert error.startswith("preflash: error: ") and error.count("\n") == 1


def test_a_battery_without_a_period_has_no_life(folder: Path) -> None:
    target = load_target("nucleo-u575zi")
    found = simulate(build("kws01", dtype="int8"), target, conditions_of(target, None, Said(battery="1Wh")))
    assert "no period was given" in found.metric("battery_days").reason
    assert gauges(found)[-1].label == "battery"


@pytest.mark.parametrize(
    "name", ["response_s", "slack_s", "cpu_load", "battery_days", "PF405", "PF811", "pf812"]
)
def test_every_new_figure_and_rule_is_explained(name: str) -> None:
    assert len(explain(name)) > 80
