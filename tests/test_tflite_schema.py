"""The declarative schema says what the generated code of the PyPI package `tflite` says."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
import struct
from typing import Any

import pytest
import tflite
from preflash.graphs.ops import attributes_class
from preflash.graphs.tflite.options import OPTIONS
from preflash.graphs.tflite.schema import (
    OPERATORS,
    SCALARS,
    TABLES,
    TENSOR_TYPES,
    UNIONS,
    fields_of,
    operator_code,
    operator_name,
)

_SLOT_TYPES = {
    "Int8": "b", "Uint8": "B", "Int16": "h", "Uint16": "H", "Int32": "i", "Uint32": "I", "Int64": "q",
    "Uint64": "Q", "Float32": "f", "Bool": "?",
}  # fmt: skip
# not in the package of 2.18, or only there
_NEWER_TABLES = {"BlockwiseQuantization"}
_NEWER_FIELDS = {("Tensor", "external_buffer")}


class RecordingBuilder:
    """Stands in for a flatbuffers builder and notes what the generated functions would write."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.calls.append((name, arguments))


def generated_tables() -> dict[str, Any]:
    names = [module.name for module in pkgutil.iter_modules(tflite.__path__)]
    modules = {name: importlib.import_module(f"tflite.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, f"{name}Start")}


GENERATED = generated_tables()


def generated_slots(name: str) -> dict[int, tuple[str, str, Any]]:
    """slot -> (name without underscores, struct code or "" for a reference, default)."""
    module = GENERATED[name]
    slots = {}
    for function in dir(module):
        match = re.fullmatch(rf"{name}Add(\w+)", function)
        if match:
            builder = RecordingBuilder()
            getattr(module, function)(builder, 1)
            ((method, (slot, _, default)),) = builder.calls
            scalar = re.fullmatch(r"Prepend(\w+?)Slot", method)[1]
            slots[slot] = (match[1].lower(), _SLOT_TYPES.get(scalar, ""), default)
    return slots


def test_every_generated_table_is_described():
    described = set(TABLES) | set(OPTIONS)
    with_fields = {name for name in GENERATED if generated_slots(name)}
    assert with_fields - described == set()
    assert described - with_fields == _NEWER_TABLES


@pytest.mark.parametrize("name", sorted((set(TABLES) | set(OPTIONS)) - _NEWER_TABLES))
def test_fields_have_the_slots_types_and_defaults_of_the_generated_code(name):
    ours = {
        slot: (
            field.name.replace("_", "").lower(),
            SCALARS[field.element] if field.form == "scalar" else "",
            field.default,
        )
        for slot, field in enumerate(fields_of(name))
        if field.form != "gone" and (name, field.name) not in _NEWER_FIELDS
    }
    assert ours == generated_slots(name)


@pytest.mark.parametrize("name", sorted((set(TABLES) | set(OPTIONS)) - _NEWER_TABLES))
def test_vectors_have_the_element_widths_of_the_generated_code(name):
    for field in fields_of(name):
        if field.form in ("vector", "view", "bytes", "tables"):
            camel = "".join(part.capitalize() for part in field.name.split("_"))
            builder = RecordingBuilder()
            getattr(GENERATED[name], f"{name}Start{camel}Vector")(builder, 5)
            width = 4 if field.form == "tables" else struct.calcsize("<" + SCALARS[field.element])
            assert builder.calls == [("StartVector", (width, 5, width))], field


def members(enum: type) -> dict[int, str]:
    return {value: name for name, value in vars(enum).items() if not name.startswith("_")}


@pytest.mark.parametrize(
    ("ours", "theirs", "newer"),
    [
        (OPERATORS, tflite.BuiltinOperator, 1),
        (UNIONS["BuiltinOptions"], tflite.BuiltinOptions, 0),
        (UNIONS["BuiltinOptions2"], tflite.BuiltinOptions2, 0),
        (UNIONS["QuantizationDetails"], tflite.QuantizationDetails, 1),
        (UNIONS["SparseIndexVector"], tflite.SparseIndexVector, 0),
        (tuple(str(t).upper() for t in TENSOR_TYPES), tflite.TensorType, 4),
    ],
    ids=["operators", "options", "options 2", "quantization details", "index vectors", "tensor types"],
)
def test_codes_are_those_of_the_generated_enums(ours, theirs, newer):
    known = members(theirs)
    assert dict(enumerate(ours[: len(ours) - newer])) == known


@pytest.mark.parametrize("name", sorted(n for n in GENERATED if n.endswith("Options")))
def test_every_options_table_with_fields_has_attributes_with_exactly_these_fields(name):
    wanted = [field.name for field in fields_of(name) if field.form != "gone"]
    attributes = attributes_class(name)
    assert (attributes is None) == (not wanted)
    if attributes is not None:
        assert [f.name for f in dataclasses.fields(attributes)] == wanted
        assert attributes.schema == name
        attributes()  # all fields have a default


def test_an_operator_newer_than_the_schema_keeps_its_number():
    assert operator_name(4321) == "BUILTIN_4321"
    assert operator_code("BUILTIN_4321") == 4321
    assert operator_code("NO_SUCH_OP") is None
    assert all(operator_code(operator_name(code)) == code for code in range(len(OPERATORS)))
