"""How far from measured latencies are ours on the ESP32 family, its chips or all but one network left out?"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from .table import Cell, Claim

_HELD_OUT = Path(__file__).parents[1] / "data" / "esp_held_out.csv"
_TITLE = "ESP-NN on the ESP32 family"
_UNSEEN, _GIVEN, _FEWEST_BOARDS = 0.20, 0.08, 3
Row = dict[str, str]


def esp_lines() -> tuple[tuple[Cell, ...], ...]:
    """The line of the family in the table of latencies; inside is not held out there."""
    unseen, given = _rows("chip"), _rows("all but one network")
    choices = len({(row["chip"], row["given"]) for row in given})
    return (
        (
            _TITLE,
            len(unseen),
            len({row["chip"] for row in unseen}),
            _percent(unseen, 50),
            _percent(unseen, 90),
            _percent(unseen, 50, column="proportional_ratio"),
            None,
            choices,
            round(100 * _of_choices(given, 50), 1),
            round(100 * _of_choices(given, 90), 1),
        ),
    )


def esp_claims() -> Iterator[Claim]:
    cases = (
        ("chip", "no row of the chip known", _UNSEEN),
        ("all but one network", "one network known", _GIVEN),
    )
    for left_out, words, most in cases:
        rows = _rows(left_out)
        chips = len({row["chip"] for row in rows})
        reached = _of_choices(rows, 50) if rows[0]["given"] else _error(rows, 50)
        few = "" if chips >= _FEWEST_BOARDS else ", fewer than three boards"
        yield Claim(
            f"{_TITLE}: {words}: median <= {most:.0%}",
            f"{reached:.1%} ({len(rows)} predictions on {chips} chips{few})",
            reached <= most if chips >= _FEWEST_BOARDS else None,
        )
    rows = _rows("chip")
    plain, ours = _error(rows, 50, column="proportional_ratio"), _error(rows, 50)
    yield Claim(
        f"{_TITLE}: MACs x a constant loses clearly (twice the median error)",
        f"{plain:.1%} against {ours:.1%}",
        plain > 2 * ours,
    )


def _of_choices(rows: Sequence[Row], percentile: float) -> float:
    """The median, over all choices of (chip, network given), of this percentile of the others' errors."""
    choices: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        choices.setdefault((row["chip"], row["given"]), []).append(row)
    return float(np.median([_error(chosen, percentile) for chosen in choices.values()]))


def _rows(left_out: str) -> list[Row]:
    """Networks in ESP-NN's kernels; reference kernels are no part of the set."""
    with _HELD_OUT.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return [row for row in rows if row["left_out"] == left_out and row["runtime"] == "tflm-esp-nn"]


def _error(rows: Sequence[Row], percentile: float, *, column: str = "ratio") -> float:
    """|predicted / measured - 1|."""
    return float(np.nanpercentile([abs(float(row[column]) - 1) for row in rows], percentile))


def _percent(rows: Sequence[Row], percentile: float, *, column: str = "ratio") -> float:
    return round(100 * _error(rows, percentile, column=column), 1)
