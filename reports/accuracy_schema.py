"""What may stand in a JSON report on accuracy: the JSON Schema (draft 2020-12) of `preflash/accuracy/1`."""

from __future__ import annotations

from .schema_words import (
    COUNT,
    COUNT_OR_NULL,
    FILLED,
    NUMBER,
    NUMBER_OR_NULL,
    SHARE,
    TEXT,
    Schema,
    list_of,
    object_of,
    or_null,
)

SCHEMA_ID = "preflash/accuracy/1"

# decibels; null where both are equal to the bit
_RATIO: Schema = NUMBER_OR_NULL


_MODEL = object_of(name=TEXT, sha256={"type": "string", "pattern": "^[0-9a-f]{64}$"}, file_bytes=COUNT)
_FIGURE = object_of(
    metric=FILLED, value=NUMBER, lo=NUMBER_OR_NULL, hi=NUMBER_OR_NULL, confidence=SHARE, n=COUNT,
    method=FILLED, is_higher_better={"type": "boolean"},
)  # fmt: skip
_TENSOR = object_of(
    op=COUNT, kind=FILLED, name=TEXT, baseline_name=TEXT, sqnr_db=_RATIO, largest_error=NUMBER
)
ACCURACY_SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:preflash:accuracy:1",
    "title": "preflash/accuracy/1: one model on labelled samples, or beside a baseline",
    **object_of(
        schema={"const": SCHEMA_ID},
        tool=object_of(name={"const": "preflash"}, version=FILLED),
        created=TEXT,
        command=TEXT,
        model=_MODEL,
        data=object_of(name=TEXT, samples=COUNT, has_labels={"type": "boolean"}),
        kernels=object_of(
            name=FILLED, package=FILLED, runtime=TEXT,
            basis={"enum": ["measured", "analytic"]}, why=FILLED,
        ),
        accuracy=or_null(_FIGURE),
        bound=or_null(object_of(value=NUMBER, is_kept={"type": "boolean"})),
        baseline=or_null(object_of(model=_MODEL, accuracy=or_null(_FIGURE))),
        difference=or_null(
            object_of(value=NUMBER, lo=NUMBER_OR_NULL, hi=NUMBER_OR_NULL, p=SHARE, n=COUNT,
                    is_significant={"type": "boolean"}, gained=COUNT_OR_NULL, lost=COUNT_OR_NULL,
                    method=FILLED)
        ),
        agreement=or_null(
            object_of(value=SHARE, lo=SHARE, hi=SHARE, n=COUNT, output_sqnr_db=list_of(_RATIO))
        ),
        divergence=or_null(
            object_of(samples=COUNT, kernels=FILLED, below_db=NUMBER, first_op=COUNT_OR_NULL,
                    unmatched_ops=list_of(COUNT))
        ),
        tensors=list_of(_TENSOR),
        notes=list_of(TEXT),
    ),
}  # fmt: skip
