"""What should the user know of encoded weights: zeros that save nothing here, RAM that decoding takes?"""

from __future__ import annotations

from collections.abc import Sequence

from ..devices.target import Target
from ..errors import PlanInvalid
from ..graphs.encodings.table import encodings_of
from ..graphs.encodings.tflm_lut import DECODE, compressed_weights
from ..graphs.ir import ModelGraph, Tensor
from ..graphs.kept import kept
from .encodings.decoders import decoded
from .estimate import Finding, Interval, MemoryPlan, OpEstimate, Severity, total
from .flash import model_bytes
from .memory.plan import plan_tflm

_QUICK = frozenset({"packed", "bitmask", "lut", "lut-per-channel", "2:4", "1:4"})
_WITH_TABLES = {"tflm-cmsis-nn": "tflm-cmsis-nn-lut"}


def raw_findings(graph: ModelGraph, target: Target) -> tuple[Finding, ...]:
    """Weights of a variant that the target stores as if nothing were known of them."""
    formed = [t for t in graph.tensors if t.form is not None and t.is_constant]
    if not formed or decoded(target):
        return ()
    raw, best = kept(graph, "formed weights", lambda _: _raw_and_best(formed))
    if best >= raw:
        return ()
    text = (
        f"zeros, shared and sub-byte values of {len(formed)} weight tensors do not shrink this file: "
        f"{target.runtime.name} stores {raw:,} B as the .tflite does; encoded they would take {best:,} B"
    )
    return (Finding("PF611", Severity.INFO, text, fix=_remedy(graph, target)),)


def decoding_findings(
    graph: ModelGraph, stored: ModelGraph, target: Target, *, plan: MemoryPlan | None,
    ops: Sequence[OpEstimate],
) -> tuple[Finding, ...]:  # fmt: skip
    """What TFLM's compression costs: whole tensors are decoded into the arena, in every inference.

    Args:
        graph, stored: the model as given and as the target holds it.
        plan, ops: of the latter.
    """
    before = None if stored is graph else _plain_plan(graph, target)
    if before is None or plan is None:
        return ()
    decoding = [op for op in ops if op.kind == DECODE]
    took = total((op.cycles for op in decoding), empty_source="no op decodes")
    largest = max((graph.tensors[c.tensor] for c in compressed_weights(graph)), key=lambda t: t.stored_bytes)
    more, saved = plan.min_bytes - before.min_bytes, model_bytes(graph) - model_bytes(stored)
    text = (
        f"decoding weights takes {more:,} B more arena, {plan.min_bytes:,} instead of {before.min_bytes:,}, "
        f"for {saved:,} B less flash; it {_cycles(took)} per inference. Each tensor is decoded whole "
        f"before its use, the largest {largest.stored_bytes:,} B ({largest.name})"
    )
    fix = "leave the largest tensors uncompressed, or take the plain runtime where RAM is short"
    severity = Severity.WARNING if more > 0 else Severity.INFO
    return (Finding("PF612", severity, text, tuple(op.index for op in decoding), fix),)


def _plain_plan(graph: ModelGraph, target: Target) -> MemoryPlan | None:
    try:
        return plan_tflm(graph, target.kernels)
    except PlanInvalid:
        return None


def _cycles(took: Interval) -> str:
    if took.value is None or took.lo is None or took.hi is None:
        return "takes an unknown time"
    return f"takes {took.value:,.0f} cycles ({took.lo:,.0f} to {took.hi:,.0f}, {took.basis})"


def _raw_and_best(formed: Sequence[Tensor]) -> tuple[int, int]:
    """Stored bytes, and those of the smallest of the encodings that are quick to size."""
    best = sum(min(one.size_bytes for one in encodings_of(t, _QUICK)) for t in formed)
    return sum(t.stored_bytes for t in formed), best


def _remedy(graph: ModelGraph, target: Target) -> str:
    """What would make use of them."""
    other = _WITH_TABLES.get(target.runtime.name)
    found = () if other is None else compressed_weights(graph)
    if not found:
        return "hardware that decodes weights, or a compressed download (gzip), makes use of them"
    raw = sum(graph.tensors[c.tensor].stored_bytes for c in found)
    least = sum(c.size_bytes for c in found)
    return f"-r {other} holds {least:,} B in place of {raw:,} B, for more RAM and time"
