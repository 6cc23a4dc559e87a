"""What do zeros, shared values and few bits of the weights do to the time on this target, and what would?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ..devices.target import Target
from .columns import KernelTable
from .estimate import Finding, Severity
from .kernels.skipping import profiting_rows, skipped
from .kernels.unpacking import coefficients, unpacked_rows
from .neon_routes import SPARSE

_MANY_ZEROS = 0.3  # of all weights: as int8 grids have a few percent of their own
_WOULD = (
    "what would: channels removed altogether, {hardware}, or sparse kernels for float32 1x1 convolutions "
    "(litert-xnnpack-sparse on Cortex-A)"
)
_Rows = npt.NDArray[np.bool_]


def weight_findings(table: KernelTable, target: Target) -> tuple[Finding, ...]:
    """What is exploited, and what is not; nothing for a model whose weights are just weights."""
    if "has_forms" not in table._cache:
        table._cache["has_forms"] = _has_forms(table)
    if not table._cache["has_forms"]:
        return ()
    exploited = _sparse_rows(table) | _skipping_rows(table, target)
    return (
        *_sparse_findings(table, target),
        *_hardware_findings(table, target),
        *_idle_zero_findings(table, target, exploited),
        *_value_findings(table, target),
    )


def _has_forms(table: KernelTable) -> bool:
    if any(facts.is_pruned or facts.codes or facts.is_narrow for facts in table.filters):
        return True
    if _int4_rows(table).any():
        return True
    return _zero_share(table, np.ones(len(table), dtype=bool)) >= _MANY_ZEROS


def _zero_share(table: KernelTable, rows: _Rows) -> float:
    """Of the weights of these rows."""
    values = float(table.filter_elements[rows].sum())
    return 1 - float(table.nonzero_elements[rows].sum()) / values if values else 0.0


def _sparse_rows(table: KernelTable) -> _Rows:
    return np.array([choice.route == SPARSE for choice in table.choices], dtype=bool)


def _skipping_rows(table: KernelTable, target: Target) -> _Rows:
    sparsity = target.device.sparsity
    if sparsity is None or not target.runtime.requires_npu:
        return np.zeros(len(table), dtype=bool)
    return profiting_rows(table, sparsity)


def _int4_rows(table: KernelTable) -> _Rows:
    """Rows whose kernel is made for packed weights."""
    return np.array([choice.route.endswith("_s4") for choice in table.choices], dtype=bool)


def _sparse_findings(table: KernelTable, target: Target) -> Iterator[Finding]:
    """1x1 convolutions that run sparse, and what the file must look like for it."""
    rows = np.flatnonzero(_sparse_rows(table))
    if not len(rows):
        return
    sizes = table.filter_elements[rows] > 0  # a filter behind DENSIFY is no constant of the op
    text = f"{target.runtime.label} multiplies only by the weights that are not zero in {_ops(table, rows)}"
    if not sizes.any():
        yield Finding("PF416", Severity.INFO, text, tuple(rows.tolist()))
        return
    yield Finding(
        "PF416", Severity.WARNING, f"{text}, if the file stores them sparse: this one stores them whole",
        tuple(rows.tolist()),
        "convert it with TensorFlow Lite's EXPERIMENTAL_SPARSITY; until then litert-xnnpack's latency holds",
    )  # fmt: skip


def _hardware_findings(table: KernelTable, target: Target) -> Iterator[Finding]:
    """What the sparsity hardware of the accelerator does with these zeros."""
    rows = np.flatnonzero(_skipping_rows(table, target))
    sparsity, npu = target.device.sparsity, target.device.npu
    if not len(rows) or sparsity is None or npu is None:
        return
    factors = skipped(table, sparsity).factor[rows]
    gain = "by a factor that its file does not declare"
    if not np.isnan(factors).any():
        gain = f"up to {factors.max():g} times as fast, which is the declared peak"
    text = f"{npu.name} skips zeros in {_ops(table, rows)}: it multiplies {gain}"
    yield Finding("PF602", Severity.INFO, text, tuple(rows.tolist()))


def _idle_zero_findings(table: KernelTable, target: Target, exploited: _Rows) -> Iterator[Finding]:
    """Zeros that are multiplied by like any other weight."""
    pruned = np.array([facts.is_pruned for facts in table.filters], dtype=bool)
    rows = ~exploited & (table.filter_elements > 0)
    if not (pruned & rows).any() and _zero_share(table, rows) < _MANY_ZEROS:
        return
    named = np.flatnonzero(rows & (table.nonzero_elements < table.filter_elements))
    if not len(named):
        return
    share = 1 - table.nonzero_elements[named].sum() / table.filter_elements[named].sum()
    text = (
        f"unstructured zeros do not speed up this target: {target.runtime.label} multiplies by all weights "
        f"of {_ops(table, named)}, {share:.0%} of which are zero; latency gain 0"
    )
    whys = [table.choices[row].why for row in named if table.choices[row].why]
    if target.kernels.flavour == "sparse" and whys:
        text += f" ({whys[0]})"
    fix = _WOULD.format(hardware=_hardware_wanted(target))
    yield Finding("PF414", Severity.INFO, text, tuple(named.tolist()), fix)


def _hardware_wanted(target: Target) -> str:
    sparsity = target.device.sparsity
    if sparsity is None:
        return "hardware that skips N:M zeros"
    kind = f"{sparsity.n}:{sparsity.m}" if sparsity.pattern == "n:m" else sparsity.pattern
    owner = target.device.npu.name if target.device.npu is not None else target.device.name
    return f"{kind} zeros on {owner}"


def _value_findings(table: KernelTable, target: Target) -> Iterator[Finding]:
    """Few bits and shared values: what they cost, or that they gain nothing."""
    packed = unpacked_rows(table, target)
    if packed.any():
        rows, per_mac = np.flatnonzero(packed), coefficients()["per_mac", ""]
        text = (
            f"weights of {_bits(table, rows)} bits lie packed in {_ops(table, rows)}: unpacking them takes "
            f"{per_mac:.2g} instructions per MAC, so fewer bits are slower here"
        )
        yield Finding("PF417", Severity.INFO, text, tuple(rows.tolist()))
    if (made := _int4_rows(table)).any():
        rows = np.flatnonzero(made)
        text = (
            f"the int4 kernels of {_ops(table, rows)} unpack weights as they run: more instructions than the "
            "int8 kernels need, so fewer bits are slower here"
        )
        yield Finding("PF417", Severity.INFO, text, tuple(rows.tolist()))
    narrow = np.array([facts.is_narrow or facts.codes > 0 for facts in table.filters], dtype=bool) & ~packed
    if narrow.any():
        rows = np.flatnonzero(narrow)
        codes = max(table.filters[row].codes for row in rows)
        bits = min(table.filters[row].bits for row in rows)
        what = f"{codes} shared values" if codes else f"weights of {bits} bits"
        text = (
            f"{what} do not speed up this core: {target.runtime.label} multiplies whole bytes in "
            f"{_ops(table, rows)}; latency gain 0"
        )
        fix = "they pay in flash or in an update, where something stores them packed"
        yield Finding("PF415", Severity.INFO, text, tuple(rows.tolist()), fix)


def _bits(table: KernelTable, rows: Sequence[int] | npt.NDArray[np.intp]) -> str:
    return ", ".join(str(bits) for bits in sorted({table.filters[row].bits for row in rows}))


def _ops(table: KernelTable, rows: npt.NDArray[np.intp]) -> str:
    """ "op 3 CONV_2D", or "4 ops (3 CONV_2D, 5 CONV_2D, ...)"."""
    names = [f"{table.ops[row].index} {table.ops[row].label}" for row in rows.tolist()]
    if len(names) == 1:
        return f"op {names[0]}"
    return f"{len(names)} ops ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
