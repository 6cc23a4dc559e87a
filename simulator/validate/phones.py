"""How far from published latencies are ours on Cortex-A boards and phones? Per core and runtime."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from statistics import median

from ...errors import FactsNotFound
from ..interval import Interval
from ..kernels.xnnpack_data import coefficients
from ..latency import kernel_cycles
from ..rows import total_latency_s
from ..workload import compile_table
from .phone_claims import phone_claims
from .phone_rows import PhoneRow, all_phone_rows, left_out, phone_rows
from .table import Cell, Claim, ValidationTable

_HELD_OUT = Path(__file__).parents[1] / "data" / "neon_held_out.csv"
_LEAST_ROWS = 20  # fewer rows say nothing about how many lie inside
_Group = tuple[str, str]


def phones_table() -> ValidationTable:
    """|error| of the shipped coefficients, of fits that did not see the network, and of MACs x a constant."""
    groups: dict[_Group, list[PhoneRow]] = {}
    for row in phone_rows():
        groups.setdefault((row.target.device.core.name, row.runtime), []).append(row)
    held_out = tuple(_held_out("network"))
    lines = [_line(group, groups[group], held_out) for group in sorted(groups)]
    return ValidationTable(
        "phones",
        "LiteRT on Cortex-A boards and phones: |error| of the latency in percent, rows inside the interval",
        ("core", "runtime", "rows", "boards", "median", "p90", "inside", "network left out: rows", "median ",
         "p90 ", "MACs alone: median", "MACs alone: p90"),
        tuple(lines), (*phone_claims(), *_fit_claims(groups, held_out)),
        (*left_out(), "5 rows of the Cortex-A76 are a trained predictor's (nn-Meter), compared all the same"),
    )  # fmt: skip


def phone_tables(
    _facts: Path | None = None, *, only: tuple[str, ...] | None = None
) -> tuple[ValidationTable, ...]:
    """The one table; its rows are in the package, so no folder of facts is asked for.

    Raises:
        FactsNotFound: another table was asked for.
    """
    if only is not None and set(only) != {"phones"}:
        raise FactsNotFound(f"there is no table {', '.join(only)!r}", fix="known: phones")
    return (phones_table(),)


@lru_cache(maxsize=512)
def predicted(row: PhoneRow) -> Interval:
    """What `preflash check` says of this network on this board."""
    target = row.target
    table = compile_table(row.graph, target.kernels)
    return total_latency_s(table, kernel_cycles(table, target), target.clock_hz)


def by_macs(rows: Sequence[PhoneRow]) -> list[float]:
    """|error| where seconds = MACs x constant / (clock x threads); a constant per core, runtime and type."""
    errors = []
    for dtype in dict.fromkeys(row.dtype for row in rows):
        alike = [row for row in rows if row.dtype == dtype]
        work = [
            float(compile_table(row.graph, row.target.kernels).macs.sum())
            / (row.target.clock_hz * row.threads)
            for row in alike
        ]
        constant = median(row.latency_s / w for row, w in zip(alike, work, strict=True))
        errors += [abs(w * constant / row.latency_s - 1) for row, w in zip(alike, work, strict=True)]
    return sorted(errors)


def errors(rows: Sequence[PhoneRow]) -> list[float]:
    """|ours / published - 1|, ascending."""
    return sorted(abs((predicted(row).value or 0.0) / row.latency_s - 1) for row in rows)


def quantile(ascending: Sequence[float], fraction: float) -> float:
    """The smallest value with at least this fraction of all at or below it."""
    return ascending[max(0, -int(-fraction * len(ascending) // 1) - 1)]


def _line(group: _Group, rows: Sequence[PhoneRow], held_out: Sequence[Mapping[str, str]]) -> tuple[Cell, ...]:
    ours, plain = errors(rows), by_macs(rows)
    boards = {row.device for row in rows}
    away = sorted(_off(r) for r in held_out if r["runtime"] == group[1] and r["device"] in boards)
    inside = sum(_is_inside(row) for row in rows)
    return (
        *group, len(rows), len(boards), _percent(median(ours)), _percent(quantile(ours, 0.9)),
        f"{inside} / {len(rows)}", len(away), _percent(median(away)) if away else None,
        _percent(quantile(away, 0.9)) if away else None,
        _percent(median(plain)), _percent(quantile(plain, 0.9)),
    )  # fmt: skip


def _is_inside(row: PhoneRow) -> bool:
    ours = predicted(row)
    return ours.lo is not None and ours.hi is not None and ours.lo <= row.latency_s <= ours.hi


def _held_out(way: str) -> Iterator[dict[str, str]]:
    with _HELD_OUT.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        yield from (row for row in rows if row["left_out"] == way)


def _off(row: Mapping[str, str]) -> float:
    return abs(float(row["predicted_s"]) / float(row["latency_s"]) - 1)


def _fit_claims(
    groups: Mapping[_Group, Sequence[PhoneRow]], held_out: Sequence[Mapping[str, str]]
) -> Iterator[Claim]:
    fresh = [row for row in all_phone_rows() if row.network.startswith("mnasnet-b1")]
    away = errors(fresh)
    yield Claim("MnasNet-B1 on a Pixel 3, rows that no fit has seen: median <= 10 %, all within 20 %",
                f"median {_percent(median(away))} %, largest {_percent(away[-1])} % ({len(away)} rows)",
                median(away) <= 0.1 and away[-1] <= 0.2)  # fmt: skip
    boards = [row for row in phone_rows() if row.device.startswith("raspberry")]
    near = [error <= 0.2 for error in errors(boards)]
    yield Claim("Raspberry Pi rows within 20 %", f"{sum(near)} of {len(near)}", all(near))
    of_pi = [_off(row) <= 0.2 for row in held_out if row["device"].startswith("raspberry")]
    yield Claim("the same, their family of networks left out", f"{sum(of_pi)} of {len(of_pi)}", None)
    inside = [_was_inside(row) for row in held_out if row["level"] == "network"]
    share = sum(inside) / len(inside)
    met = None if len(inside) < _LEAST_ROWS else abs(share - 0.8) <= 0.07
    yield Claim("80 +- 7 % of rows with their network left out lie in the interval, which is theirs",
                f"{_percent(share)} % of {len(inside)}", met)  # fmt: skip
    for way in ("board", "cell", "core"):
        away = sorted(_off(row) for row in _held_out(way))
        reached = (
            f"median {_percent(median(away))} %, p90 {_percent(quantile(away, 0.9))} % ({len(away)} rows)"
        )
        yield Claim(f"a {way} left out{_ALONE[way]}", reached, None)
    away = sorted(map(_off, held_out))
    plain = sorted(error for rows in groups.values() for error in by_macs(rows))
    yield Claim("a family of networks left out, against MACs x a constant that saw it",
                f"median {_percent(median(away))} % against {_percent(median(plain))} %, "
                f"p90 {_percent(quantile(away, 0.9))} % against {_percent(quantile(plain, 0.9))} %",
                None)  # fmt: skip
    lost = [" on ".join(reversed(group)) for group, rows in groups.items()
            if len(rows) >= 3 and median(by_macs(rows)) <= median(errors(rows))]  # fmt: skip
    yield Claim("MACs x a constant is worse in sample for every core and runtime of 3 rows and more",
                f"not so: {', '.join(lost)}" if lost else "so everywhere", not lost)  # fmt: skip


_ALONE = {
    "board": " (most cores are on one board only)", "cell": ": a type of a library on a core", "core": "",
}  # fmt: skip


def _was_inside(row: Mapping[str, str]) -> bool:
    table, library = coefficients(), _LIBRARY_OF[row["runtime"]]
    ends = [table.get((f"network_{end}", library, "", ""), table[f"network_{end}", "", "", ""])
            for end in ("lo", "hi")]  # fmt: skip
    return ends[0] <= float(row["latency_s"]) / float(row["predicted_s"]) <= ends[1]


_LIBRARY_OF = {"litert-xnnpack": "xnnpack", "litert-builtin": "ruy", "litert-2018": "eigen",
               "litert-2018-app": "gemmlowp"}  # fmt: skip


def _percent(fraction: float) -> float:
    return round(100 * fraction, 1)
