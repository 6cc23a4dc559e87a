"""What may stand in a JSON study of fragility: the JSON Schema (draft 2020-12) of `preflash/fragility/1`."""

from __future__ import annotations

from typing import Any

SCHEMA_ID = "preflash/fragility/1"

_Schema = dict[str, Any]
_TEXT: _Schema = {"type": "string"}
_FILLED: _Schema = {"type": "string", "minLength": 1}
_FLAG: _Schema = {"type": "boolean"}
_NUMBER_OR_NULL: _Schema = {"type": ["number", "null"]}
_FACTOR: _Schema = {"type": "number", "exclusiveMinimum": 0}
_WORD: _Schema = {"enum": ["FITS", "TIGHT", "RISKY", "UNKNOWN", "NO"]}
_BASIS: _Schema = {"enum": ["exact", "measured", "calibrated", "analytic", "datasheet", "unknown"]}
_CONFIDENCE: _Schema = {
    "enum": [
        "exact", "measured", "primary", "datasheet", "calibrated", "secondary", "analytic", "estimate",
        "assumed", "given",
    ]
}  # fmt: skip


def _object(**members: _Schema) -> _Schema:
    return {
        "type": "object", "properties": members, "required": list(members), "additionalProperties": False,
    }  # fmt: skip


def _list(items: _Schema) -> _Schema:
    return {"type": "array", "items": items}


_FIGURE = _object(
    value=_NUMBER_OR_NULL, unit=_FILLED, lo=_NUMBER_OR_NULL, hi=_NUMBER_OR_NULL, basis=_BASIS, reason=_TEXT
)
_BUDGET = _object(
    name=_FILLED, need=_NUMBER_OR_NULL, budget={"type": "number", "minimum": 0}, unit=_FILLED, word=_WORD
)
_END: _Schema = {"$ref": "#/$defs/end"}
_TURN: _Schema = {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/turn"}]}
_NAMES = ("latency_s", "energy_j", "ram_bytes", "flash_bytes", "slack_s", "battery_days")

FRAGILITY_SCHEMA: _Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:preflash:fragility:1",
    "title": "preflash/fragility/1: how much the verdict hangs on each assumption",
    **_object(
        schema={"const": SCHEMA_ID},
        tool=_object(name={"const": "preflash"}, version=_FILLED),
        created=_TEXT,
        command=_TEXT,
        model=_object(name=_TEXT, sha256={"type": "string", "pattern": "^([0-9a-f]{64})?$"},
                      op_count={"type": "integer", "minimum": 0}),
        target=_object(device=_FILLED, runtime=_FILLED, clock_hz=_FACTOR),
        by={"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        base=_END,
        assumptions=_list(
            _object(
                name=_FILLED, value=_NUMBER_OR_NULL, unit=_TEXT, confidence=_CONFIDENCE, source=_TEXT,
                note=_TEXT, turns_verdict=_FLAG, measure_first=_FLAG,
                effect={"type": "number", "minimum": 0}, low=_END, high=_END, below=_TURN, above=_TURN,
            )
        ),
        not_varied=_list(_object(name=_FILLED, reason=_FILLED)),
    ),
    "$defs": {
        "end": _object(
            factor=_FACTOR, verdict=_WORD, limiting=_TEXT, budgets=_list(_BUDGET),
            figures=_object(**dict.fromkeys(_NAMES, _FIGURE)),
        ),
        "turn": _object(within=_FACTOR, beyond=_FACTOR, verdict=_WORD, limiting=_TEXT),
    },
}  # fmt: skip
