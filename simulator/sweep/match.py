"""Which board? One model on every board with every runtime that fits it, the best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...devices.target import Target
from ...errors import BudgetInvalid
from ...graphs.ir import ModelGraph
from ..budget_words import BY_SEVERITY
from ..estimate import Conditions, Interval, Word
from ..points import price_points
from ..scenario import Said, Scenario, conditions_of

ORDERS = ("latency", "energy", "ram", "flash")


@dataclass(frozen=True, slots=True)
class Match:
    """One target, and what the model needs on it.

    Args:
        word: the verdict of `simulate`.
        limiting: the budget that decides: "flash:flash", "latency", "runtime".
        reason: why it refuses or what is unknown; "" if nothing is.
    """

    target: Target
    word: Word
    limiting: str
    reason: str
    arena_bytes: Interval
    ram_bytes: Interval
    flash_bytes: Interval
    latency_s: Interval
    energy_j: Interval

    def by(self, order: str) -> tuple[int, bool, float, float, str]:
        """What it is sorted by: verdict, then the figure (unknown last), then latency and name."""
        figures = {
            "latency": self.latency_s, "energy": self.energy_j,
            "ram": self.ram_bytes, "flash": self.flash_bytes,
        }  # fmt: skip
        value, second = figures[order].value, self.latency_s.value
        return (
            self.word.severity, value is None, value or 0.0, second or 0.0,
            f"{self.target.device.name} {self.target.runtime.label}",
        )  # fmt: skip


def match(
    graph: ModelGraph, targets: Sequence[Target], *, scenario: Scenario | None = None,
    said: Said | None = None, order: str = "latency",
) -> tuple[Match, ...]:  # fmt: skip
    """Every target with its verdict, what fits first and then by `order`.

    A condition that a board cannot meet at all (more reserved than it has) is a NO with its reason.

    Raises:
        BudgetInvalid: a condition that nobody can read, whatever the board.
    """
    conditions, refused = [], {}
    unreserved = None if scenario is None else scenario.model_copy(update={"reserved": ()})
    for target in targets[:1]:
        conditions_of(target, unreserved, replace(said or Said(), reserve=None))
    for number, target in enumerate(targets):
        try:
            conditions.append(conditions_of(target, scenario, said))
        except BudgetInvalid as error:
            refused[number] = str(error)
            conditions.append(Conditions())
    if len(refused) == len(targets) > 1 and len(set(refused.values())) == 1:
        raise BudgetInvalid(refused[0])
    points = price_points([graph], targets, conditions)
    found = []
    for number, target in enumerate(targets):
        figures = (
            points.arena_bytes,
            points.ram_bytes,
            points.flash_bytes,
            points.latency_s,
            points.energy_j,
        )
        word = BY_SEVERITY[int(points.verdicts.severity[0, number])]
        limiting, reason = points.verdicts.limiting[0, number], points.verdicts.reason[0, number]
        if number in refused:
            word, limiting, reason = Word.NO, "reservations", refused[number]
        found.append(Match(target, word, limiting, reason, *(each.at(0, number) for each in figures)))
    return tuple(sorted(found, key=lambda one: one.by(order)))
