"""Make simulator/data/neon.csv and neon_held_out.csv: what NEON kernels cost, from data/measured/phones.csv.

usage: OMP_NUM_THREADS=1 fit_xnnpack.py      (one thread: the same sums, bit for bit)

The form is that of simulator/kernels/xnnpack.py, the fit that of xnnpack_model.py. Left out and predicted
from the rest: each family of networks, each board, each (library, core, type) with one thread or with
several, each such cell altogether, and each core.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from preflash.simulator.validate.phone_rows import phone_rows
from xnnpack_model import Gain, Key, Model, Point, fit, keys, ncnn_gains, point_of

DATA = Path(__file__).resolve().parents[1] / "simulator" / "data"
HEADER = """\
# value of each coefficient of simulator/kernels/xnnpack.py; no core or type is for all of them. *_lo and
# *_hi: p10 and p90 of measured / predicted of rows left out of the fit, and of what ncnn gains by threads.
# Made by scripts/fit_xnnpack.py from data/measured/phones.csv; dot_product from ncnn (see the script).
"""
HELD_OUT = """\
# Rows of data/measured/phones.csv predicted by a fit that did not see their family of networks, their board,
# ...; level: what of the target was still known. Made by scripts/fit_xnnpack.py.
"""
# int8 products by dot product, beside the same core without: ncnn benchmark README, MobileNetV1 int8, one
# thread: 84.66 ms x 1.8 GHz on a Cortex-A72 to 14.38 ms x 2.4 GHz on a Cortex-A76 is 4.4; 1.6 is the core.
DOT_PRODUCT = {("xnnpack", "int8"): 2.75}
Left = tuple[str, str, Point, float]  # what was left out, what was still known, row, predicted seconds
ROW = ("device", "runtime", "threads", "network", "dtype")


def level(model: Model, p: Point) -> str:
    """What a fit still knows of the point's target."""
    if ("rate", "", p.core, "") not in model.index:
        return "core"
    if ("deviation", *p.cell) not in model.index:
        return "cell"
    if p.cell_and_threads in model.seen:
        return "network"
    return "more_threads" if p.row.threads > 1 else "fewer_threads"


def held_out(all_points: Sequence[Point], gains: Sequence[Gain]) -> list[Left]:
    """(what was left out, level, point, predicted seconds) of every point and way to leave it out."""
    ways: dict[str, Callable[[Point], object]] = {
        "network": lambda p: p.row.family, "board": lambda p: p.row.device,
        "threads": lambda p: p.cell_and_threads, "cell": lambda p: p.cell, "core": lambda p: p.core,
    }  # fmt: skip
    found = []
    for way, group_of in ways.items():
        for group in dict.fromkeys(map(group_of, all_points)):
            gone = [p for p in all_points if group_of(p) == group]
            rest = [p for p in all_points if group_of(p) != group]
            model = fit(rest, gains)
            gone = [p for p in gone if ("rate", p.library, "", p.row.dtype) in model.index]
            if gone:
                seconds = model.predictor(gone)(model.x)
                found += [(way, level(model, p), p, float(s)) for p, s in zip(gone, seconds, strict=True)]
    return found


def spreads(left: Sequence[Left], model: Model, gains: Sequence[Gain]) -> Iterator[tuple[Key, float, int]]:
    """p10 and p90 of measured / predicted per level, and per library where it has 20 rows."""
    least = min(1.0, float(np.quantile(thread_ratios(model, gains), 0.1)))
    for what in ("network", "fewer_threads", "more_threads", "cell", "core"):
        of = [(p.library, p.row.latency_s / s) for _, known, p, s in left if known == what]
        for library in ("", *dict.fromkeys(name for name, _ in of)):
            ratios = [ratio for name, ratio in of if library in ("", name)]
            if library and (what != "network" or len(ratios) < 20):
                continue
            low, high = np.quantile(ratios, [0.1, 0.9])
            low = min(low, least) if what == "fewer_threads" else low
            high = max(high, 1 / least) if what == "more_threads" else high
            yield (f"{what}_lo", library, "", ""), min(1.0, float(low)), len(ratios)
            yield (f"{what}_hi", library, "", ""), max(1.0, float(high)), len(ratios)


def thread_ratios(model: Model, gains: Sequence[Gain]) -> list[float]:
    """What ncnn gained by its threads, freed of what XNNPACK gains more / what XNNPACK is said to gain."""
    more = np.exp(model.x[model.index["ncnn_gain", "", "", ""]])
    one, several = (model.predictor([gain[n] for gain in gains])(model.x) for n in (0, 1))
    measured = np.array([gain.measured for gain in gains])
    return sorted(measured / more / (one / several))


def report(all_points: Sequence[Point], model: Model, left: Sequence[Left]) -> None:
    def line(name: str, pairs: Sequence[tuple[Point, float]]) -> None:
        off = np.array([abs(s / p.row.latency_s - 1) for p, s in pairs])
        print(f"{name:42} n {len(off):3}  median {np.median(off):6.1%}  p90 {np.quantile(off, 0.9):6.1%}")

    line("fitted", list(zip(all_points, model.predictor(all_points)(model.x), strict=True)))
    for way, known in dict.fromkeys((way, known) for way, known, *_ in left):
        line(f"left out by {way}, {known} known", [(p, s) for w, k, p, s in left if (w, k) == (way, known)])


def main() -> None:
    all_points = [point_of(row) for row in phone_rows()]
    gains = ncnn_gains()
    model = fit(all_points, gains)
    left = held_out(all_points, gains)
    report(all_points, model, left)
    shift = np.mean([model.x[at] for key, at in model.index.items() if key[0] == "rate" and not key[1]])
    seen = Counter(key for p in all_points for key, _ in keys(p))
    with (DATA / "neon.csv").open("w", newline="", encoding="utf-8") as file:
        file.write(HEADER)
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("name", "library", "core", "type", "value", "rows"))
        for key, at in model.index.items():
            moved = 0.0 if key[0] != "rate" else shift if key[1] else -shift
            value = float(np.exp(model.x[at] + moved))
            value = min(1.0, value) if key[0] == "thread_efficiency" else value
            out.writerow((*key, f"{value:.4g}", seen[key]))
        for cell, several in dict.fromkeys(p.cell_and_threads for p in all_points):
            count = sum(p.cell_and_threads == (cell, several) for p in all_points)
            out.writerow(("several_threads" if several else "one_thread", *cell, count, count))
        shared = [np.exp(model.x[at]) for key, at in model.index.items() if key[0] == "thread_efficiency"]
        out.writerow(
            ("thread_efficiency", "", "", "", f"{min(1.0, float(np.median(shared))):.4g}", len(shared))
        )
        for (library, dtype), ratio in DOT_PRODUCT.items():
            out.writerow(("dot_product", library, "", dtype, ratio, 2))
        out.writerows((*key, f"{ratio:.4g}", n) for key, ratio, n in spreads(left, model, gains))
    with (DATA / "neon_held_out.csv").open("w", newline="", encoding="utf-8") as file:
        file.write(HELD_OUT)
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("left_out", "level", *ROW, "latency_s", "predicted_s"))
        for way, known, p, s in left:
            row = [getattr(p.row, column) for column in (*ROW, "latency_s")]
            out.writerow((way, known, *row, f"{s:.3g}"))


if __name__ == "__main__":
    main()
