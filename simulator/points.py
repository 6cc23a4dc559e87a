"""What do many variants cost on many targets? `simulate`'s headline figures as arrays, variants x targets.

The kernels of all variants are one table per kernel build, so each target prices them in one pass through the
same functions; plans and code sizes do not depend on the clock and are made once per runtime and core.
Variants of one structure are one wherever nobody looks at the values of their weights.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..devices.target import Target
from ..graphs.ir import ModelGraph
from ..graphs.passes.fusion import fuse
from ..graphs.static_shapes import with_static_shapes
from .columns import KernelTable, Rows, joined
from .encodings.stored import as_stored
from .energy import energy_ends, energy_source, no_latency, power_w
from .estimate import Conditions
from .figures import Figures, column, plus, stacked
from .flash import code_bytes, stored_model
from .interval import Basis, Interval, grade_of
from .latency import kernel_cycles
from .memory.static import static_ram
from .metrics import arena_figure
from .needs import Planned, planned
from .point_verdicts import Held, Needs, Verdicts, kept_in, verdicts
from .sameness import same
from .structure import distinct, looks_at_weights
from .totals import Latencies, sum_latencies
from .work_graph import drops_channels, work_graph
from .workload import compile_table

_Found = TypeVar("_Found")
_UNKNOWN = grade_of(Basis.UNKNOWN)


@dataclass(frozen=True, eq=False)
class Points:
    """Figures by [variant, target], in the order they were given.

    Args:
        arena_bytes: the smallest arena; ram_bytes has the runtime's static data on top.
        flash_bytes: the model as it is stored, and the code.
        verdicts: of `simulate` under the conditions of each target.
    """

    variants: tuple[ModelGraph, ...]
    targets: tuple[Target, ...]
    latency_s: Figures
    energy_j: Figures
    arena_bytes: Figures
    ram_bytes: Figures
    flash_bytes: Figures
    verdicts: Verdicts

    def __len__(self) -> int:
        return len(self.variants) * len(self.targets)


def price_points(
    graphs: Sequence[ModelGraph], targets: Sequence[Target], conditions: Sequence[Conditions] = (), *,
    known: dict[Hashable, Any] | None = None,
) -> Points:  # fmt: skip
    """Every variant on every target; a figure is that of `simulate`, without its report.

    Args:
        conditions: one per target; () is none anywhere.
        known: what earlier calls with the very same graphs worked out; filled for the next one.
    """
    if not graphs or not targets:
        return _no_points(graphs, targets)
    held_back = {} if known is None else known
    tables = _one_each(held_back, targets, _table_key, lambda first: _table(graphs, first))
    memory = _one_each(held_back, targets, _plan_key, lambda first: _memory(graphs, first))
    code = _one_each(held_back, targets, _code_key, lambda first: _code(graphs, first))
    model = _one_each(held_back, targets, _model_key, lambda first: _model(graphs, first))
    prices = [_on_target(table, target) for table, target in zip(tables, targets, strict=True)]
    flash = [plus(of_model, column(own).of(rows)) for of_model, (own, rows) in zip(model, code, strict=True)]
    places = {id(target): number for number, target in enumerate(targets)}
    kept = _one_each(
        held_back, targets, _kept_key,
        lambda first: kept_in(_held(memory[places[id(first)]], code[places[id(first)]]), first),
    )  # fmt: skip
    found = [
        verdicts(
            Needs(memory[n].refusals, kept[n], memory[n].rows, model[n], memory[n].ram, flash[n], *prices[n]),
            targets[n], conditions[n] if conditions else Conditions(),
        )
        for n in range(len(targets))
    ]  # fmt: skip
    return Points(
        tuple(graphs), tuple(targets), stacked([latency for latency, _ in prices]),
        stacked([energy for _, energy in prices]), stacked([one.arena for one in memory]),
        stacked([one.ram for one in memory]), stacked(flash),
        Verdicts(*(np.stack(parts, axis=1) for parts in zip(*found, strict=True))),
    )  # fmt: skip


def _no_points(graphs: Sequence[ModelGraph], targets: Sequence[Target]) -> Points:
    none = np.empty((len(graphs), len(targets)))
    texts = none.astype(object)
    nowhere = Figures(none, none, none, none.astype(np.int8), texts, texts)
    verdict = Verdicts(none.astype(np.int8), texts, texts)
    return Points(tuple(graphs), tuple(targets), nowhere, nowhere, nowhere, nowhere, nowhere, verdict)


def _one_each(
    known: dict[Hashable, Any],
    targets: Sequence[Target],
    key: Callable[[Target], Hashable],
    work_out: Callable[[Target], _Found],
) -> list[_Found]:
    """One result per target, in order; targets of one key share what was worked out for the first of them."""
    found = []
    for target in targets:
        own = key, key(target)
        if own not in known:
            known[own] = work_out(target)
        found.append(known[own])
    return found


def _table_key(target: Target) -> Hashable:
    runtime, build = target.runtime, target.kernels
    return (
        runtime.weights, build.library, build.flavour, runtime.fusion, drops_channels(target),
        looks_at_weights(target),
    )  # fmt: skip


def _plan_key(target: Target) -> Hashable:
    return same(target.runtime), target.kernels, target.what_if, looks_at_weights(target)


def _code_key(target: Target) -> Hashable:
    core = target.device.core
    return same(target.runtime), core.name, core.isa, target.what_if, looks_at_weights(target)


def _kept_key(target: Target) -> Hashable:
    return _plan_key(target), _code_key(target), same(target.device.memories), target.homes


def _model_key(target: Target) -> Hashable:
    device = target.device
    return same(target.runtime), same((device.compression, device.sparsity, device.npu, device.core.name))


class _Table(NamedTuple):
    """The kernels of all structures, which of them each has, and the structure of every variant."""

    kernels: KernelTable
    edges: Rows
    rows: Rows


def _table(graphs: Sequence[ModelGraph], target: Target) -> _Table:
    own, rows = distinct(graphs, target)
    solved = [with_static_shapes(as_stored(graph, target)) for graph in own]
    tables = [compile_table(work_graph(graph, target), target.kernels) for graph in solved]
    edges = np.concatenate([[0], np.cumsum([len(table) for table in tables])])
    return _Table(joined(tables), edges, rows)


def _on_target(table: _Table, target: Target) -> tuple[Figures, Figures]:
    """Latency and energy of every variant."""
    kernels, edges = table.kernels, table.edges
    latency_s = sum_latencies(kernels, kernel_cycles(kernels, target), target.clock_hz, edges=edges)
    reasons = [latency_s.reason(variant) for variant in range(len(edges) - 1)]
    sources = [latency_s.source(variant) for variant in range(len(edges) - 1)]
    priced = Figures(latency_s.value, latency_s.lo, latency_s.hi, latency_s.grade,
                     np.array(sources, dtype=object), np.array(reasons, dtype=object))  # fmt: skip
    return priced.of(table.rows), _energy(latency_s, reasons, target).of(table.rows)


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
        value, np.where(lost, np.nan, lo), np.where(lost, np.nan, hi), grade,
        np.where(lost, np.array("", dtype=object), source), np.array(why, dtype=object),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Memory:
    """Plans of one runtime: one per structure, and what they make of every variant."""

    planned: list[Planned]
    arenas: list[Interval]
    static: list[Interval]
    rows: Rows
    arena: Figures
    ram: Figures

    @property
    def refusals(self) -> list[str]:
        """Per structure; "" where the runtime runs it."""
        return [one.refused[0].message if one.refused else "" for one in self.planned]


def _memory(graphs: Sequence[ModelGraph], target: Target) -> _Memory:
    """The smallest arena, and the same with static data."""
    own, rows = distinct(graphs, target)
    stored = [as_stored(graph, target) for graph in own]
    held = [
        planned(graph, fuse(with_static_shapes(graph), target.runtime.fusion).graph, target)
        for graph in stored
    ]
    arenas = [arena_figure(one.plan, "min_bytes", one.no_plan) for one in held]
    static = [static_ram(graph, target) for graph in stored]
    whole = [arena + own_ram for arena, own_ram in zip(arenas, static, strict=True)]
    return _Memory(held, arenas, static, rows, column(arenas).of(rows), column(whole).of(rows))


def _code(graphs: Sequence[ModelGraph], target: Target) -> tuple[list[Interval], Rows]:
    """Code per structure, and the structure of every variant."""
    own, rows = distinct(graphs, target)
    return [code_bytes(as_stored(graph, target), target) for graph in own], rows


def _model(graphs: Sequence[ModelGraph], target: Target) -> Figures:
    return column([stored_model(as_stored(graph, target), target) for graph in graphs])


def _held(memory: _Memory, code: tuple[list[Interval], Rows]) -> list[Held]:
    parts = zip(memory.planned, memory.arenas, memory.static, code[0], strict=True)
    return [Held(*one) for one in parts]
