"""What a target makes of encoded weights: what it decodes, what it stores, what it tells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from preflash.devices.catalog import load_target
from preflash.devices.spec import CompressionSpec, SparsitySpec
from preflash.devices.target import Target
from preflash.graphs.build import GraphBuilder
from preflash.graphs.encodings.values import Values
from preflash.graphs.evaluate import constant_array
from preflash.graphs.ir import DType, ModelGraph, Tensor, WeightForm
from preflash.graphs.tflite.forms import shared_values
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.weights import changed, real_values, weights, with_tensors
from preflash.simulator.encodings.decoders import decoded, decoded_by_hardware
from preflash.simulator.encodings.hardware import hardware_saving_bytes
from preflash.simulator.encodings.mlw import mlw_bits
from preflash.simulator.encodings.rows import encoding_rows
from preflash.simulator.simulate import simulate

KEPT = 0.2


def network(*, pruned: bool = False, codes: int = 0) -> ModelGraph:
    b = GraphBuilder("small", dtype=DType.INT8, seed=5)
    x = b.conv(b.input((1, 8, 8, 32)), 64, (3, 3))
    graph = b.finish([b.fully_connected(b.reshape(x, (1, -1)), 12)])
    return with_tensors(
        graph, [variant(graph.tensors[one.tensor], pruned=pruned, codes=codes) for one in weights(graph)]
    )


def variant(tensor: Tensor, *, pruned: bool, codes: int) -> Tensor:
    """The stored values on a grid of `codes` + 1 values, four of five zero, and what is known of it."""
    if not pruned and not codes:
        return tensor
    stored = constant_array(tensor).astype(np.int64)
    mask = np.abs(stored) > np.quantile(np.abs(stored), 1 - KEPT) if pruned else None
    if codes:
        stored = np.clip(np.rint(stored / (240 // codes)), -codes // 2, codes // 2) * (240 // codes)
    stored = stored if mask is None else stored * mask
    held = replace(tensor, data=stored.astype(np.int8).tobytes())
    if not codes:
        return replace(held, form=WeightForm(mask=mask))
    axis = 0 if len(tensor.shape) == 4 else None
    codebook, assignment = shared_values(real_values(held).astype(np.float64), axis)
    return replace(held, form=WeightForm(mask=mask, codebook=codebook, assignment=assignment))


def example(scheme: str, *, entries: int | None = None, n_of_m: tuple[int, int] | None = None) -> Target:
    """The example accelerator with another decompressor."""
    target = load_target("example-npu")
    said = {"source": "this test", "confidence": "assumed"}
    compression = CompressionSpec.model_validate({"scheme": scheme, "codebook_entries": entries, **said})
    sparsity = None
    if n_of_m is not None:
        pattern = {"pattern": "n:m", "n": n_of_m[0], "m": n_of_m[1], **said}
        sparsity = SparsitySpec.model_validate(pattern)
    device = target.device.model_copy(update={"compression": compression, "sparsity": sparsity})
    return replace(target, device=device)


# what is decoded -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("board", "runtime", "words"),
    [
        ("nucleo-l4r5zi", None, set()),
        ("nucleo-l4r5zi", "tflm-cmsis-nn-lut", {"tflm-lut"}),
        ("corstone-300", "tflm-cmsis-nn", set()),  # Ethos-U decodes, and TFLM alone does not drive it
        ("example-npu", None, {"lut", "lut-per-channel", "packed", "2:4"}),
    ],
)
def test_hardware_decodes_only_for_the_runtime_that_drives_it(
    board: str, runtime: str | None, words: set[str]
) -> None:
    assert decoded(load_target(board, runtime)) == words


@pytest.mark.parametrize(
    ("scheme", "graph", "chosen"),
    [
        ("bitmask", network(pruned=True), "bitmask"),
        ("run-length", network(pruned=True), "relative-4"),
        ("huffman", network(codes=16), "huffman"),
        ("lut", network(codes=8), "lut"),
        ("ethos-u-mlw", network(pruned=True), "ethos-u-mlw"),
        ("bitmask", network(), "raw"),
    ],
)
def test_flash_shrinks_by_what_the_hardware_decodes(scheme: str, graph: ModelGraph, chosen: str) -> None:
    target = example(scheme)
    rows = encoding_rows(graph, target)
    assert {row.chosen for row in rows} == {chosen}
    saved = hardware_saving_bytes(graph, target)
    assert saved is not None
    assert saved.value == sum(row.raw_bytes - (row.chosen_bytes.value or 0) for row in rows)
    held = next(u.used for m in simulate(graph, target).memories for u in m.used if u.kind == "weights")
    size = len(write_tflite(graph))
    assert held.value == -(-size // 16) * 16 - saved.value
    assert held.basis is (saved.basis if chosen == "ethos-u-mlw" else held.basis)


def test_a_table_of_the_hardware_holds_so_many_values_and_no_more() -> None:
    graph = network(codes=8)
    assert {row.chosen for row in encoding_rows(graph, example("lut", entries=16))} == {"lut"}
    assert {row.chosen for row in encoding_rows(graph, example("lut", entries=4))} == {"raw"}


def test_a_sparsity_unit_stores_its_own_pattern_only() -> None:
    """Three of every four weights zero: both 1:4 and 2:4 hold them."""
    graph = network()
    tensors = []
    for one in weights(graph):
        tensor = graph.tensors[one.tensor]
        mask = np.arange(tensor.element_count).reshape(tensor.shape) % 4 == 0
        form = WeightForm(mask=mask, pattern="1:4")
        tensors.append(changed(tensor, real_values(tensor) * mask, form))
    sparse = with_tensors(graph, tensors)
    assert {row.chosen for row in encoding_rows(sparse, example("huffman", n_of_m=(1, 4)))} == {"1:4"}
    row = encoding_rows(sparse, example("huffman", n_of_m=(1, 4)))[0]
    assert row.chosen_bytes.value == row.raw_bytes / 4 * (8 + 2) / 8  # a byte and two bits per group
    assert "1:4" not in decoded_by_hardware(example("huffman", n_of_m=(2, 4)))


# what is told -----------------------------------------------------------------------------------------


def test_a_plain_file_does_not_shrink_and_the_tool_says_so() -> None:
    for graph in (network(pruned=True), network(codes=16)):
        estimate = simulate(graph, load_target("nucleo-l4r5zi"))
        found = next(f for f in estimate.findings if f.rule == "PF611")
        raw = sum(graph.tensors[one.tensor].stored_bytes for one in weights(graph))
        assert "do not shrink this file" in found.message and f"{raw:,} B" in found.message


def test_the_remedy_for_shared_values_is_a_runtime_that_decodes_them() -> None:
    told = simulate(network(codes=16), load_target("nucleo-l4r5zi")).findings
    assert next(f for f in told if f.rule == "PF611").fix.startswith("-r tflm-cmsis-nn-lut")
    told = simulate(network(pruned=True), load_target("esp32-s3")).findings
    assert "gzip" in next(f for f in told if f.rule == "PF611").fix


def test_a_model_of_which_nothing_is_known_is_told_nothing() -> None:
    rules = {f.rule for f in simulate(network(), load_target("nucleo-l4r5zi")).findings}
    assert not rules & {"PF611", "PF612"}


def test_hardware_whose_encoding_is_priced_is_not_said_to_be_unpriced() -> None:
    rules = {f.rule for f in simulate(network(codes=8), example("lut")).findings}
    assert not rules & {"PF601", "PF611"}
    assert "PF601" in {f.rule for f in simulate(network(), load_target("corstone-300")).findings}


def test_rows_say_what_each_tensor_takes_in_everything() -> None:
    rows = encoding_rows(network(pruned=True, codes=16))
    assert [row.kind for row in rows] == ["CONV_2D", "FULLY_CONNECTED"]
    for row in rows:
        assert row.chosen == "raw" and row.chosen_bytes.value == row.raw_bytes
        assert row.sparsity >= 1 - KEPT and 2 <= row.codes <= 17
        assert 0 < row.entropy_bits < 4
        assert {word for word, _ in row.sizes} >= {"raw", "bitmask", "lut", "huffman", "relative-4"}
        assert row.smallest_bytes.value == min(size.value or 0 for _, size in row.sizes)
        exact = [size.basis.value for word, size in row.sizes if word != "ethos-u-mlw"]
        assert set(exact) == {"exact"}


# Ethos-U's codec ----------------------------------------------------------------------------------------


def drawn(sparsity: float, codes: int = 0, *, shape: tuple[int, ...] = (128, 1, 1, 128)) -> Values:
    draw = np.random.default_rng(1)
    values = draw.normal(0, 32, shape)
    if codes:
        values = draw.integers(1, codes + 1, shape) * (127 // codes)
    whole = np.clip(np.rint(values), -127, 127).astype(np.int8)
    whole[draw.random(shape) < sparsity] = 0
    return Values(whole.view(np.uint8), 8, 8)


@pytest.mark.parametrize(
    ("sparsity", "codes", "bits"),
    [  # mlw_codec_bits.csv: gauss, without and with shared values
        (0.0, 0, 7.83), (0.5, 0, 5.01), (0.8, 0, 2.35), (0.9, 0, 1.34),
        (0.0, 16, 4.02), (0.5, 16, 3.02), (0.8, 16, 1.56), (0.0, 32, 5.02),
    ],
)  # fmt: skip
def test_the_stream_is_as_long_as_the_codec_made_it(sparsity: float, codes: int, bits: float) -> None:
    values = drawn(sparsity, codes)
    found = mlw_bits(values)
    assert found.lo is not None and found.hi is not None
    assert found.lo <= bits * values.count * 1.02 and bits * values.count * 0.98 <= found.hi
    assert found.value == pytest.approx(bits * values.count, rel=0.06)
    assert found.basis.value == "calibrated"


@pytest.mark.parametrize(
    ("values", "is_depthwise", "reason"),
    [
        (drawn(0.97), False, "up to 95%"),
        (drawn(0.9, 16), False, "up to 80%"),
        (drawn(0.0, shape=(32, 3, 3, 3)), False, "small or depthwise"),
        (drawn(0.0, shape=(1, 9, 9, 64)), True, "small or depthwise"),
        (Values(np.ones((64, 64), np.uint16), 16, 16), False, "8 bits"),
    ],
)
def test_outside_the_table_the_stream_is_unknown(values: Values, is_depthwise: bool, reason: str) -> None:
    found = mlw_bits(values, is_depthwise=is_depthwise)
    assert found.value is None and reason in found.reason


def test_the_stream_is_never_shorter_than_the_entropy() -> None:
    for sparsity in (0.0, 0.3, 0.7):
        values = drawn(sparsity)
        assert (mlw_bits(values).lo or 0) >= values.entropy_bits * values.count
