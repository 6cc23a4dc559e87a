"""What may stand in a JSON study of fragility: the JSON Schema (draft 2020-12) of `preflash/fragility/1`."""

from __future__ import annotations

from .schema_words import FILLED, FLAG, NUMBER_OR_NULL, TEXT, Schema, list_of, object_of

SCHEMA_ID = "preflash/fragility/1"

_FACTOR: Schema = {"type": "number", "exclusiveMinimum": 0}
_WORD: Schema = {"enum": ["FITS", "TIGHT", "RISKY", "UNKNOWN", "NO"]}
_BASIS: Schema = {"enum": ["exact", "measured", "calibrated", "analytic", "datasheet", "unknown"]}
_CONFIDENCE: Schema = {
    "enum": [
        "exact", "measured", "primary", "datasheet", "calibrated", "secondary", "analytic", "estimate",
        "assumed", "given",
    ]
}  # fmt: skip


_FIGURE = object_of(
    value=NUMBER_OR_NULL, unit=FILLED, lo=NUMBER_OR_NULL, hi=NUMBER_OR_NULL, basis=_BASIS, reason=TEXT
)
_BUDGET = object_of(
    name=FILLED, need=NUMBER_OR_NULL, budget={"type": "number", "minimum": 0}, unit=FILLED, word=_WORD
)
_END: Schema = {"$ref": "#/$defs/end"}
_TURN: Schema = {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/turn"}]}
_NAMES = ("latency_s", "energy_j", "ram_bytes", "flash_bytes", "slack_s", "battery_days")

FRAGILITY_SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:preflash:fragility:1",
    "title": "preflash/fragility/1: how much the verdict hangs on each assumption",
    **object_of(
        schema={"const": SCHEMA_ID},
        tool=object_of(name={"const": "preflash"}, version=FILLED),
        created=TEXT,
        command=TEXT,
        model=object_of(name=TEXT, sha256={"type": "string", "pattern": "^([0-9a-f]{64})?$"},
                      op_count={"type": "integer", "minimum": 0}),
        target=object_of(device=FILLED, runtime=FILLED, clock_hz=_FACTOR),
        by={"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        base=_END,
        assumptions=list_of(
            object_of(
                name=FILLED, value=NUMBER_OR_NULL, unit=TEXT, confidence=_CONFIDENCE, source=TEXT,
                note=TEXT, turns_verdict=FLAG, measure_first=FLAG,
                effect={"type": "number", "minimum": 0}, low=_END, high=_END, below=_TURN, above=_TURN,
            )
        ),
        not_varied=list_of(object_of(name=FILLED, reason=FILLED)),
    ),
    "$defs": {
        "end": object_of(
            factor=_FACTOR, verdict=_WORD, limiting=TEXT, budgets=list_of(_BUDGET),
            figures=object_of(**dict.fromkeys(_NAMES, _FIGURE)),
        ),
        "turn": object_of(within=_FACTOR, beyond=_FACTOR, verdict=_WORD, limiting=TEXT),
    },
}  # fmt: skip
