"""One row per kernel of the answer, and their sums."""

from __future__ import annotations

import numpy as np

from ..devices.target import Target
from ..graphs.ir import Op, Subgraph
from .columns import KernelTable
from .energy import energy_at, power_w
from .estimate import Interval, MemoryPlan, OpEstimate, exact, unknown
from .latency import CycleColumns
from .totals import sum_latencies
from .traffic import TrafficColumns


def op_rows(
    subgraph: Subgraph, table: KernelTable, target: Target, *, cycles: CycleColumns,
    traffic: TrafficColumns, plan: MemoryPlan | None,
) -> tuple[OpEstimate, ...]:  # fmt: skip
    """The table's rows as values, in execution order."""
    live = plan.live_bytes if plan is not None and len(plan.live_bytes) == len(table) else None
    macs = table.macs.tolist()
    weights = table.weight_bytes.tolist()
    moved, drawn_w, bound = traffic.rows(), power_w(target), cycles.bound
    spent = zip(cycles.intervals(), cycles.intervals(per_s=target.clock_hz), strict=True)
    rows = []
    for row, (op, (count, latency_s)) in enumerate(zip(table.ops, spent, strict=True)):
        choice = table.choices[row]
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
                cycles=count,
                latency_s=latency_s,
                energy_j=energy_at(latency_s, drawn_w),
                bound=bound[row],
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
    """The sum over all rows of the table."""
    return sum_latencies(table, cycles, clock_hz, edges=np.array([0, len(table)])).interval(0)


def total_macs(table: KernelTable) -> Interval:
    """Multiply-accumulates of all rows; a lower bound where one op's are not known."""
    known = table.macs[table.macs == table.macs]
    source = "counted from shapes"
    if len(known) == len(table):
        return exact(float(known.sum()), source)
    lost = [op.label for op, macs in zip(table.ops, table.macs.tolist(), strict=True) if macs != macs]
    named = ", ".join(dict.fromkeys(lost))
    return unknown(f"MACs of {named} are not known", at_least=float(known.sum()), source=source)
