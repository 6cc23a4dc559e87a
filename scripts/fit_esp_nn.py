"""Fit the few free figures of the ESP32 family to what others measured; print how well they carry over.

usage: fit_esp_nn.py [--write]      (--write puts the figures into simulator/data/cores.csv)

cycles = CPI(core) x instructions + factor x missed weight bytes x clock / bandwidth of the flash + rest
CPI(core) = work(instruction set) / CoreMark per MHz (chip) x a departure of the chip, about 10 %

Robust least squares on log(predicted / measured), the departures being rows of their own: a chip of which
nothing was measured gets what its instruction set does. First column: all rows of a chip left out. Second:
one network of that chip given, the others with the same runtime predicted. Beside it: cycles in proportion to
multiplications, from the same rows. Rows: simulator/data/measured/esp.csv and esp_kernels.csv.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from esp_points import DATA, Point, points

SETS = {"esp32": "xtensa", "esp32-s2": "xtensa", "esp32-s3": "xtensa",
        "esp32-c3": "riscv", "esp32-c6": "riscv", "esp32-p4": "riscv"}  # fmt: skip
# CoreMark per MHz of one core: devices.csv. It states none for the ESP32-P4: taken as for the ESP32-C3.
COREMARK = {"esp32": 2.07, "esp32-s2": 1.97, "esp32-s3": 2.56,
            "esp32-c3": 2.55, "esp32-c6": 3.10, "esp32-p4": 2.55}  # fmt: skip
FACTOR = 1.25  # 32 bytes take 128 clocks on two wires, 64 on four; command, address and dummies 20 to 24
ABOUT = 0.10  # relative: how far a chip departs from its CoreMark, and the factor from the count of clocks
HUBER = 1.5  # standard deviations beyond which a row counts linearly
ROUNDS, STEP, START = 30, 1e-5, 2.6
# (core, device) of cores.csv -> the chip whose figure it gets
CORE_ROWS = {
    ("rv32imc", ""): "esp32-c3", ("rv32imac", "esp32-c6"): "esp32-c6", ("rv32imafc", ""): "esp32-p4",
    ("rv32imc", "esp32-c3"): "esp32-c3", ("rv32imafc", "esp32-p4"): "esp32-p4",
    ("xtensa-lx6", ""): "esp32", ("xtensa-lx7", ""): "esp32-s3", ("xtensa-lx7", "esp32-s2"): "esp32-s2",
}  # fmt: skip
CPI_AT, FACTOR_AT = 7, 11  # columns of cores.csv: value, then its bounds


class Figures(NamedTuple):
    """What is fitted: cycles per instruction of each chip's core, and bus times per missed byte."""

    cpi: dict[str, float]
    factor: float

    def cycles(self, p: Point) -> float:
        return self.cpi[p.chip] * p.instructions + self.factor * p.bus_cycles + p.other_cycles


class Left(NamedTuple):
    """A row predicted without itself: predicted / measured, and that of the proportional model."""

    point: Point
    given: str
    ratio: float
    proportional: float


def fit(given: Sequence[Point]) -> Figures:
    """Gauss-Newton with Huber weights; unknown: log of work per set, of each departure, of the factor."""
    sets = len(set(SETS.values()))
    x = np.concatenate([np.full(sets, np.log(START)), np.zeros(len(SETS) + 1)])
    for _ in range(ROUNDS):
        miss = _misses(x, given)
        slope = np.stack([(_misses(x + step, given) - miss) / STEP for step in np.eye(len(x)) * STEP], axis=1)
        weight = np.sqrt(np.minimum(1.0, HUBER / np.maximum(np.abs(miss), 1e-9)))
        x = x - np.linalg.lstsq(slope * weight[:, None], miss * weight, rcond=None)[0]
    return _figures(x)


def _figures(x: np.ndarray) -> Figures:
    sets = sorted(set(SETS.values()))
    cpi = {
        chip: float(np.exp(x[sets.index(kind)] + x[len(sets) + n]) / COREMARK[chip])
        for n, (chip, kind) in enumerate(SETS.items())
    }
    return Figures(cpi, FACTOR * float(np.exp(x[-1])))


def _misses(x: np.ndarray, given: Sequence[Point]) -> np.ndarray:
    """log(predicted / measured) of each row and each departure, in standard deviations."""
    figures, sets = _figures(x), len(set(SETS.values()))
    rows = [np.log(figures.cycles(p) / p.measured) / p.scatter for p in given]
    return np.array([*rows, *(x[sets:] / ABOUT)])


def proportional(given: Sequence[Point], p: Point) -> float:
    """Multiplications x the median cycles per multiplication of the given networks with that runtime."""
    each = [g.measured / g.macs for g in given if g.runtime == p.runtime and g.macs and not g.is_kernel]
    return p.macs * float(np.median(each)) if each else float("nan")


def first_column(known: Sequence[Point]) -> list[Left]:
    """Every network of a chip, all rows of that chip left out."""
    found = []
    for chip in dict.fromkeys(p.chip for p in known):
        rest = [p for p in known if p.chip != chip]
        figures = fit(rest)
        wanted = [p for p in known if p.chip == chip and not p.is_kernel]
        found += [_left(p, "", figures, proportional(rest, p)) for p in wanted]
    return found


def second_column(known: Sequence[Point]) -> list[Left]:
    """Every network of a chip and runtime from one other network of them, no other row of that chip."""
    found = []
    for one in (p for p in known if not p.is_kernel):
        same = [p for p in known if (p.chip, p.runtime) == (one.chip, one.runtime) and not p.is_kernel]
        wanted = [p for p in same if p.network != one.network]
        if wanted:
            figures = fit([*(p for p in known if p.chip != one.chip), one._replace(scatter=0.01)])
            found += [_left(p, one.network, figures, proportional([one], p)) for p in wanted]
    return found


def _left(p: Point, given: str, figures: Figures, simple: float) -> Left:
    return Left(p, given, figures.cycles(p) / p.measured, simple / p.measured)


def summary(left: Sequence[Left], title: str) -> str:
    errors = np.abs(np.array([row.ratio for row in left]) - 1) * 100
    simple = np.abs(np.array([row.proportional for row in left]) - 1) * 100
    lo, hi = np.quantile([1 / row.ratio for row in left], [0.1, 0.9])
    return (
        f"{title:38} n {len(left):2}  median {np.median(errors):5.1f} %"
        f"  p90 {np.quantile(errors, 0.9):5.1f} %  measured / predicted p10 {lo:.2f} p90 {hi:.2f}"
        f"  MACs x constant {np.nanmedian(simple):5.1f} %"
    )


def report(title: str, rows: Sequence[Left]) -> None:
    for row in rows:
        p, given = row.point, f"from {row.given}" if row.given else ""
        print(f"  {p.chip:9} {p.runtime:17} {p.network:24} {given:24} {100 * (row.ratio - 1):+6.1f} %"
              f"   MACs x constant {100 * (row.proportional - 1):+7.1f} %")  # fmt: skip
    print(summary(rows, f"{title}, all"))
    print(summary([r for r in rows if "esp-nn" in r.point.runtime], f"{title}, ESP-NN"))
    for chip in dict.fromkeys(r.point.chip for r in rows):
        print(summary([r for r in rows if r.point.chip == chip], f"  {chip}"))


def write(figures: Figures, path: Path = DATA / "cores.csv") -> None:
    """Put the figures into the rows of the ESP32 cores, their bounds in the same proportion."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for n, line in enumerate(lines):
        cells = line.split(",")
        chip = CORE_ROWS.get((cells[0], cells[2])) if len(cells) > FACTOR_AT and not cells[1] else None
        if chip is None:
            continue
        for at, value in ((CPI_AT, figures.cpi[chip]), (FACTOR_AT, figures.factor)):
            fixed = round(value, 3)
            ratio = fixed / float(cells[at])
            if ratio != 1:
                bounds = [f"{float(cell) * ratio:.4g}" for cell in cells[at + 1 : at + 3]]
                cells[at : at + 3] = [f"{fixed:g}", *bounds]
        lines[n] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_held_out(known: Sequence[Point], path: Path = DATA / "esp_held_out.csv") -> None:
    """Every network predicted without itself, for the table of `preflash validate latency`."""
    lines = [
        "# Latency on the ESP32 family without the row itself: ratio is predicted / measured, and that",
        "# of multiplications x a constant. Made by scripts/fit_esp_nn.py --write.",
        "left_out,chip,runtime,network,given,ratio,proportional_ratio",
    ]
    for name, rows in (("chip", first_column(known)), ("all but one network", second_column(known))):
        lines += [
            f"{name},{r.point.chip},{r.point.runtime},{r.point.network},{r.given},"
            f"{r.ratio:.4f},{r.proportional:.4f}"
            for r in rows
        ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    known = points()
    figures = fit(known)
    for p in known:
        miss = figures.cycles(p) / p.measured - 1
        print(f"  {p.chip:9} {p.runtime:17} {p.network:30} {100 * miss:+6.1f} %")
    print(f"fitted to all: factor {figures.factor:.3f}; CPI", figures.cpi)
    report("no measurement on that board", first_column(known))
    report("one network of it given", second_column(known))
    if "--write" in sys.argv:
        write(figures)
        write_held_out(known)


if __name__ == "__main__":
    main()
