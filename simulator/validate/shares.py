"""How far from measured shares of op kinds are ours? Per board, runtime and network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import FactsNotFound
from ..calibrate.shipped import fit_shipped
from .share_rows import Key, Shares, counted_cycles, held_out_cycles, other_shares, share, shares
from .table import Cell, Claim, ValidationTable

LARGEST_POINTS = 5.0
_FEWEST_BOARDS = 3  # with fewer a figure is printed and not called met
_SMALL = 0.0005  # a kind below this share on both sides has no line
_COLUMNS = (
    "set", "board", "runtime", "network", "op kind", "measured_pct", "ours_pct", "difference_points",
)  # fmt: skip
UNFITTED, IN_SAMPLE = "no op fitted", "in sample"
_OTHERWISE = {
    "EEESlab, kernels as counted": ("no op fitted: another library stands for its own", counted_cycles),
    "EEESlab, shapes left out": ("each layer by classes fitted to the other shapes", held_out_cycles),
}


@dataclass(frozen=True, slots=True)
class ShareSet:
    """Boards whose ops one source measured.

    Args:
        seen: what of these ops a fit has seen.
    """

    title: str
    devices: tuple[str, ...]
    seen: str
    how: str


_SETS = (
    ShareSet("mcufit_bench_ops", ("arduino-nano-33-ble", "esp32"), UNFITTED, "whole networks fit the core"),
    ShareSet("Alif E8, 8 ops", ("alif-e8",), UNFITTED, "seen: missed by 6.2 before depthwise kernels waited"),
    ShareSet("EEESlab, 29 layers", ("nucleo-h743zi",), IN_SAMPLE, "7 figures of 5 classes fitted to them"),
    ShareSet("Apollo510, 13 ops", ("apollo510",), IN_SAMPLE, "CPI of depthwise kernels is from these ops"),
)


def share_tables(
    _facts: Path | None = None, *, only: tuple[str, ...] | None = None
) -> tuple[ValidationTable, ...]:
    """The one table of this topic; its rows are in the package.

    Raises:
        FactsNotFound: another table was asked for.
    """
    for name in only or ():
        if name != "shares":
            raise FactsNotFound(f"there is no table {name!r}", fix="known: shares")
    return (share_table(),)


def share_table() -> ValidationTable:
    """A line per op kind, a claim per set, and the target over the boards of whose ops nothing was fitted."""
    found, fit = shares(), fit_shipped().fit
    lines = [line for one in _SETS for each in _of(one, found) for line in _lines(one.title, each)]
    claims = [_claim(f"{one.title} ({one.seen}: {one.how})", _of(one, found)) for one in _SETS]
    for title, (how, cycles) in _OTHERWISE.items():
        other = other_shares(cycles, fit)
        lines += _lines(title, other)
        claims.append(_claim(f"{title} ({how})", [other]))
    unseen = [each for one in _SETS if one.seen == UNFITTED for each in _of(one, found)]
    claims.append(_claim("boards of whose ops nothing was fitted, the kernels being those counted", unseen))
    return ValidationTable(
        "shares", "Share of each op kind in the time of the measured ops", _COLUMNS, tuple(lines),
        tuple(claims),
    )  # fmt: skip


def _of(one: ShareSet, found: dict[Key, Shares]) -> list[Shares]:
    return [each for key, each in found.items() if key[0] in one.devices]


def _lines(title: str, each: Shares) -> Iterator[tuple[Cell, ...]]:
    for kind in each.measured:
        both = share(each.measured, kind), share(each.ours, kind)
        if max(both) >= _SMALL:
            percent = (round(100 * part, 1) for part in both)
            yield title, *each.key, kind, *percent, round(each.points(kind), 1)


def _claim(text: str, found: Sequence[Shares]) -> Claim:
    """Met or missed from three boards on, else reported."""
    boards, ops = len({each.key[0] for each in found}), sum(each.ops for each in found)
    worst = max(found, key=lambda each: each.largest_points)
    is_enough = boards >= _FEWEST_BOARDS
    few = "" if is_enough else ", fewer than three boards"
    reached = f"largest {worst.largest_points:.1f} ({worst.key[0]} {worst.key[2]}; "
    return Claim(
        f"{text}: each op kind's share within {LARGEST_POINTS:g} points",
        f"{reached}{len(found)} networks, {ops} rows, n = {boards} boards{few})",
        worst.largest_points <= LARGEST_POINTS if is_enough else None,
    )
