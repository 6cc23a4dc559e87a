"""A ModelGraph becomes a .tflite and back without loss."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from builders import conv_graph, rich_graph
from hypothesis import given
from hypothesis import strategies as st
from preflash.errors import UnsupportedOp
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import DType, ModelGraph, Op, Tensor, wire
from preflash.graphs.ops import Activation, EmptyAttributes, OpaqueAttributes, OpAttributes, attributes_class
from preflash.graphs.tflite.read import parse_tflite, read_tflite
from preflash.graphs.tflite.schema import UNIONS, fields_of
from preflash.graphs.tflite.verify import verify
from preflash.graphs.tflite.write import write_tflite
from shared_data import shared_dir, shared_models

_OF_THE_FILE = {"file_bytes", "sha256", "_cache"}


def differences(left: Any, right: Any, where: str = "graph") -> list[str]:
    """The fields in which two values of the IR differ."""
    if dataclasses.is_dataclass(left):
        if type(left) is not type(right):
            return [where]
        names = [f.name for f in dataclasses.fields(left) if f.name not in _OF_THE_FILE]
        parts = [differences(getattr(left, n), getattr(right, n), f"{where}.{n}") for n in names]
        return [d for part in parts for d in part]
    if isinstance(left, np.ndarray):
        same_type = isinstance(right, np.ndarray) and left.dtype == right.dtype
        return [] if same_type and left.tobytes() == right.tobytes() else [where]
    if isinstance(left, tuple) and isinstance(right, tuple) and len(left) == len(right):
        pairs = enumerate(zip(left, right, strict=True))
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{where}[{i}]")]
    if isinstance(left, memoryview | bytes) and isinstance(right, memoryview | bytes):
        return [] if bytes(left) == bytes(right) else [where]
    return [] if left == right else [where]


def graph_of(op: Op, tensors: int = 3) -> ModelGraph:
    made = [Tensor(i, f"t{i}", DType.FLOAT32, (1, 2)) for i in range(tensors)]
    return ModelGraph((wire(made, [op], inputs=[0, 1], outputs=[2]),))


@pytest.mark.parametrize("graph", [conv_graph(), rich_graph()], ids=["conv", "rich"])
def test_a_graph_built_in_code_survives(graph):
    data = write_tflite(graph)
    assert differences(graph, parse_tflite(data, name=graph.name)) == []


def test_the_comparison_sees_a_difference():
    changed = dataclasses.replace(conv_graph(), description="other")
    assert differences(conv_graph(), changed) == ["graph.description"]


def test_every_shared_model_survives_reading_and_writing():
    shared_dir()
    for path in shared_models():
        graph = read_tflite(path)
        data = write_tflite(graph)
        again = parse_tflite(data, name=graph.name)
        assert differences(graph, again) == [], path
        assert write_tflite(again) == data, path


def all_options() -> list[tuple[str, str]]:
    return [(union, name) for union in ("BuiltinOptions", "BuiltinOptions2") for name in UNIONS[union][1:]]


def filled(table: str) -> OpAttributes:
    """Attributes of the table in which no field has its default."""
    attributes = attributes_class(table)
    if attributes is None:
        return EmptyAttributes(table)
    samples: dict[str, Any] = {
        "scalar i8": 3, "scalar u8": 3, "scalar i32": -5, "scalar u32": 0, "scalar i64": 1 << 40,
        "scalar f32": 0.5, "scalar dtype": DType.INT8, "scalar padding": Padding.VALID,
        "scalar activation": Activation.RELU6, "string str": "text", "vector i32": (1, -2),
        "vector i64": (1 << 40, -1), "vector u32": (1, 2), "vector bool": (True, False),
        "vector f32": (0.5, -1.5), "bytes u8": b"\x00\x01",
    }  # fmt: skip
    if "Conv" in table or "Pool" in table:
        samples["scalar i32"] = 5  # strides and dilations are at least 1
    values = {}
    for field in fields_of(table):
        if field.form != "gone":
            calls = field.name.endswith("subgraph_index") or field.name == "called_computations"
            value = not field.default if field.element == "bool" and field.form == "scalar" else None
            value = samples[f"{field.form} {field.element}"] if value is None else value
            values[field.name] = (1 if field.form == "scalar" else (1,)) if calls else value
            values[field.name] = 1 if field.name == "subgraph" else values[field.name]
    return attributes(**values)


@pytest.mark.parametrize(("union", "table"), all_options())
def test_every_options_table_survives_with_all_fields_set(union, table):
    attributes = filled(table)
    graph = graph_of(Op(0, "ADD", (0, 1), (2,), attributes))
    empty = wire(graph.tensors, [], inputs=[0], outputs=[0])
    again = parse_tflite(write_tflite(dataclasses.replace(graph, subgraphs=(*graph.subgraphs, empty))))
    assert again.ops[0].attributes == attributes


@given(
    shape=st.lists(st.integers(0, 9), max_size=6).map(tuple),
    name=st.text(st.characters(codec="utf-8"), max_size=20),
    dtype=st.sampled_from(list(DType)),
    is_variable=st.booleans(),
    version=st.integers(1, 50),
)
def test_any_tensor_survives(shape, name, dtype, is_variable, version):
    tensor = Tensor(0, name, dtype, shape, is_variable=is_variable)
    op = Op(0, "RELU", (0,), (0,), version=version)
    graph = ModelGraph((wire([tensor], [op], inputs=[0], outputs=[0], name=name),))
    data = write_tflite(graph)
    verify(data)
    assert differences(graph, parse_tflite(data)) == []


def test_constants_start_at_multiples_of_16_bytes():
    data = write_tflite(conv_graph())
    for tensor in parse_tflite(data).tensors:
        if tensor.data is not None:
            assert data.index(bytes(tensor.data)) % 16 == 0


def test_equal_constants_are_stored_once():
    graph = conv_graph()
    weights = graph.tensors[1]
    copies = [dataclasses.replace(weights, index=4 + i, data=bytes(weights.data)) for i in range(10)]
    main = wire([*graph.tensors, *copies], graph.ops, inputs=[0], outputs=[3])
    data = write_tflite(graph.with_main(main))
    assert data.count(bytes(weights.data)) == 1


def test_writing_is_deterministic_and_can_go_to_a_file(tmp_path):
    path = tmp_path / "out.tflite"
    data = write_tflite(rich_graph(), path)
    assert write_tflite(rich_graph()) == data == path.read_bytes()


@pytest.mark.parametrize(
    ("op", "named"),
    [
        (Op(0, "ADD", (0, 1), (2,), fused=(Op(0, "ADD", (), ()), Op(1, "RELU", (), ()))), "fused from 2"),
        (Op(0, "NO_SUCH_KIND", (0, 1), (2,)), "NO_SUCH_KIND"),
        (Op(0, "ADD", (0, 1), (2,), OpaqueAttributes("builtin_options", 200)), "options 200"),
        (Op(0, "ADD", (0, 1), (2,), EmptyAttributes("MadeUpOptions")), "MadeUpOptions"),
    ],
)
def test_an_op_that_the_format_cannot_hold_is_refused_by_name(op, named):
    with pytest.raises(UnsupportedOp, match=named) as caught:
        write_tflite(graph_of(op))
    assert "subgraph 0, op 0" in str(caught.value)
    assert caught.value.fix
