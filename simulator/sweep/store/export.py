"""How do rows leave a store: CSV or Parquet, with all their digits; the same rows are the same bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ....errors import PreflashError
from .query import Answer, Row

_ROWS_AT_ONCE = 50_000


def csv_text(answer: Answer) -> Iterator[str]:
    """The rows as CSV, some at a time; NULL is empty, numbers have all their digits."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(answer.columns)
    for batch in _batches(answer.rows):
        writer.writerows(batch)
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    if out.tell():
        yield out.getvalue()


def write_parquet(answer: Answer, path: Path) -> None:
    """The rows into a Parquet file; a column's type is that of its first value.

    Raises:
        PreflashError: pyarrow is not installed (extra `parquet`), or a column has values of two types.
        OSError: it cannot be written.
    """
    arrow, parquet = _arrow()
    writer: Any = None
    schema: Any = None
    try:
        for batch in _batches(answer.rows):
            schema = schema or _schema(arrow, answer.columns, batch)
            pairs = zip(zip(*batch, strict=True), schema, strict=True)
            columns = [arrow.array(column, type=field.type) for column, field in pairs]
            writer = writer or parquet.ParquetWriter(path, schema, compression="zstd")
            writer.write_batch(arrow.record_batch(columns, schema=schema))
        if writer is None:
            empty = arrow.schema([arrow.field(name, arrow.string()) for name in answer.columns])
            parquet.write_table(empty.empty_table(), path)
    except arrow.ArrowException as error:
        what = f"no Parquet can be made of it: {error}"
        raise PreflashError(what, where=str(path)[:200], fix="use -f csv") from error
    finally:
        if writer is not None:
            writer.close()


def _schema(arrow: Any, names: Iterable[str], batch: list[Row]) -> Any:
    """Texts, whole numbers, numbers: by what the first rows hold; a column of nothing is one of numbers."""
    fields = []
    for name, column in zip(names, zip(*batch, strict=True), strict=True):
        kinds = {type(value) for value in column if value is not None}
        kind = arrow.string() if str in kinds else arrow.int64() if kinds == {int} else arrow.float64()
        fields.append(arrow.field(name, kind))
    return arrow.schema(fields)


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        yield batch


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        fix = "pip install 'preflash[parquet]', or -f csv"
        raise PreflashError("pyarrow is not installed", fix=fix) from error
    return pyarrow, pyarrow.parquet
