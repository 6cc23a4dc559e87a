"""What is a comparison: rows of figures, and the claims they must bear out."""

from __future__ import annotations

from dataclasses import dataclass, field

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Claim:
    """One stated target, what was reached, and whether that is met (None: reported only)."""

    text: str
    reached: str
    is_met: bool | None


@dataclass(frozen=True, slots=True)
class ValidationTable:
    """One comparison.

    Args:
        name: what `--only` takes, e.g. "arenas".
        title: one sentence, what is compared with what.
        columns, rows: the figures; units are in the column names.
        claims: what the figures must bear out.
        left_out: what was not compared, and why.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    claims: tuple[Claim, ...] = ()
    left_out: tuple[str, ...] = field(default=())

    @property
    def is_missed(self) -> bool:
        return any(claim.is_met is False for claim in self.claims)
