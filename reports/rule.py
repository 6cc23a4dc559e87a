"""What is a rule: its id, how it is reported, what it means, what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Args:
        severity: how it is usually reported: error, warning or info.
        title: what happened, in a few words.
        meaning: why it matters and how it was found.
        remedy: what to do.
    """

    id: str
    severity: str
    title: str
    meaning: str
    remedy: str
