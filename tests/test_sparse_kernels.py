"""Speed where something exploits it: sparse products, N:M hardware, packed weights; and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash.devices.catalog import load_target
from preflash.devices.spec import SparsitySpec
from preflash.devices.target import Target
from preflash.graphs.ir import DType, ModelGraph, WeightForm
from preflash.graphs.passes.fusion import fuse
from preflash.graphs.variants.weights import packed_int4, weights, with_tensors
from preflash.graphs.zoo import build
from preflash.simulator.interval import Basis, Interval
from preflash.simulator.kernels import spmm
from preflash.simulator.kernels.skipping import skipped
from preflash.simulator.kernels.unpacking import coefficients
from preflash.simulator.latency import CycleColumns, kernel_cycles
from preflash.simulator.points import price_points
from preflash.simulator.rows import total_latency_s
from preflash.simulator.simulate import simulate
from preflash.simulator.validate.sparse_rows import randomly_pruned
from preflash.simulator.workload import compile_table

SPARSE = load_target("pixel-2", "litert-xnnpack-sparse")
DENSE = load_target("pixel-2", "litert-xnnpack")
SMALL = build("fast-mobilenet-v1", dtype="float32", width=0.25, resolution=64, classes=10)
NPU = load_target("example-npu")


def latency_s(graph: ModelGraph, target: Target) -> Interval:
    table = compile_table(fuse(graph, target.runtime.fusion).graph, target.kernels)
    return total_latency_s(table, kernel_cycles(table, target), target.clock_hz)


def cycles_of(graph: ModelGraph, target: Target) -> CycleColumns:
    return kernel_cycles(compile_table(fuse(graph, target.runtime.fusion).graph, target.kernels), target)


def with_forms(graph: ModelGraph, form: WeightForm, values: np.ndarray | None = None) -> ModelGraph:
    """Every weight with this form; int8 values repeat the row that is given."""
    changed = []
    for weight in weights(graph):
        tensor = graph.tensors[weight.tensor]
        data = tensor.data if values is None else np.resize(values, weight.count).astype(np.int8).tobytes()
        changed.append(replace(tensor, data=data, form=form))
    return with_tensors(graph, changed)


# Sparse products.


def test_a_sparse_product_costs_its_weights_that_are_not_zero() -> None:
    """10 of 100 weights stay: 0.1 of the MACs, at the fitted cost of each; 8 bytes are read per weight."""
    table = compile_table(fuse(randomly_pruned(SMALL, 0.9), SPARSE.runtime.fusion).graph, SPARSE.kernels)
    rows = np.flatnonzero(spmm.is_sparse(table))
    assert len(rows) == 13
    np.testing.assert_allclose(
        spmm.nonzero_macs(table)[rows], 0.1 * table.macs[rows], rtol=0.02
    )  # whole weights
    activations = table.in_bytes + table.out_bytes
    bias = 4 * table.extents.out_c
    expected = 8 * table.nonzero_elements + bias + activations
    np.testing.assert_array_equal(spmm.sparse_stream_bytes(table)[rows], expected[rows])


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_a_denser_network_is_never_faster(one: float, other: float) -> None:
    """As pruned everywhere alike; also across the 2/3 from which the runtime takes its sparse kernels."""
    dense, sparse = (latency_s(randomly_pruned(SMALL, z), SPARSE) for z in sorted((one, other)))
    assert dense.value is not None and sparse.value is not None
    assert dense.value >= sparse.value * (1 - 1e-9)


@settings(max_examples=10, deadline=None)
@given(st.floats(0, 0.66))
def test_up_to_two_thirds_zeros_the_runtime_runs_dense_and_nothing_is_gained(zeros: float) -> None:
    graph = randomly_pruned(SMALL, zeros)
    assert latency_s(graph, SPARSE) == latency_s(graph, DENSE) == latency_s(SMALL, DENSE)


@pytest.mark.parametrize("name", ["kws01", "mobilenet-v2", "resnet-v1-32"])
@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_a_model_without_zeros_costs_the_same_with_sparse_kernels_as_without(name: str, dtype: str) -> None:
    graph = build(name, dtype=dtype)
    assert latency_s(graph, SPARSE) == latency_s(graph, DENSE)


def test_int8_has_no_sparse_kernel_and_the_report_says_so() -> None:
    graph = build("fast-mobilenet-v1", width=0.25, resolution=64)
    int8 = with_forms(graph, WeightForm(mask=np.zeros(1, bool)), np.array([0, 0, 0, 5]))
    answer = simulate(int8, SPARSE)
    assert answer.ops[2].kernel == "xnnpack/gemm"
    assert "sparse kernels are for float32, not int8" in answer.ops[2].kernel_note
    (idle,) = (f for f in answer.findings if f.rule == "PF414")
    assert "75% of which are zero; latency gain 0" in idle.message and "not int8" in idle.message


def test_blocks_of_output_channels_lower_only_the_low_end() -> None:
    """4x1: four weights share four loads, (4 + 16) of 32 vector instructions = 0.625."""
    free = randomly_pruned(SMALL, 0.75)
    changed = []
    for weight in weights(free):
        tensor = free.tensors[weight.tensor]
        if tensor.form is not None:
            kept = np.arange(tensor.shape[0]) // 4 % 4 == 0  # of 16 output channels the first four
            values = np.where(kept[:, None, None, None], np.float32(1), np.float32(0)) * np.ones(tensor.shape)
            form = WeightForm(mask=values != 0, pattern="4x1")
            changed.append(replace(tensor, data=values.astype(np.float32).tobytes(), form=form))
    blocks = with_tensors(free, changed)
    plain = with_tensors(blocks, [replace(t, form=WeightForm(mask=t.form.mask)) for t in changed if t.form])
    ours, unstructured = cycles_of(blocks, SPARSE), cycles_of(plain, SPARSE)
    np.testing.assert_array_equal(ours.value, unstructured.value)
    np.testing.assert_array_equal(ours.hi, unstructured.hi)
    ratio = ours.lo / unstructured.lo
    assert sorted(set(np.round(ratio, 6))) == [0.625, 1.0]


def test_where_nobody_measured_sparse_kernels_the_interval_is_wider_and_analytic() -> None:
    graph = randomly_pruned(SMALL, 0.9)
    table = compile_table(fuse(graph, SPARSE.runtime.fusion).graph, SPARSE.kernels)
    rows = np.flatnonzero(spmm.is_sparse(table))
    known, elsewhere, threads = (
        kernel_cycles(table, target)
        for target in (SPARSE, load_target("raspberry-pi-4b", "litert-xnnpack-sparse"),
                       load_target("pixel-2", "litert-xnnpack-sparse", threads=4))
    )  # fmt: skip
    assert {known.basis[row] for row in rows} == {Basis.CALIBRATED}
    for other in (elsewhere, threads):
        assert {other.basis[row] for row in rows} == {Basis.ANALYTIC}
        assert ((other.hi / other.lo)[rows] > (known.hi / known.lo)[rows]).all()
    assert "never with 4 threads on cortex-a73" in threads.source_of(int(rows[0]))


def test_many_variants_at_once_cost_what_each_costs_alone() -> None:
    variants = [randomly_pruned(SMALL, zeros) for zeros in (0.0, 0.5, 0.8, 0.95)]
    points = price_points(variants, [SPARSE, DENSE])
    for row, graph in enumerate(variants):
        assert points.latency_s.at(row, 0) == latency_s(graph, SPARSE)
        assert points.latency_s.at(row, 1) == latency_s(graph, DENSE)
    assert points.latency_s.value[2, 0] < points.latency_s.value[2, 1]


# Zeros, shared values and few bits where nothing exploits them.


@pytest.mark.parametrize(("board", "runtime"), [
    ("nucleo-f746zg", "tflm-cmsis-nn"), ("nucleo-l4r5zi", "tflm-reference"), ("esp32-s3", "tflm-esp-nn"),
    ("pixel-2", "litert-xnnpack"), ("example-npu", "tflm-cmsis-nn"),
])  # fmt: skip
def test_zeros_and_bits_gain_no_time_on_ordinary_targets(board: str, runtime: str) -> None:
    graph, target = build("kws01"), load_target(board, runtime)
    pruned = with_forms(graph, WeightForm(mask=np.zeros(1, bool)), np.array([0, 3, 0, 0]))
    narrow = with_forms(graph, WeightForm(bits=4), np.array([-7, 3, 0, 7]))
    shared = with_forms(graph, WeightForm(codebook=np.arange(16.0)), np.arange(16))
    assert latency_s(pruned, target) == latency_s(narrow, target) == latency_s(graph, target)
    rules = [{f.rule for f in simulate(g, target).findings} for g in (graph, pruned, narrow, shared)]
    assert [found & {"PF414", "PF415"} for found in rules] == [set(), {"PF414"}, {"PF415"}, {"PF415"}]


def test_the_finding_says_what_would_help() -> None:
    pruned = with_forms(build("kws01"), WeightForm(mask=np.zeros(1, bool)), np.array([0, 3, 0, 0]))
    (here,) = (f for f in simulate(pruned, load_target("nucleo-f746zg")).findings if f.rule == "PF414")
    assert here.message.startswith("unstructured zeros do not speed up this target: tflm-cmsis-nn")
    for help_ in ("channels removed altogether", "N:M", "litert-xnnpack-sparse"):
        assert help_ in here.fix
    (npu,) = (f for f in simulate(pruned, NPU).findings if f.rule == "PF414")
    assert "2:4 zeros on example-accelerator" in npu.fix


def test_a_file_that_stores_pruned_weights_whole_is_warned_of() -> None:
    answer = simulate(randomly_pruned(SMALL, 0.9), SPARSE)
    (warned,) = (f for f in answer.findings if f.rule == "PF416")
    assert warned.severity.value == "warning" and len(warned.ops) == 13
    assert "this one stores them whole" in warned.message


# Sparsity hardware that a device declares.

TWO_OF_FOUR = WeightForm(mask=np.zeros(1, bool), pattern="2:4")


def spec(**declared: object) -> SparsitySpec:
    return SparsitySpec.model_validate({"source": "test", "confidence": "assumed", **declared})


def npu_with(sparsity: SparsitySpec) -> Target:
    return replace(NPU, device=NPU.device.model_copy(update={"sparsity": sparsity}))


def test_2_of_4_weights_multiply_at_the_declared_factor() -> None:
    """The example's NPU: 256 MACs per cycle, 16 elements, utilisation sqrt(0.4 x 0.9) = 0.6, 500 cycles."""
    graph = build("kws01")
    fitting = with_forms(graph, TWO_OF_FOUR, np.array([0, 3, 0, 4]))
    table = compile_table(fuse(fitting, NPU.runtime.fusion).graph, NPU.kernels)
    whole, ours = cycles_of(graph, NPU), kernel_cycles(table, NPU)
    pointwise = next(row for row, op in enumerate(table.ops) if op.kind == "CONV_2D" and row > 1)
    saved = table.macs[pointwise] / 256 / 2 / 0.6
    assert whole.compute_cycles[pointwise] - ours.compute_cycles[pointwise] == pytest.approx(saved)
    assert ours.hi[pointwise] == whole.hi[pointwise]  # the declared factor is a peak
    (used,) = (f for f in simulate(fitting, NPU).findings if f.rule == "PF602")
    assert "up to 2 times as fast" in used.message
    idle = latency_s(fitting, load_target("example-npu", "tflm-cmsis-nn"))  # its core, not the NPU
    assert idle == latency_s(graph, load_target("example-npu", "tflm-cmsis-nn"))


@pytest.mark.parametrize(
    ("row", "pattern"),
    [([0, 3, 2, 4], "2:4"), ([0, 3, 0, 4], ""), ([0, 3, 0, 4], "2:8"), ([0, 3, 0, 4], "4x1")],
)
def test_other_zeros_gain_nothing_from_2_of_4_hardware(row: list[int], pattern: str) -> None:
    other = with_forms(build("kws01"), replace(TWO_OF_FOUR, pattern=pattern), np.array(row))
    np.testing.assert_array_equal(cycles_of(other, NPU).value, cycles_of(build("kws01"), NPU).value)


def test_1_of_4_weights_suit_2_of_4_hardware() -> None:
    sparser = with_forms(build("kws01"), replace(TWO_OF_FOUR, pattern="1:4"), np.array([0, 0, 0, 4]))
    fitting = with_forms(build("kws01"), TWO_OF_FOUR, np.array([0, 3, 0, 4]))
    np.testing.assert_array_equal(cycles_of(sparser, NPU).value, cycles_of(fitting, NPU).value)


@pytest.mark.parametrize(
    ("declared", "factor"),
    [
        ({"pattern": "unstructured", "max_speedup": 8}, 4.0),  # 3 of 4 weights are zero
        ({"pattern": "unstructured", "max_speedup": 3}, 3.0),
        ({"pattern": "block", "n": 4, "m": 1, "max_speedup": 8}, 1.0),
        ({"pattern": "channel", "max_speedup": 8}, 1.0),
        ({"pattern": "n:m", "n": 1, "m": 4, "max_speedup": 4}, 4.0),
        ({"pattern": "n:m", "n": 1, "m": 4, "max_speedup": 4, "ops": ["FULLY_CONNECTED"]}, 1.0),
    ],
)
def test_each_declared_kind_skips_what_it_says(declared: dict[str, object], factor: float) -> None:
    pruned = with_forms(build("kws01"), replace(TWO_OF_FOUR, pattern="1:4"), np.array([0, 0, 0, 4]))
    table = compile_table(fuse(pruned, NPU.runtime.fusion).graph, NPU.kernels)
    pointwise = next(row for row, op in enumerate(table.ops) if op.kind == "CONV_2D" and row > 1)
    assert skipped(table, spec(**declared)).factor[pointwise] == pytest.approx(factor)


def test_a_factor_that_is_not_declared_is_unknown_and_its_low_end_skips_every_zero() -> None:
    target = npu_with(spec(pattern="n:m", n=2, m=4))
    fitting = with_forms(build("kws01"), TWO_OF_FOUR, np.array([0, 3, 0, 4]))
    whole = latency_s(fitting, target)
    assert whole.value is None and whole.lo is not None
    assert "does not declare how much faster" in whole.reason
    assert whole.lo == pytest.approx(latency_s(fitting, NPU).lo)
    assert latency_s(build("kws01"), target) == latency_s(build("kws01"), NPU)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 4), st.integers(0, 4), st.floats(1, 10))
def test_more_zeros_are_never_slower_on_hardware_that_skips_any(one: int, other: int, limit: float) -> None:
    target = npu_with(spec(pattern="unstructured", max_speedup=limit))
    graph = build("conv-add-pool-relu")

    def with_zeros(count: int) -> float:
        pruned = with_forms(
            graph, WeightForm(mask=np.zeros(1, bool)), np.array([0] * count + [1] * (5 - count))
        )
        return latency_s(pruned, target).value or 0.0

    few, many = sorted((one, other))
    assert with_zeros(many) <= with_zeros(few) * (1 + 1e-9)


# Weights that kernels unpack.


def test_unpacking_adds_instructions_per_mac_to_ops_with_packed_weights() -> None:
    """added cycles = MACs of ops with weights x instructions per MAC x cycles per instruction."""
    graph = with_forms(build("micronet-kws-m"), WeightForm(bits=4), np.array([-7, 3, 0, 7]))
    packed, plain = (load_target("nucleo-f746zg", r) for r in ("micronets-4bit", "tflm-cmsis-nn"))
    added_s = (latency_s(graph, packed).value or 0) - (latency_s(graph, plain).value or 0)
    table = compile_table(graph, packed.kernels)
    weighted = table.macs[table.filter_elements > 0].sum()
    per_mac_cycles = added_s * 216e6 / weighted
    assert 0.5 < per_mac_cycles / coefficients()["per_mac", ""] < 2.0  # what the core's CPI is
    assert latency_s(build("micronet-kws-m"), packed) == latency_s(build("micronet-kws-m"), plain)
    assert any(f.rule == "PF417" for f in simulate(graph, packed).findings)


@pytest.mark.parametrize(("bits", "is_packed"), [(1, True), (2, True), (4, True), (5, False), (7, False)])
def test_only_weights_of_four_bits_or_fewer_are_packed(bits: int, is_packed: bool) -> None:
    graph = with_forms(build("kws01"), WeightForm(bits=bits), np.array([0, 1]))
    packed, plain = (
        latency_s(graph, load_target("nucleo-f446re", r)) for r in ("micronets-4bit", "tflm-cmsis-nn")
    )
    assert packed.value is not None and plain.value is not None
    assert (packed.value > plain.value) is is_packed
    if is_packed:
        assert packed.basis is Basis.ANALYTIC  # measured on a Cortex-M7 only


def test_cmsis_nn_s_own_int4_kernels_are_counted_slower_than_int8_and_the_report_says_so() -> None:
    graph, target = build("kws01"), load_target("nucleo-f746zg", "tflm-cmsis-nn")
    packed = [
        replace(graph.tensors[weight.tensor], dtype=DType.INT4,
                data=packed_int4(np.resize(np.array([1, -3, 0], np.int8), weight.count)))
        for weight in weights(graph)
    ]  # fmt: skip
    int4 = with_tensors(graph, packed)
    ours, int8 = latency_s(int4, target), latency_s(graph, target)
    assert ours.value is not None and int8.value is not None
    assert 1.19 * int8.value < ours.value < 2.5 * int8.value
    assert any(f.rule == "PF417" and "int4 kernels" in f.message for f in simulate(int4, target).findings)
