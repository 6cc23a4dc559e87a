"""What do many variants cost on many targets? `simulate`'s headline figures as arrays, variants x targets.

The kernels of all variants are one table per kernel build, so each target prices them in one pass through the
same functions; plans and code sizes do not depend on the clock and are made once per runtime and core.
Variants of one structure are one wherever nobody looks at the values of their weights.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

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
from .structure import distinct, looks_at_weights
from .totals import Latencies, sum_latencies
from .work_graph import drops_channels, work_graph
from .workload import compile_table

_Found = TypeVar("_Found")
_Member = TypeVar("_Member")
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
    graphs: Sequence[ModelGraph], targets: Sequence[Target], conditions: Sequence[Conditions] = ()
) -> Points:
    """Every variant on every target; a figure is that of `simulate`, without its report.

    Args:
        conditions: one per target; () is none anywhere.
    """
    if not graphs or not targets:
        return _no_points(graphs, targets)
    prices = _by_group(targets, _table_key, lambda group: _priced(graphs, group))
    memory = _by_group(targets, _plan_key, lambda group: [_memory(graphs, group[0])] * len(group))
    code = _by_group(targets, _code_key, lambda group: [_code(graphs, group[0])] * len(group))
    model = _by_group(targets, _model_key, lambda group: [_model(graphs, group[0])] * len(group))
    flash = [plus(of_model, column(own).of(rows)) for of_model, (own, rows) in zip(model, code, strict=True)]
    held = [_held(*parts) for parts in zip(memory, code, strict=True)]
    kept = _by_group(
        list(range(len(targets))), lambda n: _kept_key(targets[n]),
        lambda group: [kept_in(held[group[0]], targets[group[0]])] * len(group),
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


def _by_group(
    members: Sequence[_Member],
    key: Callable[[_Member], Hashable],
    work_out: Callable[[list[_Member]], list[_Found]],
) -> list[_Found]:
    """One result per member, in order; members of one key are worked out together."""
    groups: dict[Hashable, list[int]] = {}
    for number, member in enumerate(members):
        groups.setdefault(key(member), []).append(number)
    found: dict[int, _Found] = {}
    for numbers in groups.values():
        found.update(zip(numbers, work_out([members[n] for n in numbers]), strict=True))
    return [found[number] for number in range(len(members))]


def _table_key(target: Target) -> Hashable:
    runtime, build = target.runtime, target.kernels
    return (
        runtime.weights, build.library, build.flavour, runtime.fusion, drops_channels(target),
        looks_at_weights(target),
    )  # fmt: skip


def _plan_key(target: Target) -> Hashable:
    return target.runtime, target.kernels, looks_at_weights(target)


def _code_key(target: Target) -> Hashable:
    return target.runtime, target.device.core.name, target.device.core.isa, looks_at_weights(target)


def _kept_key(target: Target) -> Hashable:
    device = target.device
    return _plan_key(target), _code_key(target), device.memories, target.homes


def _model_key(target: Target) -> Hashable:
    return target.runtime, target.device.compression


def _priced(graphs: Sequence[ModelGraph], targets: Sequence[Target]) -> list[tuple[Figures, Figures]]:
    """Latency and energy of all variants, per target of one kernel build."""
    first = targets[0]
    own, rows = distinct(graphs, first)
    stored = [as_stored(graph, first) for graph in own]
    tables = [compile_table(work_graph(with_static_shapes(g), first), first.kernels) for g in stored]
    edges = np.concatenate([[0], np.cumsum([len(table) for table in tables])])
    table = joined(tables)
    found = [_on_target(table, target, edges) for target in targets]
    return [(latency_s.of(rows), energy_j.of(rows)) for latency_s, energy_j in found]


def _on_target(table: KernelTable, target: Target, edges: Rows) -> tuple[Figures, Figures]:
    latency_s = sum_latencies(table, kernel_cycles(table, target), target.clock_hz, edges=edges)
    reasons = [latency_s.reason(variant) for variant in range(len(edges) - 1)]
    sources = [latency_s.source(variant) for variant in range(len(edges) - 1)]
    priced = Figures(latency_s.value, latency_s.lo, latency_s.hi, latency_s.grade,
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
