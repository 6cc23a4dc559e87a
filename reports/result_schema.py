"""What may stand in a JSON result: the JSON Schema (draft 2020-12) of `preflash/result/1`."""

from __future__ import annotations

from typing import Any

from .duty_data import DECLARED_SCHEMA

_Schema = dict[str, Any]

BASES = ["exact", "measured", "calibrated", "analytic", "datasheet", "unknown"]
WORDS = ["FITS", "TIGHT", "RISKY", "UNKNOWN", "NO"]
_TEXT: _Schema = {"type": "string"}
_FILLED: _Schema = {"type": "string", "minLength": 1}
_FLAG: _Schema = {"type": "boolean"}
_COUNT: _Schema = {"type": "integer", "minimum": 0}
_INDEX: _Schema = {"type": "integer", "minimum": -1}
_INTEGER: _Schema = {"type": "integer"}
_COUNT_OR_NULL: _Schema = {"type": ["integer", "null"], "minimum": 0}
_NUMBER_OR_NULL: _Schema = {"type": ["number", "null"]}
_RATE: _Schema = {"type": "number", "exclusiveMinimum": 0}
_RULE: _Schema = {"type": "string", "pattern": "^PF[0-9]{3}$"}
_TEXTS: _Schema = {"type": "array", "items": _TEXT}


def _object(**members: _Schema) -> _Schema:
    """An object with exactly these members."""
    return {
        "type": "object", "properties": members, "required": list(members), "additionalProperties": False,
    }  # fmt: skip


def _list(items: _Schema) -> _Schema:
    return {"type": "array", "items": items}


_FIGURE_MEMBERS: _Schema = {
    "value": _NUMBER_OR_NULL,
    "lo": _NUMBER_OR_NULL,
    "hi": _NUMBER_OR_NULL,
    "basis": {"enum": BASES},
    "source": _TEXT,
    "reason": _TEXT,
}
# A figure is null exactly when its basis is unknown, and then says why; else it has a source and bounds.
_NULL_AND_WHY: _Schema = {
    "if": {"properties": {"value": {"type": "null"}}},
    "then": {"properties": {"basis": {"const": "unknown"}, "reason": _FILLED}},
    "else": {
        "properties": {
            "basis": {"enum": [basis for basis in BASES if basis != "unknown"]},
            "source": _FILLED,
            "lo": {"type": "number"},
        }
    },
}
_FIGURE: _Schema = {"$ref": "#/$defs/figure"}
_RESERVATION: _Schema = {"$ref": "#/$defs/reservation"}

_DEFS: _Schema = {
    "figure": _object(**_FIGURE_MEMBERS) | _NULL_AND_WHY,
    "metric": _object(name=_FILLED, unit=_TEXT, **_FIGURE_MEMBERS) | _NULL_AND_WHY,
    "used": _object(kind=_FILLED, **_FIGURE_MEMBERS) | _NULL_AND_WHY,
    "reservation": _object(name=_TEXT, memory=_FILLED, size_bytes=_COUNT, source=_TEXT),
    "budget": _object(
        name=_FILLED, unit=_FILLED, need=_FIGURE, budget={"type": "number", "minimum": 0},
        word={"enum": WORDS}, headroom=_NUMBER_OR_NULL,
    ),
    "traffic": _object(memory=_FILLED, read_bytes=_COUNT, write_bytes=_COUNT, repeated_bytes=_COUNT),
    "side": _object(
        op_count=_COUNT, traffic_bytes=_COUNT, peak_bytes=_COUNT, memories=_list({"$ref": "#/$defs/traffic"})
    ),
    "memory": _object(
        name=_FILLED, role=_FILLED, capacity_bytes=_COUNT, budget_bytes=_COUNT, free_bytes=_NUMBER_OR_NULL,
        reserved=_list(_RESERVATION), used=_list({"$ref": "#/$defs/used"}), read_bytes=_COUNT,
        write_bytes=_COUNT, bandwidth_needed_bytes_per_s=_FIGURE, bandwidth_at_deadline_bytes_per_s=_FIGURE,
        bandwidth_offered_bytes_per_s=_FIGURE,
    ),
    "op": _object(
        index=_COUNT, kind=_FILLED, name=_TEXT, fused=_TEXTS, inputs=_TEXTS, outputs=_TEXTS,
        output_shape=_list(_INTEGER),
        kernel=_object(
            id=_TEXT, status={"enum": ["optimised", "reference", "unsupported", "unpriced"]}, note=_TEXT
        ),
        macs=_COUNT_OR_NULL, weight_bytes=_COUNT, traffic=_list({"$ref": "#/$defs/traffic"}), cycles=_FIGURE,
        latency_s=_FIGURE, energy_j=_FIGURE, bound=_FILLED, live_bytes=_COUNT_OR_NULL,
    ),
    "line": _object(
        name=_FILLED, when={"enum": ["pre", "inference", "post", "sleep"]},
        core={"enum": ["active", "sleep"]}, time_s=_FIGURE, energy_j=_FIGURE,
    ),
    "buffer": _object(
        name=_TEXT, kind={"enum": ["tensor", "scratch"]}, subgraph=_COUNT, tensor=_INDEX, op=_INDEX,
        size_bytes=_COUNT, offset_bytes=_COUNT, first=_INTEGER, last=_INTEGER,
    ),
    "plan": _object(
        planner=_FILLED, head_bytes=_COUNT, tail_bytes=_COUNT, used_bytes=_COUNT, min_bytes=_COUNT,
        temporary_bytes=_COUNT, decided_by=_FILLED, stages=_list(_object(stage=_FILLED, size_bytes=_COUNT)),
        lower_bound_bytes=_COUNT, peak_op=_INDEX, clock_of_op=_list(_INTEGER), live_bytes=_list(_COUNT),
        tail_items=_list(_object(kind=_FILLED, size_bytes=_COUNT)), buffers=_list({"$ref": "#/$defs/buffer"}),
        warnings=_TEXTS,
    ),
    "layout": _object(
        solver=_FILLED, extent_bytes=_COUNT, is_optimal=_FLAG, lower_bound_bytes=_COUNT, proof=_TEXT,
        offsets=_list(_COUNT),
    ),
    "rung": _object(
        budget_bytes=_COUNT,
        options=_list(_object(label=_FILLED, arena_bytes=_COUNT, cost=_TEXT, executed_by=_TEXT)),
    ),
    "finding": _object(
        rule=_RULE, severity={"enum": ["error", "warning", "info"]}, message=_FILLED, ops=_list(_COUNT),
        fix=_TEXT,
    ),
    "assumption": _object(text=_FILLED, value=_TEXT, source=_TEXT, confidence=_TEXT),
}  # fmt: skip

_INPUTS: _Schema = _object(
    model=_object(
        name=_TEXT, format={"const": "tflite"}, sha256={"type": "string", "pattern": "^([0-9a-f]{64})?$"},
        file_bytes=_COUNT, op_count=_COUNT, subgraph_count=_COUNT, macs=_COUNT_OR_NULL, weight_bytes=_COUNT,
        input_dtypes=_TEXTS,
    ),
    device=_object(
        name=_FILLED, title=_FILLED, core=_FILLED, clock_hz={"type": "number", "exclusiveMinimum": 0},
        supply=_TEXT, power_boundary={"enum": ["", "core", "mcu", "board"]},
    ),
    runtime=_object(name=_FILLED, title=_FILLED, kernel_library=_FILLED, is_default=_FLAG),
    conditions=_object(
        deadline_s=_NUMBER_OR_NULL, tight_headroom={"type": "number"}, reservations=_list(_RESERVATION),
        **DECLARED_SCHEMA,
    ),
)  # fmt: skip

_MEMBERS: _Schema = {
    "schema": {"const": "preflash/result/1"},
    "tool": _object(name={"const": "preflash"}, version=_FILLED),
    "created": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}(Z|[+]00:00)$"},
    "command": _TEXT,
    "inputs": _INPUTS,
    "verdict": _object(
        word={"enum": WORDS}, limiting=_TEXT, sentence=_FILLED, reasons=_list(_RULE),
        budgets=_list({"$ref": "#/$defs/budget"}),
    ),
    "metrics": _list({"$ref": "#/$defs/metric"}) | {"minItems": 19},
    "memories": _list({"$ref": "#/$defs/memory"}),
    "ops": _list({"$ref": "#/$defs/op"}),
    "period": _list({"$ref": "#/$defs/line"}),
    "plan": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/plan"}]},
    "optimum": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/layout"}]},
    "ladder": _list({"$ref": "#/$defs/rung"}),
    "fusion": _object(
        rules=_TEXTS, applied={"type": "object", "additionalProperties": _COUNT},
        before={"$ref": "#/$defs/side"}, after={"$ref": "#/$defs/side"},
    ),
    "traffic": _object(
        overlap=_FILLED, bytes_per_mac=_NUMBER_OR_NULL,
        memories=_list(
            _object(memory=_FILLED, read_bytes=_COUNT, write_bytes=_COUNT, repeated_bytes=_COUNT,
                    bytes_per_mac=_NUMBER_OR_NULL)
        ),
    ),
    "roofline": _object(
        reason=_TEXT, notes=_TEXTS,
        core={"anyOf": [{"type": "null"}, _object(op=_COUNT, macs_per_s=_RATE, macs_per_cycle=_RATE,
                                                  basis={"enum": BASES})]},
        memories=_list(_object(memory=_FILLED, bytes_per_s=_RATE, basis={"enum": BASES}, source=_FILLED)),
        points=_list(
            _object(op=_COUNT, memory=_FILLED, moved_bytes=_COUNT, macs_per_byte=_RATE, macs_per_s=_RATE,
                    lo=_RATE, hi=_RATE, basis={"enum": BASES})
        ),
    ),
    "findings": _list({"$ref": "#/$defs/finding"}),
    "assumptions": _list({"$ref": "#/$defs/assumption"}),
    "passed": _TEXTS,
    "timings_s": {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}},
}  # fmt: skip

RESULT_SCHEMA: _Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:preflash:result:1",
    "title": "preflash/result/1: the answer for one model on one target",
    **_object(**_MEMBERS),
    "required": [name for name in _MEMBERS if name != "created"],
    "$defs": _DEFS,
}
