"""The schemas that ship agree with the files that ship."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from preflash.reports.schema import SCHEMAS, render_schema

DEVICES = Path(__file__).resolve().parents[1] / "devices"
BOARDS = sorted((DEVICES / "boards").glob("*.toml"))
RUNTIMES = sorted((DEVICES / "runtimes").glob("*.toml"))


def _validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(render_schema(name)))


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_follows_its_dialect(name: str) -> None:
    schema = json.loads(render_schema(name))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["additionalProperties"] is False


def test_every_shipped_board_follows_the_device_schema() -> None:
    validator = _validator("device")
    faults = {
        path.stem: error.message
        for path in BOARDS
        for error in validator.iter_errors(tomllib.loads(path.read_text(encoding="utf-8")))
    }
    assert len(BOARDS) >= 40
    assert faults == {}


def test_a_board_with_a_slip_does_not() -> None:
    board = tomllib.loads(BOARDS[0].read_text(encoding="utf-8"))
    validator = _validator("device")
    assert validator.is_valid(board)
    assert not validator.is_valid({**board, "colour": "red"})
    assert not validator.is_valid({**board, "core": {**board["core"], "max_clock": 480}})
    assert not validator.is_valid({key: value for key, value in board.items() if key != "memory"})


def test_every_self_contained_runtime_follows_the_runtime_schema() -> None:
    validator = _validator("runtime")
    raw = [tomllib.loads(path.read_text(encoding="utf-8")) for path in RUNTIMES]
    own = [runtime for runtime in raw if not runtime.get("ops_like")]
    assert own
    for runtime in own:
        validator.validate(runtime)
