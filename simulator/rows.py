"""One row per kernel of the answer, and their sums."""

from __future__ import annotations

from ..devices.target import Target
from ..graphs.ir import Op, Subgraph
from .columns import KernelTable
from .energy import energy_at, power_w
from .estimate import Basis, Interval, MemoryPlan, OpEstimate, exact, unknown
from .interval import weakest
from .latency import CycleColumns, op_latency
from .traffic import TrafficColumns

_NO_OPS = "the model has no ops"


def op_rows(
    subgraph: Subgraph, table: KernelTable, target: Target, *, cycles: CycleColumns,
    traffic: TrafficColumns, plan: MemoryPlan | None,
) -> tuple[OpEstimate, ...]:  # fmt: skip
    """The table's rows as values, in execution order."""
    live = plan.live_bytes if plan is not None and len(plan.live_bytes) == len(table) else None
    macs = table.macs.tolist()
    weights = table.weight_bytes.tolist()
    moved, drawn_w = traffic.rows(), power_w(target)
    rows = []
    for row, op in enumerate(table.ops):
        choice = table.choices[row]
        latency_s = op_latency(cycles, row, target)
        outputs = [subgraph.tensors[t] for t in op.outputs]
        rows.append(
            OpEstimate(
                index=op.index,
                kind=op.label,
                name=outputs[0].name if outputs else "",
                fused=tuple(part.label for part in op.fused[1:]),
                inputs=_names(subgraph, op.inputs),
                outputs=tuple(tensor.name for tensor in outputs),
                output_shape=outputs[0].shape if outputs else (),
                kernel=f"{choice.library}/{choice.route}",
                kernel_status=_status(op, choice.library, target, latency_s),
                kernel_note=choice.why,
                macs=None if macs[row] != macs[row] else int(macs[row]),
                weight_bytes=int(weights[row]),
                traffic=moved[row],
                cycles=cycles.interval(row),
                latency_s=latency_s,
                energy_j=energy_at(latency_s, drawn_w),
                bound=cycles.bound[row],
                live_bytes=None if live is None else live[row],
            )
        )
    return tuple(rows)


def _status(op: Op, library: str, target: Target, latency_s: Interval) -> str:
    if op.kind not in target.runtime.op_table and op.kind != "CUSTOM":
        return "unsupported"
    if latency_s.value is None:
        return "unpriced"
    return "reference" if library == "reference" else "optimised"


def _names(subgraph: Subgraph, indices: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(subgraph.tensors[t].name for t in indices if t >= 0)


def total_latency_s(table: KernelTable, cycles: CycleColumns, clock_hz: float) -> Interval:
    """Sum over the rows / clock; bounds add, as the errors of one core go one way.

    With a row that nobody can price the total is null and its `lo` a lower bound.
    """
    if len(table) == 0:
        return exact(0.0, _NO_OPS)
    unpriced = [row for row in range(len(table)) if cycles.basis[row] is Basis.UNKNOWN]
    source = cycles.source[_dominant(cycles, unpriced)] if len(unpriced) < len(table) else ""
    bounded = cycles.lo == cycles.lo  # nan differs from itself
    lo = float(cycles.lo[bounded].sum()) / clock_hz
    if unpriced:
        named = ", ".join(dict.fromkeys(table.ops[row].label for row in unpriced))
        reasons = "; ".join(dict.fromkeys(cycles.reason[row] for row in unpriced))
        least = lo if bounded.any() else None
        return unknown(f"no price for {named}: {reasons}", at_least=least, source=source)
    return Interval(
        float(cycles.value.sum()) / clock_hz,
        lo,
        float(cycles.hi.sum()) / clock_hz,
        _basis_of_most(cycles),
        source,
    )


def _dominant(cycles: CycleColumns, unpriced: list[int]) -> int:
    """The row that takes the most time among the priced ones; its source stands for the sum's."""
    lost = set(unpriced)
    return max(range(len(cycles.basis)), key=lambda row: -1.0 if row in lost else cycles.value[row])


def _basis_of_most(cycles: CycleColumns) -> Basis:
    """The worst basis among the rows that make up the sum, rows of less than 1 % of it left aside."""
    whole = float(cycles.value.sum())
    heavy = [
        basis
        for basis, value in zip(cycles.basis, cycles.value.tolist(), strict=True)
        if value >= 0.01 * whole
    ]
    return weakest(heavy or cycles.basis)


def total_macs(table: KernelTable) -> Interval:
    """Multiply-accumulates of all rows; a lower bound where one op's are not known."""
    known = table.macs[table.macs == table.macs]
    source = "counted from shapes"
    if len(known) == len(table):
        return exact(float(known.sum()), source)
    lost = [op.label for op, macs in zip(table.ops, table.macs.tolist(), strict=True) if macs != macs]
    named = ", ".join(dict.fromkeys(lost))
    return unknown(f"MACs of {named} are not known", at_least=float(known.sum()), source=source)
