"""TFLM's weight compression: what we write runs on TFLM, takes the planned arena and keeps every value."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from preflash.devices.catalog import load_target
from preflash.devices.target import KernelBuild
from preflash.graphs.build import GraphBuilder
from preflash.graphs.encodings.tflm_lut import DECODE, compressed_weights, lut_model, tflm_lut_bytes
from preflash.graphs.evaluate import constant_array
from preflash.graphs.ir import DType, ModelGraph, Quantization, Tensor
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.weights import weights, with_tensors
from preflash.simulator.memory.plan import plan_memory, plan_tflm
from preflash.simulator.points import price_points
from preflash.simulator.simulate import simulate
from tflm_oracle import need_oracle, record

_RUN = """
import sys
import numpy as np
from tflite_micro.python.tflite_micro import runtime
given = np.load(sys.argv[1])
results = []
for path in sys.argv[2:]:
    one = runtime.Interpreter.from_bytes(open(path, "rb").read(), arena_size=1 << 20)
    one.set_input(given, 0)
    one.invoke()
    results.append(one.get_output(0).tobytes())
sys.exit(0 if results[0] == results[1] else 3)
"""
HOST, ARM = KernelBuild("reference", "", "host64"), KernelBuild("reference", "", "arm32-short-enum")


def network(codes: int = 16, dtype: DType = DType.INT8) -> ModelGraph:
    """Convolution, depthwise, pointwise, fully connected; every channel of every weight has few values."""
    b = GraphBuilder("shared", dtype=dtype, seed=3)
    x = b.conv(b.input((1, 8, 8, 16)), 32, (3, 3))
    x = b.conv(b.depthwise(x, (3, 3)), 48)
    graph = b.finish([b.fully_connected(b.reshape(x, (1, -1)), 10)])
    return with_tensors(graph, [shared(graph.tensors[one.tensor], codes) for one in weights(graph)])


def shared(tensor: Tensor, codes: int) -> Tensor:
    """The stored values on a grid of at most `codes` values."""
    stored = constant_array(tensor).astype(np.float64)
    step = (stored.max() - stored.min()) / (codes - 1)
    on_grid = stored.min() + np.rint((stored - stored.min()) / step) * step
    whole = np.rint(on_grid) if tensor.dtype is DType.INT8 else on_grid
    return replace(tensor, data=whole.astype(constant_array(tensor).dtype).tobytes())


def decoded(graph: ModelGraph, number: int) -> Any:
    """What the n-th TFLM_DECODE op writes, by the rules of the format: the judge of the encoder."""
    op = [one for one in graph.ops if one.label == DECODE][number]
    indices, ancillary = (bytes(graph.tensors[t].data or b"") for t in op.inputs[:2])
    made = graph.tensors[op.outputs[0]]
    width, axis, stride = ancillary[5] & 7, ancillary[5] >> 4, ancillary[6]
    kind = {DType.INT8: np.int8, DType.FLOAT32: np.float32}[made.dtype]
    tables = np.frombuffer(ancillary[16:], kind).reshape(-1, stride)
    text = "".join(f"{byte:08b}" for byte in indices)
    places = [int(text[width * i : width * (i + 1)], 2) for i in range(made.element_count)]
    channel = np.zeros(made.shape, int)
    if axis != 15:
        channel += np.arange(made.shape[axis]).reshape(
            [-1 if d == axis else 1 for d in range(len(made.shape))]
        )
    return tables[channel.reshape(-1), places].reshape(made.shape)


@pytest.mark.parametrize("dtype", [DType.INT8, DType.FLOAT32])
@pytest.mark.parametrize("codes", [2, 5, 16, 100])
def test_every_value_comes_back_by_the_format_s_rules(codes: int, dtype: DType) -> None:
    graph = network(codes, dtype)
    small = compressed_weights(graph)
    stored = lut_model(graph)
    assert small
    for number, one in enumerate(small):
        assert np.array_equal(decoded(stored, number), constant_array(graph.tensors[one.tensor]))
        assert one.size_bytes == tflm_lut_bytes(graph.tensors[one.tensor])


def test_every_reader_gets_a_decoder_of_its_own_just_before_it() -> None:
    stored = lut_model(network())
    kinds = [op.label for op in stored.ops]
    assert kinds == [
        DECODE,
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        DECODE,
        "CONV_2D",
        "RESHAPE",
        DECODE,
        "FULLY_CONNECTED",
    ]
    assert stored.ops[1].producers[1] == 0


def test_a_tensor_that_would_grow_stays() -> None:
    """The depthwise kernel: 288 values of 4 bits are 144 B, and 32 tables of 9 values take 288."""
    graph = network()
    depthwise = next(one for one in weights(graph) if one.kind == "DEPTHWISE_CONV_2D")
    size = tflm_lut_bytes(graph.tensors[depthwise.tensor])
    assert size is not None and size > 288
    assert depthwise.tensor not in {one.tensor for one in compressed_weights(graph)}


@pytest.mark.parametrize(
    ("values", "scales", "axis", "size_bytes"),
    [
        (16, 1, 0, 1024 + 16 + 16),  # 2048 values of 4 bits, header, one table
        (17, 1, 0, 1280 + 16 + 17),  # 5 bits
        (128, 1, 0, 1792 + 16 + 128),  # 7 bits
        (129, 1, 0, None),  # 8 bits are no index
        (1, 1, 0, 256 + 16 + 1),  # an index has one bit at least
        (16, 1, 1, None),  # the kernel refuses a single scale along another dimension
    ],
)
def test_sizes_by_hand(values: int, scales: int, axis: int, size_bytes: int | None) -> None:
    stored = (np.arange(2048) % values).astype(np.int8).reshape(32, 64)
    q = Quantization(np.ones(scales, np.float32), np.zeros(scales, np.int64), axis)
    assert (
        tflm_lut_bytes(Tensor(0, "w", DType.INT8, (32, 64), stored.tobytes(), quantization=q)) == size_bytes
    )


def test_a_buffer_that_another_tensor_keeps_is_not_compressed() -> None:
    graph = network()
    first = weights(graph)[0].tensor
    copy = replace(graph.tensors[first], index=len(graph.tensors), name="the same")
    main = replace(graph.main, tensors=(*graph.tensors, copy))
    assert first in {one.tensor for one in compressed_weights(graph)}
    assert first not in {one.tensor for one in compressed_weights(graph.with_main(main))}


def test_compressing_twice_changes_nothing_and_dense_weights_neither() -> None:
    stored = lut_model(network())
    assert lut_model(stored) is stored
    dense = network(255)
    assert lut_model(dense) is dense


@pytest.mark.parametrize("codes", [2, 5, 16, 100])
def test_tflm_runs_it_with_the_same_outputs(codes: int, tmp_path: Path) -> None:
    need_oracle()
    graph = network(codes)
    write_tflite(graph, tmp_path / "plain.tflite")
    write_tflite(lut_model(graph), tmp_path / "stored.tflite")
    given = np.random.default_rng(codes).integers(-128, 128, (1, 8, 8, 16)).astype(np.int8)
    np.save(tmp_path / "given.npy", given)
    files = [str(tmp_path / name) for name in ("given.npy", "plain.tflite", "stored.tflite")]
    run = subprocess.run([sys.executable, "-c", _RUN, *files], capture_output=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr.decode()[-400:]


def test_the_arena_grows_as_tflm_records_it() -> None:
    """Head to the byte; of the tail what the decoders add, as op data of 64-bit builds are not recorded."""
    graphs = [network(), lut_model(network()), network(100), lut_model(network(100))]
    recorded, plans = record(graphs), [plan_tflm(graph, HOST) for graph in graphs]
    assert [plan.head_bytes for plan in plans] == [one.head_bytes for one in recorded]
    for plain, stored in ((0, 1), (2, 3)):
        ours = plans[stored].tail_bytes - plans[plain].tail_bytes
        assert (
            abs(ours - (recorded[stored].tail_bytes - recorded[plain].tail_bytes)) < 16
        )  # its end is rounded


def test_what_a_decoder_keeps_on_a_32_bit_core() -> None:
    """A pointer (4 B in 16) and a state of 36 B (in 48); 3 decoders, 6 more tensors, 3 more nodes."""
    plain, stored = plan_tflm(network(), ARM), plan_tflm(lut_model(network()), ARM)
    added = {kind: size - dict(plain.tail_items).get(kind, 0) for kind, size in stored.tail_items}
    assert 0 <= added["op data"] - 3 * (16 + 48) < 16  # they begin at a multiple of 16
    assert added["eval tensors"] == 6 * 12
    assert added["nodes and registrations"] == 3 * 32
    assert not stored.warnings


# the runtime ----------------------------------------------------------------------------------------


def test_a_runtime_that_compresses_is_priced_as_it_stores_the_model() -> None:
    graph = network()
    plain, small = load_target("nucleo-l4r5zi"), load_target("nucleo-l4r5zi", "tflm-cmsis-nn-lut")
    before, after = simulate(graph, plain), simulate(graph, small)
    written = len(write_tflite(lut_model(graph)))
    weights_of = next(u for m in after.memories for u in m.used if u.kind == "weights")
    assert weights_of.used.value == -(-written // 16) * 16
    assert after.metric("arena_used_bytes").value == plan_memory(lut_model(graph), plain).used_bytes
    assert after.metric("macs").value == before.metric("macs").value
    assert (after.metric("latency_s").value or 0) > (before.metric("latency_s").value or 0)
    assert after.model.file_bytes == before.model.file_bytes  # the model that was given


def test_decoding_has_a_price_in_ram_and_cycles_and_a_warning_says_so() -> None:
    estimate = simulate(network(), load_target("nucleo-l4r5zi", "tflm-cmsis-nn-lut"))
    warning = next(f for f in estimate.findings if f.rule == "PF612")
    decoding = [op for op in estimate.ops if op.kind == DECODE]
    assert warning.ops == tuple(op.index for op in decoding)
    assert "more arena" in warning.message and "less flash" in warning.message
    assert all(op.cycles.basis.value == "analytic" and op.macs == 0 for op in decoding)


def test_wide_indices_take_longer_per_weight_than_short_ones() -> None:
    """Up to 4 bits 16 weights are decoded per turn, wider ones one by one."""
    target = load_target("nucleo-l4r5zi", "tflm-cmsis-nn-lut")
    cycles = []
    for codes in (16, 40):
        ops = simulate(network(codes), target).ops
        cycles.append(next(op.cycles.value or 0 for op in ops if op.kind == DECODE))
    assert cycles[1] > 2 * cycles[0]


def test_a_sweep_prices_it_as_a_single_run_does() -> None:
    graphs = [network(), network(255)]
    targets = [load_target("nucleo-l4r5zi"), load_target("nucleo-l4r5zi", "tflm-cmsis-nn-lut")]
    points = price_points(graphs, targets)
    for v, graph in enumerate(graphs):
        for t, target in enumerate(targets):
            one = simulate(graph, target)
            for name in ("latency_s", "ram_bytes", "flash_bytes"):
                assert getattr(points, name).value[v, t] == pytest.approx(one.metric(name).value)


def test_a_model_written_compressed_is_read_and_priced_on_the_plain_runtime() -> None:
    again = parse_tflite(write_tflite(lut_model(network())))
    estimate = simulate(again, load_target("nucleo-l4r5zi"))
    own = simulate(network(), load_target("nucleo-l4r5zi", "tflm-cmsis-nn-lut"))
    assert estimate.metric("arena_used_bytes").value == own.metric("arena_used_bytes").value
    assert estimate.metric("latency_s").value == pytest.approx(own.metric("latency_s").value)
