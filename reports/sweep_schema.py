"""What may stand in a JSON report on a sweep: the JSON Schema (draft 2020-12) of `preflash/sweep/1`."""

from __future__ import annotations

from typing import Any

from ..simulator.interval import BY_WEAKNESS
from ..simulator.sweep.table import FIGURES, WORDS
from .sweep_json import SCHEMA_ID

_Schema = dict[str, Any]
_TEXT: _Schema = {"type": "string"}
_FILLED: _Schema = {"type": "string", "minLength": 1}
_COUNT: _Schema = {"type": "integer", "minimum": 0}
_NUMBER: _Schema = {"type": "number"}
_NUMBER_OR_NULL: _Schema = {"type": ["number", "null"]}
_SHARE: _Schema = {"type": "number", "minimum": 0, "maximum": 1}
_BOOLEAN: _Schema = {"type": "boolean"}
_FIGURE: _Schema = {"enum": list(FIGURES)}
_WORD: _Schema = {"enum": list(WORDS)}


def _object(**members: _Schema) -> _Schema:
    return {
        "type": "object", "properties": members, "required": list(members), "additionalProperties": False,
    }  # fmt: skip


def _list(items: _Schema) -> _Schema:
    return {"type": "array", "items": items}


def _map(values: _Schema) -> _Schema:
    return {"type": "object", "additionalProperties": values}


def _or_null(what: _Schema) -> _Schema:
    return {"anyOf": [{"type": "null"}, what]}


# a number per row, or one for all of them; texts by their place in a list
_COLUMN: _Schema = {"anyOf": [_list(_NUMBER_OR_NULL), _object(all=_NUMBER_OR_NULL)]}
_TEXTS: _Schema = _object(texts=_list(_TEXT), at=_COLUMN)
_GOAL: _Schema = {
    "type": "array", "prefixItems": [_FIGURE, {"enum": ["min", "max"]}], "minItems": 2, "maxItems": 2,
}  # fmt: skip
_OF_FIGURE: _Schema = {
    "type": "object", "properties": {"value": _COLUMN, "lo": _COLUMN, "hi": _COLUMN, "grade": _COLUMN},
    "required": ["value", "grade"], "additionalProperties": False,
}  # fmt: skip
_ANSWER = _object(
    device=_TEXT, points=_COUNT, fitting=_COUNT, best=_list(_object(goal=_FILLED, point=_COUNT)),
    miss=_or_null(_object(point=_COUNT, word=_WORD, limiting=_TEXT, over=_NUMBER_OR_NULL)),
)  # fmt: skip
_FRONT = _object(
    axes=_list(_GOAL), points=_list(_COUNT), count=_COUNT, compared=_COUNT, unknown=_COUNT,
    clearly_worse=_COUNT,
)  # fmt: skip
_EFFECT = _object(
    axis=_TEXT, figure=_FIGURE, share=_SHARE, level_count=_COUNT,
    levels=_list(_object(name=_TEXT, points=_COUNT, effect=_NUMBER_OR_NULL, fits=_SHARE)),
)  # fmt: skip
_TOGETHER = _object(
    figure=_FIGURE, rows=_TEXT, columns=_TEXT, row_levels=_list(_TEXT), column_levels=_list(_TEXT),
    effect=_COLUMN, extra=_SHARE,
)  # fmt: skip
_STAIRS = _object(
    model=_TEXT, goal=_GOAL, steps=_list(_object(need_bytes=_NUMBER, value=_NUMBER, point=_COUNT))
)
_MATRIX = _object(
    row_of=_FILLED, column_of=_FILLED, rows=_list(_TEXT), columns=_list(_TEXT), word=_COLUMN,
    limiting=_COLUMN, points=_COLUMN, fitting=_COLUMN,
)  # fmt: skip
_FAILURE = _object(
    kind=_FILLED, reason=_FILLED, count={"type": "integer", "minimum": 1}, points=_list(_COUNT),
    names=_list(_TEXT),
)  # fmt: skip
_VARIANTS = _object(
    number=_COLUMN, model=_TEXTS, source=_TEXTS, name=_TEXTS, text=_TEXTS, label=_TEXTS, axes=_map(_TEXTS),
    macs=_COLUMN, file_bytes=_COLUMN, sparsity=_COLUMN, sha256=_or_null(_list(_TEXT)), row=_COLUMN,
)  # fmt: skip
_TARGETS = _object(
    device=_TEXTS, runtime=_TEXTS, clock_hz=_COLUMN, place=_TEXTS, supply=_TEXTS, npu=_TEXTS, label=_TEXTS,
    words=_list(_TEXT), sha256=_list(_object(device=_TEXT, runtime=_TEXT, calibration=_TEXT)),
    column=_COLUMN,
)  # fmt: skip
_POINTS = _object(
    count=_COUNT, point=_or_null(_list(_COUNT)), variant=_COLUMN, target=_COLUMN, word=_COLUMN, worse=_COLUMN,
    limiting=_COLUMN, reason=_TEXTS, figures=_object(**dict.fromkeys(FIGURES, _OF_FIGURE)),
)  # fmt: skip
SWEEP_SCHEMA: _Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:preflash:sweep:1",
    "title": "preflash/sweep/1: many variants on many targets; a point is its place in the store's order",
    **_object(
        schema={"const": SCHEMA_ID},
        tool=_object(name={"const": "preflash"}, version=_FILLED),
        created=_TEXT,
        command=_TEXT,
        sweep=_map(_TEXT),
        limits=_map(_NUMBER_OR_NULL),
        objectives=_list(_GOAL),
        words={"const": list(WORDS)},
        bases={"const": [basis.value for basis in BY_WEAKNESS]},
        units=_map(_FILLED),
        limiting=_list(_TEXT),
        counts=_object(points=_COUNT, given=_COUNT, suitable=_COUNT, words=_map(_COUNT)),
        answers=_list(_ANSWER),
        front=_or_null(_FRONT),
        effects=_list(_EFFECT),
        together=_or_null(_TOGETHER),
        ladder=_list(_STAIRS),
        curves=_list(
            _object(cost=_FIGURE, model=_TEXT, family=_FILLED, target=_COUNT, points=_list(_COUNT), of=_COUNT)
        ),
        feasibility=_MATRIX,
        failures=_list(_FAILURE),
        scales=_list(_object(figure=_FIGURE, lo=_NUMBER, hi=_NUMBER, is_log=_BOOLEAN)),
        densities=_list(
            _object(x=_FIGURE, y=_FIGURE, cells=_COUNT, column=_COLUMN, row=_COLUMN, points=_COLUMN,
                    fitting=_COLUMN)
        ),
        axes=_list(
            _object(name=_TEXT, side={"enum": ["variant", "target"]}, levels=_list(_TEXT), code=_COLUMN)
        ),
        variants=_VARIANTS,
        targets=_TARGETS,
        points=_POINTS,
    ),
}  # fmt: skip
