"""Make simulator/data/power_spreads.csv: how far measured power lies from a prediction that did not see it.

usage: fit_power.py      (reads simulator/data/measured/energy.csv and the board files)

Each step is one thing that differs between the operating point that is known and the one asked for. Its
spread is that of measured / predicted over what was left out: p10 to p90, the ends where fewer than five are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np
from preflash.devices.catalog import device_names, load_device
from preflash.devices.operating_point import Asked, chosen_point
from preflash.devices.power import PowerPoint, PowerSpec
from preflash.simulator.power import Spread, active_power_w
from preflash.simulator.validate.energy_rows import Groups, Point, energy_rows, grouped, spec_of, used_groups
from preflash.simulator.validate.loads import measured_loads

OUT = Path(__file__).resolve().parents[1] / "simulator" / "data" / "power_spreads.csv"
HEADER = """\
# How far power at an asked operating point lies from the known one: measured / predicted, left-out rows.
# network: another network at the same point. release: another release of the runtime. runtime: another one.
# supply: another supply by the LDO or converter law. clock: exponents of (clock / known clock).
# load: measured power / (datasheet power per clock x clock). n: predictions; errors: of their |error|.
# Made by scripts/fit_power.py from data/measured/energy.csv and the points of devices/boards/*.toml.
"""
ONE = {step: Spread(1.0, 1.0, 1.0) for step in ("network", "release", "runtime", "supply", "clock", "load")}
FEW = 5
Same = Callable[[Point, Point], bool]


def main() -> None:
    groups = used_groups()
    steps = {
        "network": list(networks(groups)),
        "release": list(others(groups, lambda a, b: _place(a, b) and a.runtime_name == b.runtime_name)),
        "runtime": list(
            others(any_runtime(), lambda a, b: _place(a, b) and a.runtime_name != b.runtime_name)
        ),
        "supply": list(others(groups, lambda a, b: a.runtime == b.runtime and a.supply != b.supply)),
        "load": [load.ratio for load in measured_loads()],
    }
    lines = [f"{HEADER}step,value,lo,hi,n,median_error_pct,p90_error_pct"]
    for step, ratios in steps.items():
        value = median(ratios) if step == "load" else 1.0
        lines.append(_line(step, value, ratios, np.abs(np.array(ratios) / value - 1)))
    exponents = list(clock_exponents())
    lines.append(_line("clock", 1.0, exponents, np.abs(np.array(exponents) - 1)))
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(OUT.read_text(encoding="utf-8"))


def networks(groups: Groups) -> Iterator[float]:
    """Each row against the median of the other networks at its operating point."""
    for rows in groups.values():
        for row in rows:
            rest = [other.power_w for other in rows if other is not row]
            if rest:
                yield row.power_w / median(rest)


def any_runtime() -> Groups:
    """Also rows of runtimes that nobody models here: what a board draws does not ask who models it."""
    unmodelled = ("no runtime here models", "v0.5 reference")
    return grouped(
        row for row in energy_rows()
        if not row.left_out or (row.left_out.startswith(unmodelled) and row.point.supply is not None)
    )  # fmt: skip


def others(groups: Groups, same: Same) -> Iterator[float]:
    """The median of each operating point against what the others of its board say of it."""
    for point, rows in groups.items():
        known = spec_of({p: r for p, r in groups.items() if p != point and p.device == point.device
                         and p.clock_hz == point.clock_hz and same(p, point)})  # fmt: skip
        predicted = None if known is None else active_power_w(known, point.asked, ONE).value
        if predicted is not None:
            yield median(row.power_w for row in rows) / predicted


def _place(one: Point, other: Point) -> bool:
    return one.supply == other.supply


def clock_exponents() -> Iterator[float]:
    """log(power ratio) / log(clock ratio) of boards that state a slower point at the same supply."""
    for name in device_names():
        power = load_device(name).power
        measured = [] if power is None else [p for p in power.all_points if p.active_w is not None]
        for slow in measured:
            fast = _fastest(measured, slow)
            if slow.at_clock_hz and fast.at_clock_hz and fast.at_clock_hz > slow.at_clock_hz:
                ratio = np.log((fast.active_w or 0) / (slow.active_w or 0))
                yield float(ratio / np.log(fast.at_clock_hz / slow.at_clock_hz))


def _fastest(points: list[PowerPoint], slow: PowerPoint) -> PowerPoint:
    """The point of the highest clock at the same supply whose runtime is the nearest."""
    alike = [p for p in points if (p.supply_v, p.regulator) == (slow.supply_v, slow.regulator)]
    spec = PowerSpec.model_construct(**dict(alike[0]) | {"points": tuple(alike)})
    return chosen_point(spec, Asked(max(p.at_clock_hz or 0 for p in alike), None, slow.runtime)) or slow


def _line(step: str, value: float, ratios: list[float], errors: np.ndarray) -> str:
    ends = (10, 90) if len(ratios) >= FEW else (0, 100)
    lo, hi = (float(np.percentile(ratios, end)) for end in ends)
    middle, worst = 100 * float(np.median(errors)), 100 * float(np.percentile(errors, 90))
    ends_text = f"{min(lo, value):.4g},{max(hi, value):.4g}"
    return f"{step},{value:.4g},{ends_text},{len(ratios)},{middle:.1f},{worst:.1f}"


if __name__ == "__main__":
    main()
