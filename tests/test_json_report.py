"""The JSON result: valid by its own schema, strict, deterministic, and safe inside a page."""

from __future__ import annotations

import copy
import doctest
import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from estimates import estimate, metrics, refused, unpriced
from preflash.reports import data
from preflash.reports.data import render_json, to_data
from preflash.reports.result_schema import RESULT_SCHEMA
from preflash.simulator.estimate import Basis, Interval, Word

VALIDATOR = jsonschema.Draft202012Validator(RESULT_SCHEMA)
EXAMPLES = {
    **{word.value: estimate(word) for word in Word},
    "no deadline": estimate(deadline_s=None),
    "unpriced op": unpriced(),
    "refused": refused(),
}
METRICS = (
    "arena_head_bytes", "arena_tail_bytes", "arena_used_bytes", "arena_min_bytes", "ram_bytes", "flash_bytes",
    "latency_s", "energy_j", "macs", "traffic_bytes", "bandwidth_bytes_per_s", "response_s",
    "slack_s", "cpu_load", "sleep_power_w", "period_energy_j", "average_power_w", "battery_days",
    "crossover_period_s",
)  # fmt: skip


def _strict(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(RESULT_SCHEMA)


def test_examples_in_docstrings_hold() -> None:
    assert doctest.testmod(data).failed == 0


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_result_validates(name: str) -> None:
    document = _strict(
        render_json(EXAMPLES[name], command="preflash check x", created="2026-01-02T03:04:05Z")
    )
    VALIDATOR.validate(document)
    assert document == to_data(EXAMPLES[name], command="preflash check x", created="2026-01-02T03:04:05Z")


def _dropped(key: str) -> Any:
    return lambda d: d.pop(key)


def _null_without_reason(d: dict[str, Any]) -> None:
    d["metrics"][7]["reason"] = ""


def _figure_of_unknown_basis(d: dict[str, Any]) -> None:
    d["metrics"][0]["basis"] = "unknown"


def _figure_without_source(d: dict[str, Any]) -> None:
    d["ops"][0]["cycles"]["source"] = ""


def _fraction_of_a_byte(d: dict[str, Any]) -> None:
    d["plan"]["head_bytes"] = 1.5


def _new_key(d: dict[str, Any]) -> None:
    d["ops"][0]["colour"] = "red"


def _text_for_a_number(d: dict[str, Any]) -> None:
    d["metrics"][0]["value"] = "4608"


def _bad_word(d: dict[str, Any]) -> None:
    d["verdict"]["word"] = "MAYBE"


def _bad_rule(d: dict[str, Any]) -> None:
    d["findings"][0]["rule"] = "203"


MUTATIONS = {
    **{f"without {key}": _dropped(key) for key in RESULT_SCHEMA["required"]},
    **{
        f.__name__.strip("_").replace("_", " "): f
        for f in (_null_without_reason, _figure_of_unknown_basis, _figure_without_source, _fraction_of_a_byte,
                  _new_key, _text_for_a_number, _bad_word, _bad_rule)
    },
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_schema_refuses_a_result(name: str) -> None:
    document = copy.deepcopy(to_data(estimate()))
    VALIDATOR.validate(document)
    MUTATIONS[name](document)
    assert not VALIDATOR.is_valid(document)


def test_metrics_keep_the_names_and_order_that_scripts_rely_on() -> None:
    names = [m["name"] for m in to_data(estimate())["metrics"]]
    assert tuple(n for n in names if "." not in n) == METRICS


def test_equal_estimates_give_equal_bytes() -> None:
    assert render_json(estimate(), command="c") == render_json(estimate(), command="c")
    assert "created" not in to_data(estimate())


def test_whole_figures_are_integers_and_seconds_are_not() -> None:
    figures = {m["name"]: m["value"] for m in to_data(estimate())["metrics"]}
    assert isinstance(figures["ram_bytes"], int)
    assert isinstance(figures["latency_s"], float)


def test_a_figure_without_a_finite_value_is_null_with_a_reason() -> None:
    endless = Interval(float("inf"), 1.0, float("inf"), Basis.ANALYTIC, "a division")
    document = _strict(render_json(replace(estimate(), metrics=metrics(latency_s=endless))))
    latency = next(m for m in document["metrics"] if m["name"] == "latency_s")
    assert (latency["value"], latency["lo"], latency["hi"], latency["basis"]) == (None, 1, None, "unknown")
    assert latency["reason"]
    VALIDATOR.validate(document)


HOSTILE = "</script><img src=x onerror=alert(1)>\x1b[2J\ud800\u202e"


def test_a_hostile_name_stays_text() -> None:
    text = render_json(estimate(name=HOSTILE, op_names=(HOSTILE,)))
    assert not set("<>&\x1b\u202e") & set(text)
    assert text.isascii()
    name = _strict(text)["ops"][0]["name"]
    assert name.startswith("</script><img src=x onerror=alert(1)>\\x1b[2J")
    name.encode("utf-8")


def test_a_row_of_a_table_is_one_line() -> None:
    lines = render_json(estimate(op_count=50)).splitlines()
    assert sum('"kernel":' in line for line in lines) == 50
