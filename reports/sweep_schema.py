"""What may stand in a JSON report on a sweep: the JSON Schema (draft 2020-12) of `preflash/sweep/1`."""

from __future__ import annotations

from ..simulator.interval import BY_WEAKNESS
from ..simulator.sweep.table import FIGURES, WORDS
from .schema_words import (
    COUNT,
    FILLED,
    FLAG,
    NUMBER,
    NUMBER_OR_NULL,
    SHARE,
    TEXT,
    Schema,
    list_of,
    map_of,
    object_of,
    or_null,
)
from .sweep_json import SCHEMA_ID

_FIGURE: Schema = {"enum": list(FIGURES)}
_WORD: Schema = {"enum": list(WORDS)}


# a number per row, or one for all of them; texts by their place in a list
_COLUMN: Schema = {"anyOf": [list_of(NUMBER_OR_NULL), object_of(all=NUMBER_OR_NULL)]}
_TEXTS: Schema = object_of(texts=list_of(TEXT), at=_COLUMN)
_GOAL: Schema = {
    "type": "array", "prefixItems": [_FIGURE, {"enum": ["min", "max"]}], "minItems": 2, "maxItems": 2,
}  # fmt: skip
_OF_FIGURE: Schema = {
    "type": "object", "properties": {"value": _COLUMN, "lo": _COLUMN, "hi": _COLUMN, "grade": _COLUMN},
    "required": ["value", "grade"], "additionalProperties": False,
}  # fmt: skip
_ANSWER = object_of(
    device=TEXT, points=COUNT, fitting=COUNT, best=list_of(object_of(goal=FILLED, point=COUNT)),
    miss=or_null(object_of(point=COUNT, word=_WORD, limiting=TEXT, over=NUMBER_OR_NULL)),
)  # fmt: skip
_FRONT = object_of(
    axes=list_of(_GOAL), points=list_of(COUNT), count=COUNT, compared=COUNT, unknown=COUNT,
    clearly_worse=COUNT,
)  # fmt: skip
_EFFECT = object_of(
    axis=TEXT, figure=_FIGURE, share=SHARE, level_count=COUNT,
    levels=list_of(object_of(name=TEXT, points=COUNT, effect=NUMBER_OR_NULL, fits=SHARE)),
)  # fmt: skip
_TOGETHER = object_of(
    figure=_FIGURE, rows=TEXT, columns=TEXT, row_levels=list_of(TEXT), column_levels=list_of(TEXT),
    effect=_COLUMN, extra=SHARE,
)  # fmt: skip
_STAIRS = object_of(
    model=TEXT, goal=_GOAL, steps=list_of(object_of(need_bytes=NUMBER, value=NUMBER, point=COUNT))
)
_MATRIX = object_of(
    row_of=FILLED, column_of=FILLED, rows=list_of(TEXT), columns=list_of(TEXT), word=_COLUMN,
    limiting=_COLUMN, points=_COLUMN, fitting=_COLUMN,
)  # fmt: skip
_FAILURE = object_of(
    kind=FILLED, reason=FILLED, count={"type": "integer", "minimum": 1}, points=list_of(COUNT),
    names=list_of(TEXT),
)  # fmt: skip
_VARIANTS = object_of(
    number=_COLUMN, model=_TEXTS, source=_TEXTS, making=_TEXTS, name=_TEXTS, text=_TEXTS, label=_TEXTS,
    axes=map_of(_TEXTS),
    macs=_COLUMN, file_bytes=_COLUMN, sparsity=_COLUMN, retrain=_COLUMN, sha256=or_null(list_of(TEXT)),
    row=_COLUMN,
)  # fmt: skip
_TARGETS = object_of(
    device=_TEXTS, runtime=_TEXTS, clock_hz=_COLUMN, place=_TEXTS, supply=_TEXTS, npu=_TEXTS, label=_TEXTS,
    words=list_of(TEXT), sha256=list_of(object_of(device=TEXT, runtime=TEXT, calibration=TEXT)),
    column=_COLUMN,
)  # fmt: skip
_POINTS = object_of(
    count=COUNT, point=or_null(list_of(COUNT)), variant=_COLUMN, target=_COLUMN, word=_COLUMN, worse=_COLUMN,
    limiting=_COLUMN, reason=_TEXTS, figures=object_of(**dict.fromkeys(FIGURES, _OF_FIGURE)),
)  # fmt: skip
SWEEP_SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:preflash:sweep:1",
    "title": "preflash/sweep/1: many variants on many targets; a point is its place in the store's order",
    **object_of(
        schema={"const": SCHEMA_ID},
        tool=object_of(name={"const": "preflash"}, version=FILLED),
        created=TEXT,
        command=TEXT,
        sweep=map_of(TEXT),
        limits=map_of(NUMBER_OR_NULL),
        objectives=list_of(_GOAL),
        words={"const": list(WORDS)},
        bases={"const": [basis.value for basis in BY_WEAKNESS]},
        units=map_of(FILLED),
        limiting=list_of(TEXT),
        counts=object_of(points=COUNT, given=COUNT, suitable=COUNT, words=map_of(COUNT)),
        answers=list_of(_ANSWER),
        front=or_null(_FRONT),
        effects=list_of(_EFFECT),
        together=or_null(_TOGETHER),
        ladder=list_of(_STAIRS),
        curves=list_of(
            object_of(cost=_FIGURE, model=TEXT, family=FILLED, target=COUNT, points=list_of(COUNT), of=COUNT)
        ),
        feasibility=_MATRIX,
        failures=list_of(_FAILURE),
        scales=list_of(object_of(figure=_FIGURE, lo=NUMBER, hi=NUMBER, is_log=FLAG)),
        densities=list_of(
            object_of(x=_FIGURE, y=_FIGURE, cells=COUNT, column=_COLUMN, row=_COLUMN, points=_COLUMN,
                    fitting=_COLUMN)
        ),
        axes=list_of(
            object_of(name=TEXT, side={"enum": ["variant", "target"]}, levels=list_of(TEXT), code=_COLUMN)
        ),
        variants=_VARIANTS,
        targets=_TARGETS,
        points=_POINTS,
    ),
}  # fmt: skip
