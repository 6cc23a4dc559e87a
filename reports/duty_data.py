"""How are period, battery and sleep that the user declared written as plain data, and by which schema."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from ..simulator.estimate import Duty
from .format import clean

_NUMBER_OR_NULL: dict[str, Any] = {"type": ["number", "null"]}
_DECLARED: dict[str, Any] = {"type": ["object", "null"]}
DUTY_SCHEMA: dict[str, Any] = {"period_s": _NUMBER_OR_NULL, "battery": _DECLARED, "sleep": _DECLARED}


def duty_data(duty: Duty) -> dict[str, Any]:
    """What was declared; the steps stand in the result's "period" with what they come to."""
    return {
        "period_s": duty.period_s,
        "battery": _plain(duty.battery),
        "sleep": _plain(duty.sleep),
    }


def _plain(block: BaseModel | None) -> dict[str, Any] | None:
    if block is None:
        return None
    fields = block.model_dump()
    return {key: clean(value) if isinstance(value, str) else value for key, value in fields.items()}
