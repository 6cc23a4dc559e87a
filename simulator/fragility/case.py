"""What is varied: model, target and conditions; and what a knob is that turns one figure of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from ...devices.target import Target
from ...graphs.ir import ModelGraph
from ..estimate import Conditions


class Case(NamedTuple):
    """What `simulate` is given."""

    graph: ModelGraph
    target: Target
    conditions: Conditions


@dataclass(frozen=True, slots=True)
class Knob:
    """One assumption that can be varied.

    Args:
        value, unit: what is assumed; None where it is no single number.
        confidence: how it is known: that of the file, the basis of a figure, or "given" by the user.
        turned: the case with so many times that value.
        note: what a reader of the result should know.
    """

    name: str
    value: float | None
    unit: str
    confidence: str
    source: str
    turned: Callable[[Case, float], Case]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Fixed:
    """An assumption that is not varied, and why."""

    name: str
    reason: str
