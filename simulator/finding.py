"""What should the user know: findings, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Severity(str, Enum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the user should know. `rule` is a stable id that `preflash explain` knows."""

    rule: str
    severity: Severity
    message: str
    ops: tuple[int, ...] = ()
    fix: str = ""


_URGENCY = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def most_urgent_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors, then warnings, then infos; within a severity in the order they were found."""
    return tuple(sorted(findings, key=lambda finding: _URGENCY[finding.severity]))
