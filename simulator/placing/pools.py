"""Where does each activation and each op's weights go, for a runtime that takes several pools?

The assignment respects every memory at every instant; then each memory is laid out by a planner. Where a
layout needs more than the bytes alive at once, that memory's capacity is lowered by the excess and the search
repeated: the first bound still holds. Every weight lies in nonvolatile memory, in place or as an image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

from ...devices.target import Target
from ...errors import PlacementInvalid
from ...graphs.ir import ModelGraph
from ..estimate import Basis, Conditions, Interval, MemoryPlan
from ..kernels.cores import core_costs
from ..memory.planners.problem import Request, extent
from ..memory.planners.tflm_greedy import place
from ..stalls import fetched_weights
from ..traffic import kernel_traffic
from .assign import Assignment, assign, cost
from .pieces import Piece, activation_pieces, weight_pieces
from .search import Judge

_MOST_ROUNDS = 12


@dataclass(frozen=True, slots=True)
class Pool:
    """What lies in one memory: pieces, their offsets (-1 in nonvolatile memory), and the bytes they span."""

    memory: str
    pieces: tuple[Piece, ...]
    offsets: tuple[int, ...]
    extent_bytes: int
    capacity_bytes: int


@dataclass(frozen=True, slots=True)
class PoolStudy:
    """The best found assignment of pieces to memories.

    Args:
        pools: one per memory that holds a piece; () if nothing fits.
        saved_s: against all activations and all weights at the device's own homes, fitting or not.
        gap_s: how much faster than this an assignment might be at most; 0 with a proof.
        proof: who says so.
    """

    pools: tuple[Pool, ...]
    saved_s: Interval
    gap_s: float
    proof: str


def best_pools(
    graph: ModelGraph, target: Target, conditions: Conditions | None = None, *, time_limit_s: float = 10.0
) -> PoolStudy:
    """The assignment with the smallest predicted time, laid out.

    Raises:
        PlacementInvalid: the runtime takes one arena, has no plan, or its kernels have no cost per byte.
    """
    own = target.unplaced
    if own.runtime.memory.arenas != "several":
        what = f"{own.runtime.name} does not take several pools"
        raise PlacementInvalid(what, fix="best_placement() says where its one arena goes")
    judge = Judge(graph, own, conditions or Conditions())
    plan = judge.contents.plan
    if plan is None:
        what = f"there is no plan of {graph.name or 'the model'} for {own.runtime.name}"
        raise PlacementInvalid(f"{what}: {judge.contents.arena.reason}")
    pieces = _pieces(own, judge, plan)
    found, pools = _laid_out(pieces, _capacities(judge, own), own, time_limit_s=time_limit_s)
    return PoolStudy(pools, _saved_s(pieces, found, own), _gap_s(found, own), found.proof)


def _pieces(target: Target, judge: Judge, plan: MemoryPlan) -> list[Piece]:
    costs = core_costs(target)
    if costs is None or target.runtime.rate is not None:
        what = f"{target.runtime.name} on {target.device.core.name} has no cost per byte of a memory"
        raise PlacementInvalid(what, where=target.device.name)
    fetched = fetched_weights(judge.table, target, kernel_traffic(judge.table, target), costs)
    end = max((b.last for b in plan.buffers), default=0)
    return [
        *activation_pieces(judge.table, plan, target),
        *weight_pieces(judge.table, costs, fetched=fetched, target=target, end=end),
    ]


def _capacities(judge: Judge, target: Target) -> dict[str, int]:
    """Bytes that each memory has for pieces: what is not reserved and not taken by what does not move."""
    weights = sum(int(size) for size in judge.table.weight_bytes)
    room = {}
    for memory in judge.naive().memories:
        fixed = sum(u.used.hi or u.used.lo or 0 for u in memory.used if u.kind != "arena_head")
        room[memory.name] = int(memory.budget_bytes - fixed)
    room[target.device.home_of("weights").name] += weights  # the rest of the model file stays
    return room


def _laid_out(
    pieces: Sequence[Piece], capacities: Mapping[str, int], target: Target, *, time_limit_s: float
) -> tuple[Assignment, tuple[Pool, ...]]:
    """The cheapest assignment whose layouts fit, with the bound of the first search."""
    room, stores = dict(capacities), frozenset(m.name for m in target.device.memories if m.is_nonvolatile)
    first: Assignment | None = None
    until_s = perf_counter() + time_limit_s
    for _ in range(_MOST_ROUNDS):
        found = assign(pieces, room, time_limit_s=max(1.0, until_s - perf_counter()))
        first = first or found
        if not found.homes or not _images_fit(pieces, found, {m: capacities[m] for m in stores}):
            break
        pools = tuple(_pool(pieces, found, m, capacities[m]) for m in dict.fromkeys(found.homes))
        excess = {p.memory: p.extent_bytes - p.capacity_bytes for p in pools if p.memory not in stores}
        if all(over <= 0 for over in excess.values()):
            bound = min(first.bound_cycles, found.cycles)
            proof = first.proof if bound == found.cycles else f"{first.proof}, before any memory was laid out"
            return Assignment(found.homes, found.cycles, bound, proof), pools
        for memory, over in excess.items():
            room[memory] -= max(0, over)
    return Assignment((), float("inf"), first.bound_cycles if first else 0.0, found.proof), ()


def _images_fit(pieces: Sequence[Piece], found: Assignment, stores: Mapping[str, int]) -> bool:
    """Whether what is copied into RAM finds room in nonvolatile memory: the largest first, anywhere."""
    room, copied = dict(stores), []
    for piece, home in zip(pieces, found.homes, strict=True):
        if home in room:
            room[home] -= piece.size_bytes
        elif piece.kind == "weights":
            copied.append(piece.size_bytes)
    for size_bytes in sorted(copied, reverse=True):
        roomiest = max(room, key=room.__getitem__, default="")
        if not roomiest or room[roomiest] < size_bytes:
            return False
        room[roomiest] -= size_bytes
    return True


def _pool(pieces: Sequence[Piece], found: Assignment, memory: str, capacity_bytes: int) -> Pool:
    inside = tuple(p for p, home in zip(pieces, found.homes, strict=True) if home == memory)
    requests = [Request(p.size_bytes, p.first, p.last) for p in inside]
    offsets = place(requests)
    return Pool(memory, inside, tuple(offsets), extent(requests, offsets), capacity_bytes)


def _saved_s(pieces: Sequence[Piece], found: Assignment, target: Target) -> Interval:
    if not found.homes:
        return Interval(None, None, None, Basis.UNKNOWN, "", "no assignment fits")
    homes = {"weights": target.device.home_of("weights").name}
    own = [homes.get(p.kind, target.device.home_of("arena").name) for p in pieces]
    saved_cycles = (cost(pieces, own, end=end) - cost(pieces, found.homes, end=end) for end in range(3))
    ends = [cycles / target.clock_hz for cycles in saved_cycles]
    source = "stalls of each piece: its share of the kernels' bytes x cycles per byte of its memory"
    return Interval(ends[0], min(ends), max(ends), Basis.ANALYTIC, source)


def _gap_s(found: Assignment, target: Target) -> float:
    return (found.cycles - found.bound_cycles) / target.clock_hz if found.homes else 0.0
