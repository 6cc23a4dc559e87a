"""What may stand in a JSON result: the JSON Schema (draft 2020-12) of `preflash/result/1`."""

from __future__ import annotations

from .duty_data import DECLARED_SCHEMA
from .schema_words import (
    COUNT,
    COUNT_OR_NULL,
    FILLED,
    FLAG,
    NUMBER_OR_NULL,
    TEXT,
    Schema,
    list_of,
    object_of,
)

BASES = ["exact", "measured", "calibrated", "analytic", "datasheet", "unknown"]
WORDS = ["FITS", "TIGHT", "RISKY", "UNKNOWN", "NO"]
_INDEX: Schema = {"type": "integer", "minimum": -1}
_INTEGER: Schema = {"type": "integer"}
_RATE: Schema = {"type": "number", "exclusiveMinimum": 0}
_RULE: Schema = {"type": "string", "pattern": "^PF[0-9]{3}$"}
_TEXTS: Schema = {"type": "array", "items": TEXT}


_FIGURE_MEMBERS: Schema = {
    "value": NUMBER_OR_NULL,
    "lo": NUMBER_OR_NULL,
    "hi": NUMBER_OR_NULL,
    "basis": {"enum": BASES},
    "source": TEXT,
    "reason": TEXT,
}
# A figure is null exactly when its basis is unknown, and then says why; else it has a source and bounds.
_NULL_AND_WHY: Schema = {
    "if": {"properties": {"value": {"type": "null"}}},
    "then": {"properties": {"basis": {"const": "unknown"}, "reason": FILLED}},
    "else": {
        "properties": {
            "basis": {"enum": [basis for basis in BASES if basis != "unknown"]},
            "source": FILLED,
            "lo": {"type": "number"},
        }
    },
}
_FIGURE: Schema = {"$ref": "#/$defs/figure"}
_RESERVATION: Schema = {"$ref": "#/$defs/reservation"}

_DEFS: Schema = {
    "figure": object_of(**_FIGURE_MEMBERS) | _NULL_AND_WHY,
    "metric": object_of(name=FILLED, unit=TEXT, **_FIGURE_MEMBERS) | _NULL_AND_WHY,
    "used": object_of(kind=FILLED, **_FIGURE_MEMBERS) | _NULL_AND_WHY,
    "reservation": object_of(name=TEXT, memory=FILLED, size_bytes=COUNT, source=TEXT),
    "budget": object_of(
        name=FILLED, unit=FILLED, need=_FIGURE, budget={"type": "number", "minimum": 0},
        word={"enum": WORDS}, headroom=NUMBER_OR_NULL,
    ),
    "traffic": object_of(memory=FILLED, read_bytes=COUNT, write_bytes=COUNT, repeated_bytes=COUNT),
    "side": object_of(
        op_count=COUNT, traffic_bytes=COUNT, peak_bytes=COUNT, memories=list_of({"$ref": "#/$defs/traffic"})
    ),
    "memory": object_of(
        name=FILLED, role=FILLED, capacity_bytes=COUNT, budget_bytes=COUNT, free_bytes=NUMBER_OR_NULL,
        reserved=list_of(_RESERVATION), used=list_of({"$ref": "#/$defs/used"}), read_bytes=COUNT,
        write_bytes=COUNT, bandwidth_needed_bytes_per_s=_FIGURE, bandwidth_at_deadline_bytes_per_s=_FIGURE,
        bandwidth_offered_bytes_per_s=_FIGURE,
    ),
    "op": object_of(
        index=COUNT, kind=FILLED, name=TEXT, fused=_TEXTS, inputs=_TEXTS, outputs=_TEXTS,
        output_shape=list_of(_INTEGER),
        kernel=object_of(
            id=TEXT, status={"enum": ["optimised", "reference", "unsupported", "unpriced"]}, note=TEXT
        ),
        macs=COUNT_OR_NULL, weight_bytes=COUNT, traffic=list_of({"$ref": "#/$defs/traffic"}), cycles=_FIGURE,
        latency_s=_FIGURE, energy_j=_FIGURE, bound=FILLED, live_bytes=COUNT_OR_NULL,
    ),
    "line": object_of(
        name=FILLED, when={"enum": ["pre", "inference", "post", "sleep"]},
        core={"enum": ["active", "sleep"]}, time_s=_FIGURE, energy_j=_FIGURE,
    ),
    "buffer": object_of(
        name=TEXT, kind={"enum": ["tensor", "scratch"]}, subgraph=COUNT, tensor=_INDEX, op=_INDEX,
        size_bytes=COUNT, offset_bytes=COUNT, first=_INTEGER, last=_INTEGER,
    ),
    "plan": object_of(
        planner=FILLED, head_bytes=COUNT, tail_bytes=COUNT, used_bytes=COUNT, min_bytes=COUNT,
        temporary_bytes=COUNT, decided_by=FILLED, stages=list_of(object_of(stage=FILLED, size_bytes=COUNT)),
        lower_bound_bytes=COUNT, peak_op=_INDEX, clock_of_op=list_of(_INTEGER), live_bytes=list_of(COUNT),
        tail_items=list_of(object_of(kind=FILLED, size_bytes=COUNT)),
        buffers=list_of({"$ref": "#/$defs/buffer"}), warnings=_TEXTS,
    ),
    "layout": object_of(
        solver=FILLED, extent_bytes=COUNT, is_optimal=FLAG, lower_bound_bytes=COUNT, proof=TEXT,
        offsets=list_of(COUNT),
    ),
    "rung": object_of(
        budget_bytes=COUNT,
        options=list_of(object_of(label=FILLED, arena_bytes=COUNT, cost=TEXT, executed_by=TEXT)),
    ),
    "finding": object_of(
        rule=_RULE, severity={"enum": ["error", "warning", "info"]}, message=FILLED, ops=list_of(COUNT),
        fix=TEXT,
    ),
    "assumption": object_of(text=FILLED, value=TEXT, source=TEXT, confidence=TEXT),
}  # fmt: skip

_INPUTS: Schema = object_of(
    model=object_of(
        name=TEXT, format={"const": "tflite"}, sha256={"type": "string", "pattern": "^([0-9a-f]{64})?$"},
        file_bytes=COUNT, op_count=COUNT, subgraph_count=COUNT, macs=COUNT_OR_NULL, weight_bytes=COUNT,
        input_dtypes=_TEXTS,
    ),
    device=object_of(
        name=FILLED, title=FILLED, core=FILLED, clock_hz={"type": "number", "exclusiveMinimum": 0},
        supply=TEXT, power_boundary={"enum": ["", "core", "mcu", "board"]},
    ),
    runtime=object_of(name=FILLED, title=FILLED, kernel_library=FILLED, is_default=FLAG),
    conditions=object_of(
        deadline_s=NUMBER_OR_NULL, tight_headroom={"type": "number"}, reservations=list_of(_RESERVATION),
        **DECLARED_SCHEMA,
    ),
)  # fmt: skip

_MEMBERS: Schema = {
    "schema": {"const": "preflash/result/1"},
    "tool": object_of(name={"const": "preflash"}, version=FILLED),
    "created": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}(Z|[+]00:00)$"},
    "command": TEXT,
    "inputs": _INPUTS,
    "verdict": object_of(
        word={"enum": WORDS}, limiting=TEXT, sentence=FILLED, reasons=list_of(_RULE),
        budgets=list_of({"$ref": "#/$defs/budget"}),
    ),
    "metrics": list_of({"$ref": "#/$defs/metric"}) | {"minItems": 19},
    "memories": list_of({"$ref": "#/$defs/memory"}),
    "ops": list_of({"$ref": "#/$defs/op"}),
    "period": list_of({"$ref": "#/$defs/line"}),
    "plan": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/plan"}]},
    "optimum": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/layout"}]},
    "ladder": list_of({"$ref": "#/$defs/rung"}),
    "fusion": object_of(
        rules=_TEXTS, applied={"type": "object", "additionalProperties": COUNT},
        before={"$ref": "#/$defs/side"}, after={"$ref": "#/$defs/side"},
    ),
    "traffic": object_of(
        overlap=FILLED, bytes_per_mac=NUMBER_OR_NULL,
        memories=list_of(
            object_of(memory=FILLED, read_bytes=COUNT, write_bytes=COUNT, repeated_bytes=COUNT,
                    bytes_per_mac=NUMBER_OR_NULL)
        ),
    ),
    "roofline": object_of(
        reason=TEXT, notes=_TEXTS,
        core={"anyOf": [{"type": "null"}, object_of(op=COUNT, macs_per_s=_RATE, macs_per_cycle=_RATE,
                                                  basis={"enum": BASES})]},
        memories=list_of(object_of(memory=FILLED, bytes_per_s=_RATE, basis={"enum": BASES}, source=FILLED)),
        points=list_of(
            object_of(op=COUNT, memory=FILLED, moved_bytes=COUNT, macs_per_byte=_RATE, macs_per_s=_RATE,
                    lo=_RATE, hi=_RATE, basis={"enum": BASES})
        ),
    ),
    "findings": list_of({"$ref": "#/$defs/finding"}),
    "assumptions": list_of({"$ref": "#/$defs/assumption"}),
    "passed": _TEXTS,
    "timings_s": {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}},
}  # fmt: skip

RESULT_SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:preflash:result:1",
    "title": "preflash/result/1: the answer for one model on one target",
    **object_of(**_MEMBERS),
    "required": [name for name in _MEMBERS if name != "created"],
    "$defs": _DEFS,
}
