"""How is an estimate written as JSON: `preflash/result/1`, strict, in the order of the model."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from .. import __version__
from ..graphs.passes.effect import FusionSide
from ..simulator.estimate import (
    BudgetCheck,
    Estimate,
    Finding,
    Interval,
    Layout,
    Line,
    MemoryFit,
    MemoryPlan,
    Metric,
    OpEstimate,
    Reservation,
    Rung,
    Traffic,
)
from .chart_data import roofline_data, traffic_data
from .duty_data import declared_data
from .format import clean
from .sections import free_bytes, verdict_sentence

SCHEMA_ID = "preflash/result/1"
_NOT_FINITE = "the figure has no finite value"
# Escaped, so that the text can also stand inside an HTML <script>.
_ESCAPES = (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"))


def render_json(estimate: Estimate, *, command: str = "", created: str = "") -> str:
    """The result as strict JSON in ASCII: one line per row of a table, a newline at the end.

    Args:
        command: the command line that makes this result again.
        created: UTC time in ISO 8601; "" leaves it out, so that equal estimates give equal bytes.
    """
    return dump(to_data(estimate, command=command, created=created))


def dump(document: Mapping[str, Any]) -> str:
    """The document with every row of a table on its own line."""
    members = (f" {_line(key)}: {_block(value)}" for key, value in document.items())
    return "{\n" + ",\n".join(members) + "\n}\n"


def _block(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"  {_line(row)}" for row in value) + "\n ]"
    if isinstance(value, dict) and any(isinstance(v, dict | list) and v for v in value.values()):
        rows = (f"  {_line(key)}: {_line(member)}" for key, member in value.items())
        return "{\n" + ",\n".join(rows) + "\n }"
    return _line(value)


def _line(value: Any) -> str:
    text = json.dumps(value, allow_nan=False, ensure_ascii=True)
    for plain, escaped in _ESCAPES:
        text = text.replace(plain, escaped)
    return text


def to_data(estimate: Estimate, *, command: str = "", created: str = "") -> dict[str, Any]:
    """The result as plain dicts and lists, in the schema's order."""
    document: dict[str, Any] = {"schema": SCHEMA_ID, "tool": {"name": "preflash", "version": __version__}}
    if created:
        document["created"] = created
    return document | {
        "command": command,
        "inputs": _inputs(estimate),
        "verdict": _verdict(estimate),
        "metrics": [_metric(m) for m in estimate.metrics],
        "memories": [_memory(m) for m in estimate.memories],
        "ops": [_op(op) for op in estimate.ops],
        "period": [_line_of(line) for line in estimate.cycle.lines] if estimate.cycle else [],
        "plan": None if estimate.plan is None else _plan(estimate.plan),
        "optimum": None if estimate.optimum is None else _layout(estimate.optimum),
        "ladder": [_rung(rung) for rung in estimate.ladder],
        "fusion": _fusion(estimate),
        "traffic": traffic_data(estimate),
        "roofline": roofline_data(estimate),
        "findings": [_finding(f) for f in estimate.findings],
        "assumptions": [
            {
                "text": clean(a.text),
                "value": clean(a.value),
                "source": clean(a.source),
                "confidence": a.confidence,
            }
            for a in estimate.assumptions
        ],
        "passed": [clean(text) for text in estimate.passed],
        "timings_s": dict(estimate.timings_s),
    }


def number(value: float | None) -> int | float | None:
    """A whole number as an integer, nothing for what is not finite.

    >>> number(4096.0), number(0.5), number(float("inf")), number(None)
    (4096, 0.5, None, None)
    """
    if value is None or not math.isfinite(value):
        return None
    return int(value) if value == int(value) else value


def _figure(i: Interval | Metric) -> dict[str, Any]:
    """value, lo, hi, basis, source, reason; what is not finite is unknown, and says so."""
    value, basis, reason = number(i.value), i.basis.value, i.reason
    if value is None and i.value is not None:
        basis, reason = "unknown", _NOT_FINITE
    return {
        "value": value, "lo": number(i.lo), "hi": number(i.hi), "basis": basis,
        "source": clean(i.source), "reason": clean(reason),
    }  # fmt: skip


def _metric(m: Metric) -> dict[str, Any]:
    figure = _figure(m)
    return {"name": m.name, "value": figure.pop("value"), "unit": m.unit, **figure}


def _inputs(estimate: Estimate) -> dict[str, Any]:
    model, target = estimate.model, estimate.target
    return {
        "model": {
            "name": clean(model.name), "format": "tflite", "sha256": model.sha256,
            "file_bytes": model.file_bytes, "op_count": model.op_count,
            "subgraph_count": model.subgraph_count, "macs": model.macs,
            "weight_bytes": model.weight_bytes, "input_dtypes": list(model.input_dtypes),
        },
        "device": {
            "name": target.device, "title": clean(target.title), "core": target.core,
            "clock_hz": number(target.clock_hz), "supply": clean(target.supply),
            "power_boundary": target.power_boundary,
        },
        "runtime": {
            "name": target.runtime, "title": clean(target.runtime_title),
            "kernel_library": target.kernel_library, "is_default": target.runtime_is_default,
        },
        "conditions": {
            "deadline_s": number(estimate.conditions.deadline_s),
            "tight_headroom": number(estimate.conditions.tight_headroom),
            "reservations": [r for m in estimate.memories for r in _reservations(m.reserved)],
            **declared_data(estimate.conditions),
        },
    }  # fmt: skip


def _reservations(reserved: Sequence[Reservation]) -> list[dict[str, Any]]:
    return [
        {"name": clean(r.name), "memory": r.memory, "size_bytes": r.size_bytes, "source": clean(r.source)}
        for r in reserved
    ]


def _verdict(estimate: Estimate) -> dict[str, Any]:
    verdict = estimate.verdict
    return {
        "word": verdict.word.value,
        "limiting": verdict.limiting,
        "sentence": clean(verdict_sentence(estimate)),
        "reasons": list(verdict.reasons),
        "budgets": [_budget(check) for check in verdict.budgets],
    }


def _budget(check: BudgetCheck) -> dict[str, Any]:
    return {
        "name": check.name, "unit": check.unit, "need": _figure(check.need), "budget": number(check.budget),
        "word": check.word.value, "headroom": number(check.headroom),
    }  # fmt: skip


def _memory(m: MemoryFit) -> dict[str, Any]:
    return {
        "name": m.name,
        "role": m.role,
        "capacity_bytes": m.capacity_bytes,
        "budget_bytes": m.budget_bytes,
        "free_bytes": number(free_bytes(m)),
        "reserved": _reservations(m.reserved),
        "used": [{"kind": use.kind, **_figure(use.used)} for use in m.used],
        "read_bytes": number(m.read_bytes),
        "write_bytes": number(m.write_bytes),
        "bandwidth_needed_bytes_per_s": _figure(m.bandwidth_needed_bytes_per_s),
        "bandwidth_at_deadline_bytes_per_s": _figure(m.bandwidth_at_deadline_bytes_per_s),
        "bandwidth_offered_bytes_per_s": _figure(m.bandwidth_offered_bytes_per_s),
    }


def _op(op: OpEstimate) -> dict[str, Any]:
    return {
        "index": op.index, "kind": clean(op.kind), "name": clean(op.name),
        "fused": [clean(text) for text in op.fused],
        "inputs": [clean(text) for text in op.inputs], "outputs": [clean(text) for text in op.outputs],
        "output_shape": list(op.output_shape),
        "kernel": {"id": clean(op.kernel), "status": op.kernel_status, "note": clean(op.kernel_note)},
        "macs": op.macs, "weight_bytes": op.weight_bytes,
        "traffic": _traffic(op.traffic),
        "cycles": _figure(op.cycles), "latency_s": _figure(op.latency_s), "energy_j": _figure(op.energy_j),
        "bound": op.bound, "live_bytes": op.live_bytes,
    }  # fmt: skip


def _line_of(line: Line) -> dict[str, Any]:
    return {
        "name": clean(line.name), "when": line.when, "core": line.core, "time_s": _figure(line.time_s),
        "energy_j": _figure(line.energy_j),
    }  # fmt: skip


def _plan(plan: MemoryPlan) -> dict[str, Any]:
    return {
        "planner": plan.planner,
        "head_bytes": plan.head_bytes,
        "tail_bytes": plan.tail_bytes,
        "used_bytes": plan.used_bytes,
        "min_bytes": plan.min_bytes,
        "temporary_bytes": plan.temporary_bytes,
        "decided_by": plan.decided_by,
        "stages": [{"stage": stage, "size_bytes": size} for stage, size in plan.stages],
        "lower_bound_bytes": plan.lower_bound_bytes,
        "peak_op": plan.peak_op,
        "clock_of_op": list(plan.clock_of_op),
        "live_bytes": list(plan.live_bytes),
        "tail_items": [{"kind": kind, "size_bytes": size} for kind, size in plan.tail_items],
        "buffers": [
            {
                "name": clean(b.name), "kind": b.kind, "subgraph": b.subgraph, "tensor": b.tensor, "op": b.op,
                "size_bytes": b.size_bytes, "offset_bytes": b.offset_bytes, "first": b.first, "last": b.last,
            }
            for b in plan.buffers
        ],
        "warnings": [clean(text) for text in plan.warnings],
    }  # fmt: skip


def _layout(best: Layout) -> dict[str, Any]:
    return {
        "solver": best.planner, "extent_bytes": best.extent_bytes, "is_optimal": best.is_optimal,
        "lower_bound_bytes": best.lower_bound_bytes, "proof": clean(best.proof),
        "offsets": list(best.offsets),
    }  # fmt: skip


def _rung(rung: Rung) -> dict[str, Any]:
    return {
        "budget_bytes": rung.budget_bytes,
        "options": [
            {"label": clean(o.label), "arena_bytes": o.arena_bytes, "cost": clean(o.cost),
             "executed_by": clean(o.executed_by)}
            for o in rung.options
        ],
    }  # fmt: skip


def _fusion(estimate: Estimate) -> dict[str, Any]:
    effect = estimate.fusion
    return {
        "rules": list(effect.rules),
        "applied": dict(effect.applied),
        "before": _side(effect.before, estimate.fusion_traffic.before),
        "after": _side(effect.after, estimate.fusion_traffic.after),
    }


def _traffic(moved: Sequence[Traffic]) -> list[dict[str, Any]]:
    return [
        {
            "memory": t.memory, "read_bytes": number(t.read_bytes), "write_bytes": number(t.write_bytes),
            "repeated_bytes": number(t.repeated_bytes),
        }
        for t in moved
    ]  # fmt: skip


def _side(side: FusionSide, moved: Sequence[Traffic]) -> dict[str, Any]:
    return {
        "op_count": side.op_count,
        "traffic_bytes": number(side.traffic_bytes),
        "peak_bytes": number(side.peak_bytes),
        "memories": _traffic(moved),
    }


def _finding(f: Finding) -> dict[str, Any]:
    return {
        "rule": f.rule, "severity": f.severity.value, "message": clean(f.message), "ops": list(f.ops),
        "fix": clean(f.fix),
    }  # fmt: skip
