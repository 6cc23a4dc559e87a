"""How are period, battery, sleep and limits that the user declared written as plain data, by which schema."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from ..simulator.estimate import Conditions
from .format import clean

_NUMBER_OR_NULL: dict[str, Any] = {"type": ["number", "null"]}
_DECLARED: dict[str, Any] = {"type": ["object", "null"]}
_LIMIT_MEMBERS: dict[str, Any] = {
    "name": {"enum": ["ram", "flash", "energy"]},
    "value": {"type": "number", "exclusiveMinimum": 0},
    "unit": {"enum": ["B", "J"]},
}
_LIMIT: dict[str, Any] = {
    "type": "object", "properties": _LIMIT_MEMBERS, "required": list(_LIMIT_MEMBERS),
    "additionalProperties": False,
}  # fmt: skip
DECLARED_SCHEMA: dict[str, Any] = {
    "period_s": _NUMBER_OR_NULL, "battery": _DECLARED, "sleep": _DECLARED,
    "limits": {"type": "array", "items": _LIMIT},
}  # fmt: skip


def declared_data(conditions: Conditions) -> dict[str, Any]:
    """What was declared; the steps stand in the result's "period" with what they come to."""
    duty = conditions.duty
    return {
        "period_s": duty.period_s,
        "battery": _plain(duty.battery),
        "sleep": _plain(duty.sleep),
        "limits": [{"name": one.name, "value": one.value, "unit": one.unit} for one in conditions.limits],
    }


def _plain(block: BaseModel | None) -> dict[str, Any] | None:
    if block is None:
        return None
    fields = block.model_dump()
    return {key: clean(value) if isinstance(value, str) else value for key, value in fields.items()}
