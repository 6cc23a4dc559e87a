"""How far from ST's published RAM and flash are our X-CUBE-AI figures? Per release and family of networks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from ...devices.catalog import load_target
from ...graphs.passes.fusion import fuse
from ...graphs.tflite.read import read_tflite
from ..estimate import Interval
from ..flash import code_bytes, stored_model
from ..memory.plan import plan_memory
from ..memory.static import static_ram
from ..metrics import arena_figure
from ..releases import fitted_figures
from .facts import Facts
from .st_rows import KIB, Network, StRow, st_rows
from .table import Cell, Claim, ValidationTable

BOARD = "nucleo-h743zi"
_ROUNDING_BYTES = 5.2  # the file rounds to 0.01 KiB


@dataclass(frozen=True, slots=True)
class Figures:
    """Our four figures of one network at one release, in bytes."""

    activations: Interval
    weights: Interval
    code: Interval
    runtime_ram: Interval


@lru_cache(maxsize=256)
def figures(network: Network, version: str) -> Figures:
    """The figures of `preflash check -r x-cube-ai@VERSION` for this network."""
    target, graph = load_target(BOARD, f"x-cube-ai@{version}"), network.built()
    plan = plan_memory(fuse(graph, target.runtime.fusion).graph, target)
    return Figures(
        arena_figure(plan, "min_bytes", ""), stored_model(graph, target), code_bytes(graph, target),
        static_ram(graph, target),
    )  # fmt: skip


_WITH_INTERVAL = {"activations": "activation RAM", "code": "code flash", "runtime_ram": "runtime RAM"}
_STATED: dict[str, Callable[[StRow], float | None]] = {
    "activations": lambda row: row.activations_bytes,
    "weights": lambda row: row.weights_bytes,
    "code": lambda row: row.code_bytes,
    "runtime_ram": lambda row: row.runtime_ram_bytes,
}


def errors(rows: Sequence[StRow], figure: str) -> list[float]:
    """|ours / stated - 1| of the rows that state this figure, ascending."""
    found = []
    for row in rows:
        stated, ours = _STATED[figure](row), getattr(figures(row.network, row.version), figure)
        if stated is not None and ours.value is not None:
            found.append(abs(ours.value / stated - 1))
    return sorted(found)


def coverage(rows: Sequence[StRow], figure: str) -> tuple[int, int]:
    """How many rows lie in our interval, of how many that state this figure."""
    inside = total = 0
    for row in rows:
        stated, ours = _STATED[figure](row), getattr(figures(row.network, row.version), figure)
        if stated is None or ours.lo is None or ours.hi is None:
            continue
        total += 1
        inside += ours.lo - _ROUNDING_BYTES <= stated <= ours.hi + _ROUNDING_BYTES
    return inside, total


def quantile(ascending: Sequence[float], fraction: float) -> float:
    """The smallest value with at least this fraction of all at or below it."""
    at = max(0, -int(-fraction * len(ascending) // 1) - 1)
    return ascending[at]


def st_zoo_table(facts: Facts) -> ValidationTable:
    """Errors and coverage per release and family; the claims are over all rows and over each release."""
    rows, left_out = st_rows(facts)
    ordered = sorted(rows, key=lambda row: (float(row.version) == 3.0, float(row.version), row.family))
    lines = [
        _line(version, family, list(group))
        for (version, family), group in groupby(ordered, key=lambda row: (row.version, row.family))
    ]
    return ValidationTable(
        "x-cube-ai",
        "X-CUBE-AI on STM32H7 against ST's model zoo: |error| in percent, rows inside the interval",
        ("release", "family", "rows", "networks", "RAM median", "RAM p90", "RAM inside", "weights median",
         "weights p90", "code median", "code p90", "code inside", "runtime RAM median", "runtime RAM p90",
         "runtime RAM inside"),
        tuple(lines), (*_claims(rows), *_analyze_claims(facts)),
        tuple(f"{count} rows: {why}" for why, count in sorted(left_out.items())),
    )  # fmt: skip


def _line(version: str, family: str, rows: Sequence[StRow]) -> tuple[Cell, ...]:
    cells: list[Cell] = [version, family, len(rows), len({row.network for row in rows})]
    for figure in _STATED:
        found = errors(rows, figure)
        cells += [_percent(quantile(found, q)) if found else None for q in (0.5, 0.9)]
        if figure != "weights":
            inside, total = coverage(rows, figure)
            cells.append(f"{inside} / {total}" if total else None)
    return tuple(cells)


# st_edge_ai_analyze.csv -> the file in models/
_ANALYZED = {
    "person_detect.tflite": "person_detect.tflite", "kws.tflite": "kws_ref_model.tflite",
    "ad.tflite": "model_ToyCar_quant_fullint_micro_intio.tflite",
}  # fmt: skip


def _analyze_claims(facts: Facts) -> Iterator[Claim]:
    """Models that no fit has seen, analysed by a release that the file does not state: the plan alone."""
    target = load_target(BOARD, "x-cube-ai@7.3")
    for row in facts.rows("st_edge_ai_analyze.csv"):
        name = _ANALYZED.get(row["model"])
        if name is None:
            continue
        stated = float(row["activations_bytes"] or float(row["activations_kib"]) * KIB)
        graph = fuse(read_tflite(facts.path("models", name)), target.runtime.fusion).graph
        ours = plan_memory(graph, target).head_bytes
        yield Claim(f"{row['model']} analysed in 2026, release not stated: plan by the rules of 7.3",
                    f"{ours} B, stated {stated:.0f} B: {_percent(ours / stated - 1):+} %", None)  # fmt: skip


def _percent(fraction: float) -> float:
    return round(100 * fraction, 2)


def _claims(rows: Sequence[StRow]) -> tuple[Claim, ...]:
    by_version: dict[str, list[StRow]] = defaultdict(list)
    for row in rows:
        by_version[row.version].append(row)
    claims = [_ram_claim("all releases", rows)]
    claims += [_ram_claim(f"release {version}", own) for version, own in by_version.items()]
    claims.append(_weights_claim(rows))
    for figure, text in _WITH_INTERVAL.items():
        inside, total = coverage(rows, figure)
        claims.append(Claim(f"at least 80 % of the rows lie in the interval of {text}",
                            f"{inside} of {total}", inside >= 0.8 * total))  # fmt: skip
    claims += [
        Claim(f"{figure.replace('_', ' ')} of release {version}, a family predicted from the others",
              f"median {_percent(fitted.left_out_median)} %, p90 {_percent(fitted.left_out_p90)} %", None)
        for (version, figure), fitted in fitted_figures().items()
    ]  # fmt: skip
    return tuple(claims)


def _weights_claim(rows: Sequence[StRow]) -> Claim:
    """The rows above 1 % are named: each contradicts another row of its own network."""
    found = errors(rows, "weights")
    above = sorted(
        f"{row.network.name} {row.network.resolution} {row.network.classes} classes: "
        f"{row.weights_bytes / KIB:.2f} KiB stated, {ours / KIB:.2f} ours"
        for row in rows
        if row.weights_bytes and (ours := figures(row.network, row.version).weights.value)
        and abs(ours / row.weights_bytes - 1) > 0.01
    )  # fmt: skip
    median, p90 = quantile(found, 0.5), quantile(found, 0.9)
    reached = f"median {_percent(median)} %, p90 {_percent(p90)} % ({len(found)} rows); {len(above)} above: "
    return Claim("weights flash: median and p90 <= 1 %", reached + "; ".join(above), p90 <= 0.01)


def _ram_claim(what: str, rows: Sequence[StRow]) -> Claim:
    found = errors(rows, "activations")
    median, p90 = quantile(found, 0.5), quantile(found, 0.9)
    return Claim(f"activation RAM of {what}: median <= 5 %, p90 <= 15 %",
                 f"median {_percent(median)} %, p90 {_percent(p90)} %, largest {_percent(found[-1])} % "
                 f"({len(found)} rows)", median <= 0.05 and p90 <= 0.15)  # fmt: skip
