"""What is known of weights travels in the file; what the values contradict is a fault."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from preflash.errors import ModelFileInvalid, VariantInvalid
from preflash.graphs.build import GraphBuilder
from preflash.graphs.ir import DType, ModelGraph, WeightForm
from preflash.graphs.tflite.forms import NAME
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.weights import (
    Selection,
    changed,
    chosen,
    packed_int4,
    real_values,
    weights,
    with_tensors,
)


def network(dtype: DType = DType.INT8) -> ModelGraph:
    b = GraphBuilder("small", dtype=dtype, seed=3)
    x = b.conv(b.input((1, 8, 8, 3)), 8, (3, 3))
    x = b.conv(b.depthwise(x, (3, 3)), 16)
    return b.finish([b.softmax(b.fully_connected(b.reshape(x, (1, -1)), 10))])


def halved(graph: ModelGraph) -> ModelGraph:
    """Every second value of the third weights pruned."""
    tensor = graph.tensors[weights(graph)[2].tensor]
    mask = np.arange(tensor.element_count).reshape(tensor.shape) % 2 == 0
    mask &= real_values(tensor) != 0
    return with_tensors(graph, [changed(tensor, real_values(tensor) * mask, WeightForm(mask=mask))])


def with_entry(data: bytes, **entry: object) -> bytes:
    graph = parse_tflite(data)
    record = {"version": 1, "forms": [{"subgraph": 0, "tensor": weights(graph)[2].tensor, **entry}]}
    return write_tflite(replace(graph, metadata=((NAME, json.dumps(record).encode()),)))


def test_weights_come_in_the_order_of_the_ops_that_read_them() -> None:
    found = weights(network())
    assert [one.kind for one in found] == ["CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "FULLY_CONNECTED"]
    assert [one.is_first for one in found] == [True, False, False, False]
    assert [one.output_axis for one in found] == [0, 3, 0, 0]


@pytest.mark.parametrize(
    ("selection", "ops"),
    [
        (Selection(), [2, 4]),
        (Selection(depthwise=True), [1, 2, 4]),
        (Selection(first=True), [0, 2, 4]),
        (Selection(skip=("2",)), [4]),
        (Selection(only=("0", "1")), [0, 1]),
    ],
)
def test_the_first_weights_and_depthwise_ones_stay_unless_asked_for(
    selection: Selection, ops: list[int]
) -> None:
    assert [one.op for one in chosen(network(), selection)] == ops


def test_a_name_of_no_weights_is_a_fault_that_names_those_there_are() -> None:
    with pytest.raises(VariantInvalid, match="no weights are called 'conv_9'"):
        chosen(network(), Selection(only=("conv_9",)))


@pytest.mark.parametrize("dtype", [DType.INT8, DType.FLOAT32])
def test_values_put_back_unchanged_are_the_same_bytes(dtype: DType) -> None:
    graph = network(dtype)
    for one in weights(graph):
        tensor = graph.tensors[one.tensor]
        assert changed(tensor, real_values(tensor), None).data == bytes(tensor.data or b"")


def test_a_pruned_weight_is_exactly_zero_and_its_mask_is_read_again() -> None:
    graph = halved(network())
    again = parse_tflite(write_tflite(graph))
    index = weights(graph)[2].tensor
    form = again.tensors[index].form
    assert form is not None and form.mask is not None and graph.tensors[index].form is not None
    assert (form.mask == graph.tensors[index].form.mask).all()
    assert again.metadata == graph.metadata
    assert write_tflite(again) == write_tflite(graph)


def test_a_codebook_per_channel_is_found_again_in_the_values() -> None:
    graph = network(DType.FLOAT32)
    tensor = graph.tensors[weights(graph)[2].tensor]
    book = np.array([[-1.0, 0.5, 0.5, 0.5]] * 8 + [[-2.0, 0.0, 1.0, 3.0]] * 8)
    codes = np.arange(tensor.element_count).reshape(tensor.shape) % 4
    values = np.take_along_axis(book, codes.reshape(16, -1), 1).reshape(tensor.shape)
    form = WeightForm(codebook=book, assignment=codes.astype(np.uint16), axis=0)
    again = parse_tflite(write_tflite(with_tensors(graph, [changed(tensor, values, form)])))
    found = again.tensors[tensor.index].form
    assert found is not None and found.codebook is not None and found.code_count == 4
    assert found.codebook.tolist() == book.tolist()


def test_true_bits_survive_the_file() -> None:
    graph = network()
    tensor = graph.tensors[weights(graph)[2].tensor]
    assert tensor.quantization is not None
    small = replace(tensor, data=(np.arange(tensor.element_count) % 16 - 8).astype(np.int8).tobytes())
    again = parse_tflite(write_tflite(with_tensors(graph, [replace(small, form=WeightForm(bits=4))])))
    form = again.tensors[tensor.index].form
    assert form is not None and form.bits == 4


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"bits": 2}, "do not fit in 2 bits"),
        ({"bits": -1}, "a number that is none"),
        ({"codes": 3}, "more than 3 shared values"),
        ({"codes": 0}, "no codebook has 0 values"),
        ({"codes": 4, "axis": 9}, "along that axis"),
        ({"tensor": 10_000}, "there is no tensor 10000"),
        ({"colour": 1}, "keys that nobody knows"),
        ({"pattern": 5}, "a text that is none"),
    ],
)
def test_a_claim_that_the_values_contradict_is_a_fault(entry: dict[str, object], fault: str) -> None:
    with pytest.raises(ModelFileInvalid, match=fault):
        parse_tflite(with_entry(write_tflite(network()), **entry))


def test_an_entry_that_is_no_json_is_a_fault() -> None:
    graph = replace(network(), metadata=((NAME, b"\xff{"),))
    with pytest.raises(ModelFileInvalid, match="no JSON"):
        parse_tflite(write_tflite(graph))


def test_four_bit_values_are_packed_low_half_first() -> None:
    assert packed_int4(np.array([[1, -8], [7, -1]], np.int8)) == bytes([0x81, 0xF7])
