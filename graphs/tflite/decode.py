"""What the bytes say, table by table: the only room that follows an offset of a .tflite.

Every offset, vtable, length and enum is checked against the file before it is used, and what is built
is limited by the file's own length, so any bytes give records or `ModelFileInvalid`.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any

from ...errors import ModelFileInvalid
from ..geometry import Padding
from ..ops import Activation
from .schema import SCALARS, TENSOR_TYPES, UNIONS, Field, fields_of

Record = dict[str, Any]

_U16 = Struct("<H")
_U32 = Struct("<I")
_I32 = Struct("<i")
_READERS = {name: Struct("<" + code) for name, code in SCALARS.items()}
_ENUMS: dict[str, tuple[Any, ...]] = {
    "dtype": TENSOR_TYPES,
    "padding": (Padding.SAME, Padding.VALID),
    "activation": tuple(Activation),
}
_ALLOWED = 3  # times the file's length, in bytes charged for tables, lists and texts
_SPARE = 1 << 16
_FIX = "the file is damaged or was cut off; fetch or convert it again"


def decode(data: bytes | memoryview) -> Record:
    """The records of a whole model: field name -> value, tables as nested records.

    A union field is a pair (member table, record), (member code, None) for a member that this schema
    does not know, or None. `<type>` vectors are memoryviews into `data`.
    """
    reader = _Reader(data)
    if len(data) < 8:
        raise reader.fault("the file ends before the root offset", "model")
    return reader.table(reader.jump(0, "model"), "Model", "model")


class _Reader:
    """Bytes, and how much may still be built from them."""

    __slots__ = ("allowance", "data", "end", "view")

    def __init__(self, data: bytes | memoryview) -> None:
        self.data = data
        self.view = memoryview(data).toreadonly()
        self.end = len(data)
        self.allowance = _ALLOWED * self.end + _SPARE

    def fault(self, what: str, where: str) -> ModelFileInvalid:
        return ModelFileInvalid(what, where=where, fix=_FIX)

    def charge(self, amount: int, where: str) -> None:
        self.allowance -= amount
        if self.allowance < 0:
            raise self.fault("its parts are shared so often that they say more than the file holds", where)

    def jump(self, at: int, where: str) -> int:
        """The position that the offset at `at` points to; `at` itself is inside."""
        target: int = at + _U32.unpack_from(self.data, at)[0]
        if target + 4 > self.end:
            raise self.fault(f"the offset at byte {at} points past the end ({target} of {self.end})", where)
        return target

    def table(self, at: int, name: str, where: str) -> Record:
        vtable = at - _I32.unpack_from(self.data, at)[0]
        if vtable < 0 or vtable + 4 > self.end:
            raise self.fault(f"the vtable of the {name} at byte {at} lies outside the file", where)
        vtable_bytes: int = _U16.unpack_from(self.data, vtable)[0]
        table_bytes: int = _U16.unpack_from(self.data, vtable + 2)[0]
        bad_vtable = vtable_bytes < 4 or vtable_bytes % 2 or vtable + vtable_bytes > self.end
        if bad_vtable or table_bytes < 4 or at + table_bytes > self.end:
            raise self.fault(f"the {name} at byte {at} says that it is larger than the file", where)
        record: Record = {}
        slot, stop = vtable + 4, vtable + vtable_bytes
        for field in fields_of(name):
            offset: int = _U16.unpack_from(self.data, slot)[0] if slot < stop else 0
            slot += 2
            if field.form == "scalar":
                record[field.name] = self.scalar(at, offset, table_bytes, field, where)
            elif not offset or field.form == "gone":
                record[field.name] = _ABSENT.get(field.form)
            elif offset + 4 > table_bytes:
                raise self.fault(f"the field {field.name} lies outside its {name}", where)
            else:
                record[field.name] = _FORMS[field.form](self, at + offset, field, record, where)
        return record

    def scalar(self, at: int, offset: int, table_bytes: int, field: Field, where: str) -> Any:
        reader = _READERS[field.element]
        if not offset:
            value = field.default
        elif offset + reader.size > table_bytes:
            raise self.fault(f"the field {field.name} lies outside its table", where)
        else:
            value = reader.unpack_from(self.data, at + offset)[0]
        members = _ENUMS.get(field.element)
        if members is None:
            return bool(value) if field.element == "bool" else value
        if not 0 <= value < len(members):
            fix = "the file is damaged, or newer than this version of preflash"
            raise ModelFileInvalid(f"{field.name} has the unknown value {value}", where=where, fix=fix)
        return members[value]

    def span(self, at: int, width: int, where: str) -> tuple[int, int]:
        """(first byte, elements) of the vector that the offset at `at` points to."""
        start = self.jump(at, where)
        count: int = _U32.unpack_from(self.data, start)[0]
        if start + 4 + count * width > self.end:
            raise self.fault(f"a list of {count} elements at byte {start} does not fit into the file", where)
        return start + 4, count


def _string(reader: _Reader, at: int, field: Field, _record: Record, where: str) -> str:
    start, count = reader.span(at, 1, f"{where}.{field.name}")
    reader.charge(count, where)
    return str(reader.view[start : start + count], "utf-8", "backslashreplace")


def _vector(reader: _Reader, at: int, field: Field, _record: Record, where: str) -> Any:
    scalar = _READERS[field.element]
    start, count = reader.span(at, scalar.size, f"{where}.{field.name}")
    reader.charge(count * scalar.size, where)
    return Struct(f"<{count}{SCALARS[field.element]}").unpack_from(reader.data, start)


def _bytes(reader: _Reader, at: int, field: Field, _record: Record, where: str) -> bytes:
    start, count = reader.span(at, 1, f"{where}.{field.name}")
    reader.charge(count, where)
    return bytes(reader.view[start : start + count])


def _view(reader: _Reader, at: int, field: Field, _record: Record, where: str) -> memoryview:
    width = _READERS[field.element].size
    start, count = reader.span(at, width, f"{where}.{field.name}")
    return reader.view[start : start + count * width]


def _table(reader: _Reader, at: int, field: Field, _record: Record, where: str) -> Record:
    path = f"{where}.{field.name}"
    reader.charge(_cost(field.element), path)
    return reader.table(reader.jump(at, path), field.element, path)


def _cost(table: str) -> int:
    """What a table is charged: about what the least one takes in a file."""
    return 8 + 4 * len(fields_of(table))


def _tables(reader: _Reader, at: int, field: Field, _record: Record, where: str) -> tuple[Record, ...]:
    start, count = reader.span(at, 4, f"{where}.{field.name}")
    reader.charge(count * _cost(field.element), f"{where}.{field.name}")
    found = []
    for i in range(count):
        path = f"{where}.{field.name}[{i}]"
        found.append(reader.table(reader.jump(start + 4 * i, path), field.element, path))
    return tuple(found)


def _union(
    reader: _Reader, at: int, field: Field, record: Record, where: str
) -> tuple[str | int, Record | None] | None:
    code, members = record[f"{field.name}_type"], UNIONS[field.element]
    if code == 0:
        return None
    if code >= len(members):
        return code, None
    path = f"{where}.{field.name}"
    reader.charge(_cost(members[code]), path)
    return members[code], reader.table(reader.jump(at, path), members[code], path)


_FORMS: dict[str, Callable[[_Reader, int, Field, Record, str], Any]] = {
    "string": _string,
    "vector": _vector,
    "bytes": _bytes,
    "view": _view,
    "table": _table,
    "tables": _tables,
    "union": _union,
}
_ABSENT: dict[str, Any] = {"string": "", "bytes": b"", "vector": (), "view": memoryview(b""), "tables": ()}
