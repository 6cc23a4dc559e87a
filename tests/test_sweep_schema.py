"""What a sweep writes as JSON follows the schema that ships."""

from __future__ import annotations

import json

import jsonschema
import pytest
from preflash.reports.sweep_report import render_sweep
from preflash.reports.sweep_schema import SWEEP_SCHEMA
from sweep_tables import EXAMPLES, table

VALIDATOR = jsonschema.Draft202012Validator(SWEEP_SCHEMA)


def test_the_schema_follows_its_dialect() -> None:
    jsonschema.Draft202012Validator.check_schema(SWEEP_SCHEMA)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_sweep_follows_it(name: str) -> None:
    VALIDATOR.validate(json.loads(render_sweep(EXAMPLES[name], "json")))


def test_a_large_sweep_follows_it() -> None:
    VALIDATOR.validate(json.loads(render_sweep(table(300, 100), "json")))


def test_what_is_not_a_sweep_does_not() -> None:
    document = json.loads(render_sweep(table(5, 2), "json"))
    assert not VALIDATOR.is_valid({**document, "colour": "red"})
    assert not VALIDATOR.is_valid({key: value for key, value in document.items() if key != "points"})


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "no point"])
def test_intervals_hold_their_values_after_rounding(name: str) -> None:
    def unpacked(column: object, count: int) -> list[float | None]:
        return column if isinstance(column, list) else [column["all"]] * count  # type: ignore[index]

    points = json.loads(render_sweep(EXAMPLES[name], "json"))["points"]
    for figure in points["figures"].values():
        if "lo" not in figure:
            continue
        columns = [unpacked(figure[end], points["count"]) for end in ("lo", "value", "hi")]
        for lo, value, hi in zip(*columns, strict=True):
            assert value is None or lo <= value <= hi
