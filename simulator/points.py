"""What do many variants cost on many targets? `simulate`'s headline figures as arrays, variants x targets.

The kernels of all variants are one table per kernel build, so each target prices them in one pass through the
same functions; plans and code sizes do not depend on the clock and are made once per runtime and core.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ..devices.target import Target
from ..graphs.ir import ModelGraph
from ..graphs.passes.fusion import fuse
from ..graphs.static_shapes import with_static_shapes
from .columns import Floats, KernelTable, Rows, joined
from .encodings.stored import as_stored
from .energy import energy_ends, energy_source, no_latency, power_w
from .flash import code_bytes, stored_model
from .interval import BY_WEAKNESS, Basis, Interval, grade_of
from .latency import kernel_cycles
from .memory.static import static_ram
from .metrics import arena_figure
from .needs import planned
from .totals import Latencies, sum_latencies
from .work_graph import drops_channels, work_graph
from .workload import compile_table

Objects = npt.NDArray[np.object_]
_BASES: Objects = np.array(BY_WEAKNESS, dtype=object)
_Column = TypeVar("_Column")
_UNKNOWN = grade_of(Basis.UNKNOWN)


class Figures(NamedTuple):
    """One figure of every point; nan is unknown, `lo` and `hi` may still hold a bound.

    Args:
        basis, source, reason: objects of the same shape: Basis, and two texts.
    """

    value: Floats
    lo: Floats
    hi: Floats
    basis: Objects
    source: Objects
    reason: Objects

    def at(self, variant: int, target: int) -> Interval:
        """The figure of one point, as `simulate` gives it."""
        value, lo, hi = (
            None if np.isnan(part[variant, target]) else float(part[variant, target]) for part in self[:3]
        )
        basis, source, reason = (part[variant, target] for part in self[3:])
        return Interval(value, lo, hi, basis, source, reason)


@dataclass(frozen=True, eq=False)
class Points:
    """Figures by [variant, target], in the order they were given.

    Args:
        arena_bytes: the smallest arena; ram_bytes has the runtime's static data on top.
        flash_bytes: the model as it is stored, and the code.
    """

    variants: tuple[ModelGraph, ...]
    targets: tuple[Target, ...]
    latency_s: Figures
    energy_j: Figures
    arena_bytes: Figures
    ram_bytes: Figures
    flash_bytes: Figures

    def __len__(self) -> int:
        return len(self.variants) * len(self.targets)


def price_points(graphs: Sequence[ModelGraph], targets: Sequence[Target]) -> Points:
    """Every variant on every target; a figure is that of `simulate`, without its report."""
    if not graphs or not targets:
        none = np.empty((len(graphs), len(targets)))
        nowhere = Figures(none, none, none, *(none.astype(object) for _ in range(3)))
        return Points(tuple(graphs), tuple(targets), nowhere, nowhere, nowhere, nowhere, nowhere)
    prices = _by_group(targets, _table_key, lambda group: _priced(graphs, group))
    memory = _by_group(targets, _plan_key, lambda group: [_ram(graphs, group[0])] * len(group))
    flash = _by_group(targets, _code_key, lambda group: [_flash(graphs, group[0])] * len(group))
    return Points(
        tuple(graphs), tuple(targets), _stacked([latency for latency, _ in prices]),
        _stacked([energy for _, energy in prices]), _stacked([arena for arena, _ in memory]),
        _stacked([ram for _, ram in memory]), _stacked(flash),
    )  # fmt: skip


def _by_group(
    targets: Sequence[Target],
    key: Callable[[Target], Hashable],
    work_out: Callable[[list[Target]], list[_Column]],
) -> list[_Column]:
    """One result per target, in order; targets of one key are worked out together."""
    groups: dict[Hashable, list[int]] = {}
    for number, target in enumerate(targets):
        groups.setdefault(key(target), []).append(number)
    found: dict[int, _Column] = {}
    for numbers in groups.values():
        found.update(zip(numbers, work_out([targets[n] for n in numbers]), strict=True))
    return [found[number] for number in range(len(targets))]


def _table_key(target: Target) -> Hashable:
    runtime, build = target.runtime, target.kernels
    return runtime.weights, build.library, build.flavour, runtime.fusion, drops_channels(target)


def _plan_key(target: Target) -> Hashable:
    return target.runtime, target.kernels, target.what_if


def _code_key(target: Target) -> Hashable:
    return target.runtime, target.device.core.name, target.device.core.isa, target.what_if


def _priced(graphs: Sequence[ModelGraph], targets: Sequence[Target]) -> list[tuple[Figures, Figures]]:
    """Latency and energy of all variants, per target of one kernel build."""
    first = targets[0]
    stored = [as_stored(graph, first) for graph in graphs]
    tables = [compile_table(work_graph(with_static_shapes(g), first), first.kernels) for g in stored]
    edges = np.concatenate([[0], np.cumsum([len(table) for table in tables])])
    table = joined(tables)
    return [_on_target(table, target, edges) for target in targets]


def _on_target(table: KernelTable, target: Target, edges: Rows) -> tuple[Figures, Figures]:
    latency_s = sum_latencies(table, kernel_cycles(table, target), target.clock_hz, edges=edges)
    reasons = [latency_s.reason(variant) for variant in range(len(edges) - 1)]
    sources = [latency_s.source(variant) for variant in range(len(edges) - 1)]
    priced = Figures(latency_s.value, latency_s.lo, latency_s.hi, _BASES[latency_s.grade],
                     np.array(sources, dtype=object), np.array(reasons, dtype=object))  # fmt: skip
    return priced, _energy(latency_s, reasons, target)


def _energy(latency_s: Latencies, reasons: Sequence[str], target: Target) -> Figures:
    """power x time; unknown where either is."""
    drawn_w, lost = power_w(target), latency_s.grade == _UNKNOWN
    no_power = drawn_w.value is None
    value, lo, hi = (np.full(len(lost), np.nan) for _ in range(3))
    if not no_power:
        value, lo, hi = energy_ends(drawn_w, latency_s.value, latency_s.lo, latency_s.hi)
    grade = np.maximum(latency_s.grade, np.int8(grade_of(drawn_w.basis)))
    source = drawn_w.source if no_power else energy_source(drawn_w)
    why = [no_latency(reason) if reason else drawn_w.reason for reason in reasons]
    return Figures(
        value, np.where(lost, np.nan, lo), np.where(lost, np.nan, hi), _BASES[grade],
        np.where(lost, np.array("", dtype=object), source), np.array(why, dtype=object),
    )  # fmt: skip


def _ram(graphs: Sequence[ModelGraph], target: Target) -> tuple[Figures, Figures]:
    """The smallest arena, and the same with static data."""
    arenas, whole = [], []
    for graph in (as_stored(one, target) for one in graphs):
        held = planned(graph, fuse(with_static_shapes(graph), target.runtime.fusion).graph, target)
        arena = arena_figure(held.plan, "min_bytes", held.no_plan)
        arenas.append(arena)
        whole.append(arena + static_ram(graph, target))
    return _column(arenas), _column(whole)


def _flash(graphs: Sequence[ModelGraph], target: Target) -> Figures:
    stored = [as_stored(graph, target) for graph in graphs]
    return _column([stored_model(graph, target) + code_bytes(graph, target) for graph in stored])


def _column(figures: Sequence[Interval]) -> Figures:
    value, lo, hi = (
        np.array([getattr(one, end) for one in figures], dtype=np.float64) for end in ("value", "lo", "hi")
    )
    words = (
        np.array([getattr(one, word) for one in figures], dtype=object)
        for word in ("basis", "source", "reason")
    )
    return Figures(value, lo, hi, *words)


def _stacked(columns: Sequence[Figures]) -> Figures:
    """variants x targets, one column per target."""
    return Figures(*(np.stack(parts, axis=1) for parts in zip(*columns, strict=True)))
