"""What of an estimate has to lie somewhere? Its model, code, arena and static data, wherever they lie."""

from __future__ import annotations

from .estimate import Estimate, Interval, total, unknown
from .placement import Contents

_NOWHERE = unknown("it lies nowhere")


def contents_of(estimate: Estimate) -> Contents:
    """The contents that `memory_uses` took apart; everything at the device's own homes."""
    found = {use.kind: use.used for memory in estimate.memories for use in memory.used}
    plan = estimate.plan
    parts = [use for kind, use in found.items() if kind.startswith("arena")]
    arena = total(parts, empty_source="no arena") if parts else _NOWHERE
    return Contents(
        _of(found, "weights"), _of(found, "code"), arena, _of(found, "static"), plan,
    )  # fmt: skip


def _of(found: dict[str, Interval], kind: str) -> Interval:
    return found.get(kind, _NOWHERE)
