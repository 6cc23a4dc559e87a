"""Nothing is free: every op that a runtime runs has a price or says why not; its loops are those counted."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import preflash
import pytest
from cost_graphs import conv, depthwise, elementwise, fully_connected, one_op, pool, tensor
from preflash.devices.catalog import load_runtime
from preflash.devices.target import KernelBuild
from preflash.graphs.build import GraphBuilder
from preflash.graphs.geometry import Padding
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.ops import (
    BatchMatMulAttributes,
    PackAttributes,
    ResizeBilinearAttributes,
    TransposeConvAttributes,
)
from preflash.simulator.interval import Basis
from preflash.simulator.kernels.cores import CoreCosts, Spread
from preflash.simulator.kernels.instructions import Firmware, InstructionColumns, count_instructions
from preflash.simulator.kernels.reference import UNPRICED
from preflash.simulator.loops import loops_of
from preflash.simulator.workload import compile_table, op_macs

ROOT = Path(preflash.__file__).parent
BUILDS = {  # runtime -> (library, flavours, cores whose instructions are counted)
    "tflm-reference": ("reference", ("",), ("m0", "m3", "m4", "m7", "m33", "m55", "rv32imc")),
    "tflm-cmsis-nn": ("cmsis-nn", ("c", "dsp", "mve"), ("m0", "m4", "m55")),
    "tflm-esp-nn-ansi": ("esp-nn", ("ansi",), ("rv32imc",)),
}


def priced(
    graph: ModelGraph,
    core: str = "m4",
    *,
    library: str = "reference",
    flavour: str = "",
    has_fpu: bool = True,
) -> InstructionColumns:
    build = KernelBuild(library, flavour, "arm32-short-enum")  # type: ignore[arg-type]
    one = Spread(1, 1, 1)
    costs = CoreCosts(
        core, core, one, False, False, Spread(0, 0, 0), None, None, 1.0, Basis.CALIBRATED, "test"
    )  # fmt: skip
    return count_instructions(compile_table(graph, build), costs, Firmware(build, "O2", has_fpu))


def transpose_conv(dtype: DType) -> ModelGraph:
    tensors = [
        tensor(0, (4,), dtype=DType.INT32, constant=True), tensor(1, (6, 3, 3, 8), constant=True),
        tensor(2, (1, 5, 5, 8), dtype=dtype), tensor(3, (1, 10, 10, 6), dtype=dtype),
    ]  # fmt: skip
    attributes = TransposeConvAttributes(Padding.SAME, 2, 2)
    return one_op("TRANSPOSE_CONV", tensors, inputs=(0, 1, 2), outputs=(3,), attributes=attributes)


def batch_matmul(dtype: DType) -> ModelGraph:
    shapes = (4, 8, 16), (4, 16, 12), (4, 8, 12)
    tensors = [tensor(n, shape, dtype=dtype) for n, shape in enumerate(shapes)]
    attributes = BatchMatMulAttributes()
    return one_op("BATCH_MATMUL", tensors, inputs=(0, 1), outputs=(2,), attributes=attributes)


def svdf(dtype: DType) -> ModelGraph:
    shapes = (1, 40), (64, 40), (64, 8), (32,), (1, 512), (1, 32)
    constant = (False, True, True, True, False, False)
    tensors = [
        tensor(n, shape, dtype=dtype, constant=c)
        for n, (shape, c) in enumerate(zip(shapes, constant, strict=True))
    ]
    return one_op("SVDF", tensors, inputs=range(5), outputs=(5,))


def lstm(dtype: DType) -> ModelGraph:
    """Three steps of 16 inputs and 24 cells: four input and four recurrent matrices."""
    weights = [tensor(n, (24, 16), constant=True) for n in range(1, 5)]
    weights += [tensor(n, (24, 24), constant=True) for n in range(5, 9)]
    tensors = [tensor(0, (1, 3, 16), dtype=dtype), *weights, tensor(9, (1, 3, 24), dtype=dtype)]
    inputs = (*range(9), *(-1,) * 15)
    return one_op("UNIDIRECTIONAL_SEQUENCE_LSTM", tensors, inputs=inputs, outputs=(9,))


SHAPED: dict[str, Callable[[DType], ModelGraph]] = {
    "CONV_2D": lambda dtype: conv(6, 8, 8, kernel=3, dtype=dtype),
    "DEPTHWISE_CONV_2D": lambda _: depthwise(6, 8),
    "FULLY_CONNECTED": lambda dtype: fully_connected(16, 8, dtype=dtype),
    "AVERAGE_POOL_2D": lambda _: pool("AVERAGE_POOL_2D", 8, 8, window=2),
    "MAX_POOL_2D": lambda _: pool("MAX_POOL_2D", 8, 8, window=2),
    "TRANSPOSE_CONV": transpose_conv, "BATCH_MATMUL": batch_matmul, "SVDF": svdf,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm,
}  # fmt: skip
TWO_OPERANDS = {"ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "PRELU"}


def example(kind: str, dtype: DType) -> ModelGraph:
    if kind in SHAPED:
        return SHAPED[kind](dtype)
    return elementwise(kind, (1, 4, 4, 8), operands=1 + (kind in TWO_OPERANDS), dtype=dtype)


@pytest.mark.parametrize("runtime", BUILDS)
def test_every_op_that_a_runtime_runs_is_priced_or_says_why_not(runtime: str) -> None:
    library, flavours, cores = BUILDS[runtime]
    types = (DType.INT8, DType.INT16, DType.FLOAT32, DType.INT32)
    silent = []
    for support in load_runtime(runtime).ops:
        if support.op.startswith("CUSTOM:"):
            continue
        for dtype in types:
            if dtype.value not in support.types:
                continue
            graph = example(support.op, dtype)
            for core in cores:
                for flavour in flavours:
                    found = priced(graph, core, library=library, flavour=flavour, has_fpu=core != "m0")
                    is_free = not found.value[0] > 0
                    if is_free and found.reason[0] != UNPRICED.get(support.op):
                        silent.append((support.op, str(dtype), core, flavour, found.reason[0]))
    assert silent == []


def test_control_flow_says_that_its_work_is_known_only_when_running() -> None:
    for kind, reason in UNPRICED.items():
        found = priced(elementwise(kind, (4,)))
        assert np.isnan(found.value[0])
        assert "known only when running" in reason
        assert found.reason == [reason]


def test_layer_normalisation_costs_more_than_the_product_that_a_price_of_macs_sees() -> None:
    """49 tokens of 64: one product of 64 x 64, then mean, variance, root, scale and shift of each token."""
    b = GraphBuilder("layer norm", dtype=DType.INT8)
    x = b.fully_connected(b.input((49, 64)), 64)
    mean = b.mean(x, (1,), keep_dims=True)
    variance = b.mean(b.op("SQUARED_DIFFERENCE", (x, mean))[0], (1,), keep_dims=True)
    scaled = b.mul(b.sub(x, mean), b.unary("RSQRT", variance))
    graph = b.finish([b.add(scaled, b.activation_constant(np.linspace(-1, 1, 64)))])
    found = priced(graph, library="cmsis-nn", flavour="dsp").value
    macs = [op_macs(graph.main, op) for op in graph.ops]
    assert macs == [49 * 64 * 64, *[0] * 7]
    assert found[1:].sum() > 2 * found[0]


def test_gelu_of_simple_ops_costs_more_than_the_product_before_it() -> None:
    """0.5 x (1 + tanh(0.8 (x + 0.045 x x x))): six element ops that multiply nothing into an accumulator."""
    b = GraphBuilder("gelu", dtype=DType.INT8)
    x = b.fully_connected(b.input((49, 32)), 64)
    constant = b.activation_constant(np.full(64, 0.5))
    cube = b.mul(b.mul(x, x), x)
    inner = b.mul(b.add(x, b.mul(cube, constant)), constant)
    graph = b.finish([b.mul(b.mul(x, constant), b.add(b.unary("TANH", inner), constant))])
    found = priced(graph, library="cmsis-nn", flavour="dsp").value
    assert found[1:].sum() > found[0]


@pytest.mark.parametrize("core", ["m0", "m4", "m55", "rv32imc"])
@pytest.mark.parametrize("dtype", [DType.INT8, DType.FLOAT32])
def test_hard_swish_costs_more_than_relu6(core: str, dtype: DType) -> None:
    swish, relu = (
        priced(elementwise(kind, (1, 8, 8, 16), dtype=dtype), core, has_fpu=core != "m0")
        for kind in ("HARD_SWISH", "RELU6")
    )
    assert swish.value[0] > 1.2 * relu.value[0]


def test_floats_without_an_fpu_cost_many_times_more() -> None:
    for kind in ("ADD", "LOGISTIC", "CONV_2D", "SOFTMAX"):
        graph = conv(6, 8, 8, dtype=DType.FLOAT32) if kind == "CONV_2D" else example(kind, DType.FLOAT32)
        hard, soft = (priced(graph, has_fpu=fpu).value[0] for fpu in (True, False))
        assert soft > 5 * hard, kind


def packed(parts: int, axis: int) -> ModelGraph:
    tensors = [
        *(tensor(n, (6, 5)) for n in range(parts)),
        tensor(parts, (parts, 6, 5) if not axis else (6, parts, 5)),
    ]
    return one_op(
        "PACK", tensors, inputs=range(parts), outputs=(parts,), attributes=PackAttributes(parts, axis)
    )


def scaled_rows() -> ModelGraph:
    tensors = [tensor(0, (4, 3)), tensor(1, (1, 3)), tensor(2, (4, 3))]
    return one_op("MUL", tensors, inputs=(0, 1), outputs=(2,))


def over(axes: tuple[int, ...]) -> ModelGraph:
    b = GraphBuilder("reduced", dtype=DType.INT8)
    return b.finish([b.mean(b.input((2, 3, 4, 5)), axes)])


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (packed(3, 0), (3, 0, 0, False)),  # three whole tensors
        (packed(3, 1), (6 * 3, 0, 0, False)),  # six rows of each
        # 120 elements x 4 dimensions; dimension 0 is compared with both axes, 1 with one, 2 and 3 with two
        (over((1, 2)), (1, 120 * 4, 120 * (2 + 1 + 2 + 2), False)),
        (over((3,)), (1, 120 * 4, 120 * 4, False)),
        (elementwise("ADD", (2, 3), operands=2), (1, 0, 0, False)),
        (scaled_rows(), (1, 0, 0, True)),
    ],
)  # fmt: skip
def test_the_loops_of_an_op_follow_from_its_shapes(
    graph: ModelGraph, expected: tuple[int, int, int, bool]
) -> None:
    assert loops_of(graph.main, graph.ops[0]) == expected


def resized() -> ModelGraph:
    tensors = [
        tensor(0, (1, 4, 4, 16)),
        tensor(1, (2,), dtype=DType.INT32, constant=True),
        tensor(2, (1, 8, 8, 16)),
    ]
    return one_op(
        "RESIZE_BILINEAR", tensors, inputs=(0, 1), outputs=(2,), attributes=ResizeBilinearAttributes()
    )


def image_mean() -> ModelGraph:
    b = GraphBuilder("mean", dtype=DType.INT8)
    return b.finish([b.mean(b.input((1, 8, 8, 16)), (1, 2))])


def padded() -> ModelGraph:
    b = GraphBuilder("padded", dtype=DType.INT8)
    return b.finish([b.pad(b.input((1, 8, 8, 16)), ((0, 0), (1, 1), (1, 1), (0, 0)))])


@pytest.mark.parametrize(
    ("graph", "family", "shape"),
    [
        (image_mean(), "mean_s8", "1x8x8x16 over 1 2"),
        (padded(), "pad_s8", "1x8x8x16 to 1x10x10x16"),
        (resized(), "resize_bilinear_s8", "4x4x16 to 8x8x16"),
        (elementwise("LOGISTIC", (1000,)), "logistic_s8", "1000 radius 100"),
        (elementwise("HARD_SWISH", (1000,)), "hard_swish_s8", "1000 exponent 1"),
        (lstm(DType.INT8), "lstm_s8", "3 steps  16 inputs  32 cells"),
    ],
)
def test_a_counted_shape_is_priced_at_what_was_counted(graph: ModelGraph, family: str, shape: str) -> None:
    """The interval of a family covers the counts that it was made of; an LSTM scales with its cells."""
    counted = {(row["family"], row["shape"]): row for row in rows("reference_instructions.csv")}
    row = counted[family, shape]
    instructions = int(row["m4"]) * (3 * 4 * 24 * 40 / (3 * 4 * 32 * 48) if family == "lstm_s8" else 1)
    found = priced(graph)
    own = 1000.0  # the interpreter's own work
    assert found.basis == [Basis.CALIBRATED]
    assert found.family == [family]
    assert found.lo[0] <= instructions + own <= found.hi[0]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(name: str, folder: Path = ROOT / "simulator" / "data") -> list[dict[str, str]]:
    with (folder / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def test_the_coefficients_are_made_from_the_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    script("fit_reference_kernels").main(tmp_path)
    made, shipped = (rows("reference_coefficients.csv", *folder) for folder in ((tmp_path,), ()))
    keys = ("core", "family", "n", "term")
    assert [[row[key] for key in keys] for row in made] == [[row[key] for key in keys] for row in shipped]
    found, kept = ([float(row["coefficient"]) for row in part] for part in (made, shipped))
    assert found == pytest.approx(kept, rel=1e-3)
