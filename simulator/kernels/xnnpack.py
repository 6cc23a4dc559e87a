"""How long do NEON kernels take on a Cortex-A or phone core: XNNPACK, Ruy and their elders, op by op?

  seconds = equivalent MACs / (MACs per cycle x clock x speed-up of the threads)
            + bytes x bytes factor / stream bandwidth + kernels x (overhead + synchronisation)

Nothing overlaps. Equivalent MACs: those of a 1x1 convolution in whole tiles count 1; what a MAC with a larger
window, a depthwise tap, a result, an element and an exponential cost beside them is fitted per library and
type. Weights and activations are streamed once each. Threads share the multiplications, not the bandwidth.
Sparse products: spmm.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...devices.target import Target
from ..columns import Floats, Grades, KernelTable
from ..interval import Basis, grade_of
from .spmm import block_ratio, is_sparse, nonzero_macs, sparse_costs, sparse_stream_bytes
from .xnnpack_data import CLASSES, NeonCosts, is_priced, neon_costs

# Rows and columns of one tile of results, and channels of one depthwise pass: XNNPACK's GEMM 6x8 and DWCONV
# 8c in float32, 4x16 and 16c in int8 (google/XNNPACK, src/configs/gemm-config.c and dwconv-config.c).
_TILES = {"float32": (6, 8, 8), "int8": (4, 16, 16)}
_PRODUCTS = frozenset({"CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL", "TRANSPOSE_CONV"})
_RECURRENT = frozenset({"LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM", "SVDF", "RNN",
                        "UNIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_RNN"})  # fmt: skip
# An exponential, a root or a division per element; the hard-swish of MobileNetV3 set the price.
_ACTIVATIONS = frozenset({
    "HARD_SWISH", "LOGISTIC", "TANH", "SOFTMAX", "LOG_SOFTMAX", "GELU", "ELU", "EXP", "LOG", "SQRT", "RSQRT",
    "POW", "DIV", "SIN", "COS", "L2_NORMALIZATION",
})  # fmt: skip
# What moves nothing; a constant is densified once, when the model is loaded.
_VIEWS = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS", "DENSIFY"})
_TYPES = {"uint8": "int8", "int16": "", "float16": "", "int4": ""}


class NeonTerms(NamedTuple):
    """What a kernel does, per row: MACs in whole tiles by class, elements, and bytes streamed.

    `sparse` are MACs of sparse products whose weight is not zero.
    """

    gemm: Floats
    sparse: Floats
    window: Floats
    depthwise: Floats
    dense: Floats
    outputs: Floats
    elements: Floats
    activations: Floats
    streamed_bytes: Floats


class NeonCycles(NamedTuple):
    """Columns as latency.py has them: cycles of the core, their interval and how they are known."""

    value: Floats
    lo: Floats
    hi: Floats
    compute_cycles: Floats
    weight_stall_cycles: Floats
    stream_cycles: Floats
    grade: Grades
    source_of: Callable[[int], str]
    reason_of: Callable[[int], str]
    bound_by: Grades
    bounds: tuple[str, ...]


def neon_terms(table: KernelTable, dtype: str) -> NeonTerms:
    """The work of every row where its kernels compute in `dtype`."""
    e, kinds = table.extents, [op.kind for op in table.ops]
    rows, columns, channels = _TILES[dtype]
    pixels, taps = e.batch * e.out_h * e.out_w, e.k_h * e.k_w
    product, depthwise = _is(kinds, _PRODUCTS), _is(kinds, {"DEPTHWISE_CONV_2D"})
    recurrent, view, curve = _is(kinds, _RECURRENT), _is(kinds, _VIEWS), _is(kinds, _ACTIVATIONS)
    is_vector = product & (pixels <= 1)
    waste = _whole(pixels, rows) * _whole(e.out_c, columns) / np.maximum(pixels * e.out_c, 1)
    waste = np.where(_is(kinds, {"BATCH_MATMUL"}), 1.0, waste)
    tiled = np.where(product & ~is_vector, table.macs * waste, 0.0)
    plain = ~(product | depthwise | recurrent | view | curve)
    multiplies, sparse = product | depthwise | recurrent, is_sparse(table) > 0
    streamed = np.where(view, 0.0, table.weight_bytes + table.operand_bytes + table.out_bytes)
    return NeonTerms(
        gemm=np.where((taps == 1) & ~sparse, tiled, 0.0),
        sparse=np.where(sparse, nonzero_macs(table), 0.0),
        window=np.where(taps > 1, tiled, 0.0),
        depthwise=np.where(depthwise, pixels * _whole(e.out_c, channels) * taps, 0.0),
        dense=np.where(is_vector | recurrent, table.macs, 0.0),
        outputs=np.where(multiplies, table.out_elements, 0.0),
        elements=np.where(plain, np.maximum(table.in_elements, table.out_elements * taps), 0.0),
        activations=np.where(curve, table.out_elements, 0.0),
        streamed_bytes=np.where(sparse, sparse_stream_bytes(table), streamed),
    )  # fmt: skip


def phone_cycles(table: KernelTable, target: Target) -> NeonCycles:
    """Cycles of every row, threads and waiting included."""
    library = target.runtime.kernel_library
    types = [_computed_in(name, library) for name in table.data_types]
    by_type = {dtype: neon_costs(target, dtype) for dtype in dict.fromkeys(types) if dtype}
    parts = {dtype: _priced(table, target, dtype, costs) for dtype, costs in by_type.items()}
    lost = np.isnan(table.macs) | ~np.array(table.is_sized, dtype=bool)
    lost |= np.array([dtype == "" for dtype in types], dtype=bool)
    blank = np.zeros(len(table))
    picked = [sum((np.where(_is(types, {dtype}), part[n], 0.0) for dtype, part in parts.items()), blank)
              for n in range(4)]  # fmt: skip
    compute, stream, lo, hi = (np.where(lost, np.nan, column) for column in picked)
    bases = [Basis.UNKNOWN if gone else by_type[kind].basis for gone, kind in zip(lost, types, strict=True)]
    cycles = NeonCycles(
        compute + stream, lo, hi, compute, np.where(lost, 0.0, stream), _least(table, target),
        np.array([grade_of(basis) for basis in bases], dtype=np.int8),
        lambda row: "" if lost[row] else by_type[types[row]].source,
        lambda row: _reason(table, row, types[row]),
        np.where(lost, 2, np.where(compute >= stream, 0, 1)).astype(np.int8),
        ("compute", target.device.home_of("weights").name, "unknown"),
    )  # fmt: skip
    return _as_sparse(cycles, table, target) if is_sparse(table).any() else cycles


def _as_sparse(cycles: NeonCycles, table: KernelTable, target: Target) -> NeonCycles:
    """What is known of the rows that are sparse products, and from where."""
    sparse, costs = is_sparse(table) > 0, sparse_costs(target)
    grade = cycles.grade
    if not costs.is_measured:
        grade = np.where(sparse, np.maximum(grade, np.int8(grade_of(Basis.ANALYTIC))), grade)
    dense_source = cycles.source_of
    return cycles._replace(
        grade=grade.astype(np.int8), source_of=lambda row: costs.source if sparse[row] else dense_source(row)
    )


def _priced(table: KernelTable, target: Target, dtype: str, costs: NeonCosts) -> tuple[Floats, ...]:
    """Cycles of arithmetic with all overhead, of streaming, and both ends of their sum."""
    terms = neon_terms(table, dtype)
    work = terms.gemm + sum(getattr(terms, name) * costs.cost_of[name] for name in CLASSES)
    lo_ratio, hi_ratio = np.full(len(table), costs.lo_ratio), np.full(len(table), costs.hi_ratio)
    sparse = is_sparse(table) > 0
    if sparse.any():
        found = sparse_costs(target)
        work = work + terms.sparse * found.cost
        low = min(found.lo_ratio, costs.lo_ratio) * found.other_lo * block_ratio(table)
        lo_ratio = np.where(sparse, low, lo_ratio)
        hi_ratio = np.where(sparse, max(found.hi_ratio, costs.hi_ratio) * found.other_hi, hi_ratio)
    shared = 1 + (target.threads - 1) * costs.thread_efficiency
    waiting = costs.sync_s * target.clock_hz if target.threads > 1 else 0.0
    runs = (terms.streamed_bytes > 0).astype(np.float64)
    compute = work / (costs.macs_per_cycle * shared) + runs * (costs.overhead_cycles + waiting)
    stream = terms.streamed_bytes * costs.bytes_factor / _bandwidth(target, costs) * target.clock_hz
    compute, stream = compute * target.what_if.compute, stream * target.what_if.stalls
    total = compute + stream
    return compute, stream, total * lo_ratio, total * hi_ratio


def _bandwidth(target: Target, costs: NeonCosts) -> float:
    """What the core streams, never more than the memory's own peak."""
    access = target.device.home_of("arena").access
    peak = access.bandwidth_at(target.clock_hz) if access is not None else costs.stream_bytes_per_s
    return min(costs.stream_bytes_per_s, peak)


def _least(table: KernelTable, target: Target) -> Floats:
    """Each byte once at the peak bandwidth of the memory; 0 where the file states none."""
    access = target.device.home_of("arena").access
    if access is None:
        return np.zeros(len(table))
    dense = table.weight_bytes + table.in_bytes + table.out_bytes
    moved = np.where(is_sparse(table) > 0, sparse_stream_bytes(table), dense)
    return moved / access.bandwidth_at(target.clock_hz) * target.clock_hz


def _computed_in(data_type: str, library: str) -> str:
    """float32 or int8; "" where the library has no price for it. What is neither moves whole words."""
    dtype = _TYPES.get(data_type, "int8" if data_type == "int8" else "float32")
    return dtype if is_priced(library, dtype) else ""


def _reason(table: KernelTable, row: int, dtype: str) -> str:
    if not dtype:
        return f"nobody measured {table.data_types[row]} kernels of {table.choices[row].library}"
    return f"the work of {table.ops[row].label} is not known"


def _is(names: list[str], wanted: frozenset[str] | set[str]) -> npt.NDArray[np.bool_]:
    return np.array([name in wanted for name in names], dtype=bool)


def _whole(count: Floats, tile: int) -> Floats:
    """count rounded up to whole tiles."""
    whole: Floats = np.ceil(count / tile) * tile
    return whole
