"""How records become the bytes of a .tflite: the mirror of decode.py, from the same tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from struct import pack
from typing import Any

from .schema import IDENTIFIER, SCALARS, TENSOR_TYPES, UNIONS, Field, fields_of

_CONSTANT_ALIGNMENT = 16  # TFLite and TFLM read weights in place and expect this
_PADDINGS = ("same", "valid")


def encode(model: Mapping[str, Any], *, expected_bytes: int = 1024) -> bytes:
    """The bytes of a model given as records; fields that a record lacks are not stored.

    Records are those of decode.py, with bytes in place of views.
    """
    import flatbuffers

    builder = flatbuffers.Builder(expected_bytes)
    builder.Finish(_table(builder, "Model", model), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


def _table(builder: Any, name: str, record: Mapping[str, Any]) -> int:
    """Write the parts of a table, then the table; its offset."""
    fields = fields_of(name)
    given = [(slot, field) for slot, field in enumerate(fields) if record.get(field.name) is not None]
    parts = [(slot, field, _part(builder, field, record)) for slot, field in given]
    builder.StartObject(len(fields))
    for slot, field, part in parts:
        if part is None:
            continue
        if field.form == "scalar":
            _put_scalar(builder, slot, field, part)
        else:
            builder.PrependUOffsetTRelativeSlot(slot, part, 0)
    end: int = builder.EndObject()
    return end


def _part(builder: Any, field: Field, record: Mapping[str, Any]) -> Any:
    """What goes into the slot: a number, the offset of a part just written, or None."""
    value = record.get(field.name)
    if value is None or field.form == "gone":
        return None
    match field.form:
        case "scalar":
            return _NUMBERS[field.element](value) if field.element in _NUMBERS else int(value)
        case "string":
            return builder.CreateString(value) if value else None
        case "table":
            return _table(builder, field.element, value)
        case "tables":
            return _offsets(builder, [_table(builder, field.element, entry) for entry in value])
        case "union":
            return _table(builder, value[0], value[1])
        case _:
            return _packed(builder, field, value)


def _packed(builder: Any, field: Field, value: Any) -> int:
    code = SCALARS[field.element]
    payload = bytes(value) if field.form in ("view", "bytes") else pack(f"<{len(value)}{code}", *value)
    width = len(pack(f"<{code}", 0))
    alignment = _CONSTANT_ALIGNMENT if field.form == "view" and field.element == "u8" else width
    builder.StartVector(width, len(payload) // width, alignment)
    builder.head -= len(payload)
    builder.Bytes[builder.head : builder.head + len(payload)] = payload
    end: int = builder.EndVector()
    return end


def _offsets(builder: Any, tables: Sequence[int]) -> int:
    builder.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        builder.PrependUOffsetTRelative(table)
    end: int = builder.EndVector()
    return end


def _put_scalar(builder: Any, slot: int, field: Field, number: float) -> None:
    if number == field.default:
        return  # readers take the default of a slot that is not there
    from flatbuffers import number_types

    flags = getattr(number_types, _FLAGS[SCALARS[field.element]])
    builder.PrependSlot(flags, slot, number, None)


def union_code(union: str, table: str) -> int:
    """The member code of a table in a union; 0 if it is no member."""
    members = UNIONS[union]
    return members.index(table) if table in members else 0


_NUMBERS: dict[str, Callable[[Any], Any]] = {
    "bool": bool,
    "f32": float,
    "dtype": TENSOR_TYPES.index,
    "padding": lambda padding: _PADDINGS.index(padding.value),
}
_FLAGS = {
    "b": "Int8Flags", "B": "Uint8Flags", "h": "Int16Flags", "H": "Uint16Flags", "i": "Int32Flags",
    "I": "Uint32Flags", "q": "Int64Flags", "Q": "Uint64Flags", "f": "Float32Flags", "?": "BoolFlags",
}  # fmt: skip
