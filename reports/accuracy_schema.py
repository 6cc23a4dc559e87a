"""What may stand in a JSON report on accuracy: the JSON Schema (draft 2020-12) of `preflash/accuracy/1`."""

from __future__ import annotations

from typing import Any

SCHEMA_ID = "preflash/accuracy/1"

_Schema = dict[str, Any]
_TEXT: _Schema = {"type": "string"}
_FILLED: _Schema = {"type": "string", "minLength": 1}
_COUNT: _Schema = {"type": "integer", "minimum": 0}
_COUNT_OR_NULL: _Schema = {"type": ["integer", "null"], "minimum": 0}
_NUMBER: _Schema = {"type": "number"}
_NUMBER_OR_NULL: _Schema = {"type": ["number", "null"]}
_SHARE: _Schema = {"type": "number", "minimum": 0, "maximum": 1}
# decibels; null where both are equal to the bit
_RATIO: _Schema = _NUMBER_OR_NULL


def _object(**members: _Schema) -> _Schema:
    return {
        "type": "object", "properties": members, "required": list(members), "additionalProperties": False,
    }  # fmt: skip


def _list(items: _Schema) -> _Schema:
    return {"type": "array", "items": items}


def _or_null(what: _Schema) -> _Schema:
    return {"anyOf": [{"type": "null"}, what]}


_MODEL = _object(name=_TEXT, sha256={"type": "string", "pattern": "^[0-9a-f]{64}$"}, file_bytes=_COUNT)
_FIGURE = _object(
    metric=_FILLED, value=_NUMBER, lo=_NUMBER_OR_NULL, hi=_NUMBER_OR_NULL, confidence=_SHARE, n=_COUNT,
    method=_FILLED, is_higher_better={"type": "boolean"},
)  # fmt: skip
_TENSOR = _object(
    op=_COUNT, kind=_FILLED, name=_TEXT, baseline_name=_TEXT, sqnr_db=_RATIO, largest_error=_NUMBER
)
ACCURACY_SCHEMA: _Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:preflash:accuracy:1",
    "title": "preflash/accuracy/1: one model on labelled samples, or beside a baseline",
    **_object(
        schema={"const": SCHEMA_ID},
        tool=_object(name={"const": "preflash"}, version=_FILLED),
        created=_TEXT,
        command=_TEXT,
        model=_MODEL,
        data=_object(name=_TEXT, samples=_COUNT, has_labels={"type": "boolean"}),
        kernels=_object(
            name=_FILLED, package=_FILLED, runtime=_TEXT,
            basis={"enum": ["measured", "analytic"]}, why=_FILLED,
        ),
        accuracy=_or_null(_FIGURE),
        bound=_or_null(_object(value=_NUMBER, is_kept={"type": "boolean"})),
        baseline=_or_null(_object(model=_MODEL, accuracy=_or_null(_FIGURE))),
        difference=_or_null(
            _object(value=_NUMBER, lo=_NUMBER_OR_NULL, hi=_NUMBER_OR_NULL, p=_SHARE, n=_COUNT,
                    is_significant={"type": "boolean"}, gained=_COUNT_OR_NULL, lost=_COUNT_OR_NULL,
                    method=_FILLED)
        ),
        agreement=_or_null(
            _object(value=_SHARE, lo=_SHARE, hi=_SHARE, n=_COUNT, output_sqnr_db=_list(_RATIO))
        ),
        divergence=_or_null(
            _object(samples=_COUNT, kernels=_FILLED, below_db=_NUMBER, first_op=_COUNT_OR_NULL,
                    unmatched_ops=_list(_COUNT))
        ),
        tensors=_list(_TENSOR),
        notes=_list(_TEXT),
    ),
}  # fmt: skip
