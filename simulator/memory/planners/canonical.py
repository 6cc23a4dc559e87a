"""Do these strips fit under a ceiling? A search from the bottom up that visits each kind of plan once.

The idea of MiniMalloc (Moffitt, "MiniMalloc: A Lightweight Memory Allocator for Hardware-Accelerated Machine
Learning", ASPLOS 2023), written anew: any plan can be settled until every strip lies on the ground or on
another one, and can be built by putting strips in the order of their offsets.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .strips import Strips

Column = NDArray[np.int64]
Steps = Generator["Steps", bool, bool]  # asks whether what it yields succeeds; returns whether it does itself
_LARGEST = 3_000  # strips; a table of all pairs is kept
_PLACED = 1 << 50  # a floor above every ceiling
# (lifetime, size) -> what a search tries first: the longest alive, the largest area, the largest
_WEIGHTS: tuple[Callable[[int, int], float], ...] = (
    lambda span, size: span + size * 1e-9,
    lambda span, size: span * size,
    lambda span, size: size + span * 1e-9,
)
_TURNS = (0, 1, 2, 0, 1)  # which weight, attempt after attempt
_PLAIN = 3  # attempts without noise
_PLAIN_STEPS, _STEPS = 4_000, 1_000
_NOISES = (0.08, 0.15, 0.3, 0.6, 1.0)


class _OutOfSteps(Exception):
    """The search has taken as many steps as it may."""


@dataclass(slots=True)
class _Search:
    """One search: columns per strip by preference, and what has been decided so far."""

    order: list[int]
    first: Column
    end: Column
    size: Column
    neighbours: list[Column]
    at_instant: Column  # strips alive, instant by instant
    instant_starts: Column  # where in at_instant each instant begins; one more at the end
    ceiling: int
    steps_left: int
    placed: Column = field(default_factory=lambda: np.zeros(0, np.int64))


def fits(strips: Strips, ceiling: int, *, attempt: int, seed: int = 0) -> tuple[bool | None, list[int]]:
    """Whether all strips fit, and their offsets in units; None if the attempt ends undecided.

    Attempts 0, 1, 2 prefer long-lived, large-area and large strips; later ones the same with noise. Each
    takes a bounded number of steps: most few, for luck comes early or not at all, but every so often many
    (Luby's sequence), so that in the end each ceiling is decided. The answer depends on the arguments alone.
    """
    if len(strips.sizes) > _LARGEST:
        return None, []
    random = Random(seed * 1_000_003 + attempt)
    is_plain = attempt < _PLAIN
    noise = 0.0 if is_plain else random.choice(_NOISES)
    weight = _WEIGHTS[_TURNS[attempt % len(_TURNS)]]
    keys = [
        -weight(end - first, size) * (1 + noise * random.uniform(-1, 1))
        for first, end, size in zip(strips.firsts, strips.ends, strips.sizes, strict=True)
    ]
    steps = _PLAIN_STEPS if is_plain else _STEPS * _luby(attempt - _PLAIN + 1)
    search = _prepared(strips, sorted(range(len(keys)), key=keys.__getitem__), ceiling, steps)
    try:
        is_possible = _succeeds(_start(search, strips.instants))
    except _OutOfSteps:
        return None, []
    offsets = [0] * len(keys)
    for strip, offset in zip(search.order, search.placed.tolist(), strict=True):
        offsets[strip] = offset
    return is_possible, offsets


def _luby(n: int) -> int:
    """The n-th of 1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8, ... (n from 1).

    >>> [_luby(n) for n in range(1, 16)]
    [1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8]
    """
    while n & (n + 1):  # not the last of a block of 2^k - 1
        n -= (1 << (n.bit_length() - 1)) - 1
    return (n + 1) // 2


def _prepared(strips: Strips, order: list[int], ceiling: int, steps: int) -> _Search:
    columns = (strips.firsts, strips.ends, strips.sizes)
    first, end, size = (np.array([column[i] for i in order], np.int64) for column in columns)
    meets = (first[:, None] < end[None, :]) & (first[None, :] < end[:, None])
    np.fill_diagonal(meets, val=False)
    alive = [np.flatnonzero((first <= t) & (t < end)) for t in range(strips.instants)]
    starts = np.cumsum([0, *(len(a) for a in alive)])
    return _Search(
        order=order, first=first, end=end, size=size,
        neighbours=[np.flatnonzero(row) for row in meets],
        at_instant=np.concatenate(alive), instant_starts=starts,
        ceiling=ceiling, steps_left=steps, placed=np.zeros(len(order), np.int64),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _State:
    """What a partial plan leaves.

    Args:
        floors: the lowest offset of each strip; _PLACED for those that lie already.
        waiting: units still to place, per instant.
        bridges: strips still to place that are alive both at an instant and at the next one.
        last: the offset placed last; those to come lie no lower.
    """

    floors: Column
    waiting: Column
    bridges: Column
    last: int


def _succeeds(steps: Steps) -> bool:
    """What the steps return; a stack of our own, for a search is deeper than Python's may be."""
    stack: list[Steps] = [steps]
    result: bool | None = None  # None: the steps on top have not begun
    while stack:
        try:
            stack.append(next(stack[-1]) if result is None else stack[-1].send(result))
            result = None
        except StopIteration as end:
            stack.pop()
            result = bool(end.value)
    return bool(result)


def _start(search: _Search, instants: int) -> Steps:
    waiting, bridges = np.zeros(instants, np.int64), np.zeros(instants, np.int64)
    for first, end, size in zip(search.first, search.end, search.size, strict=True):
        waiting[first:end] += size
        bridges[first : end - 1] += 1
    if waiting.max(initial=0) > search.ceiling:
        return False
    everyone = np.arange(len(search.order))
    state = _State(np.zeros_like(everyone), waiting, bridges, 0)
    return (yield _each_part(search, state, everyone, (0, instants)))


def _each_part(search: _Search, state: _State, strips: Column, instants: tuple[int, int]) -> Steps:
    """Where no strip crosses from an instant to the next, both sides are problems of their own."""
    begin, end = instants
    cuts = np.flatnonzero(state.bridges[begin : end - 1] == 0) + begin + 1
    if not len(cuts):
        return (yield _lowest_next(search, state, strips, instants))
    parts = []
    for start, stop in pairwise((begin, *cuts.tolist(), end)):
        inside = strips[(search.first[strips] >= start) & (search.first[strips] < stop)]
        if len(inside):
            parts.append((len(inside), start, stop, inside))
    parts.sort(key=lambda part: part[:2])
    for _, start, stop, inside in parts:
        if not (yield _lowest_next(search, state, inside, (start, stop))):
            return False
    return True


def _lowest_next(search: _Search, state: _State, strips: Column, instants: tuple[int, int]) -> Steps:
    """Put one of the strips on its floor, and all others after it.

    Only floors not below the last offset count (lower ones had their turn), and only those below the top of
    every other strip on its floor (else that one could slide under without touching anything).
    """
    floors = state.floors[strips]
    lowest_top = int((floors + search.size[strips]).min())
    candidates = strips[(floors >= state.last) & (floors < lowest_top)]
    if len(candidates) > 1:
        candidates = candidates[np.argsort(state.floors[candidates], kind="stable")]
    tried: set[tuple[int, int, int]] = set()
    for strip in candidates.tolist():
        twin = (int(search.first[strip]), int(search.end[strip]), int(search.size[strip]))
        if twin in tried:
            continue
        tried.add(twin)
        search.steps_left -= 1
        if search.steps_left < 0:
            raise _OutOfSteps
        rest = strips[strips != strip]
        after = _put(search, state, strip, rest, instants)
        if after is None:
            continue
        search.placed[strip] = state.floors[strip]
        if not len(rest) or (yield _each_part(search, after, rest, instants)):
            return True
    return False


def _put(
    search: _Search, state: _State, strip: int, rest: Column, instants: tuple[int, int]
) -> _State | None:
    """The state with the strip on its floor; None if what is left cannot fit under the ceiling.

    At every instant: lowest floor left + units left <= ceiling.
    """
    first, end, size = int(search.first[strip]), int(search.end[strip]), int(search.size[strip])
    spot = int(state.floors[strip])
    floors = state.floors.copy()
    near = search.neighbours[strip]
    floors[near] = np.maximum(floors[near], spot + size)
    floors[strip] = _PLACED
    if (floors[rest] + search.size[rest] > search.ceiling).any():
        return None
    waiting = state.waiting.copy()
    waiting[first:end] -= size
    begin, stop = instants
    starts = search.instant_starts[begin : stop + 1]
    alive = search.at_instant[starts[0] : starts[-1]]
    lowest: Any = np.maximum(np.minimum.reduceat(floors[alive], starts[:-1] - starts[0]), spot)
    left = waiting[begin:stop]
    if ((lowest + left > search.ceiling) & (left > 0)).any():
        return None
    bridges = state.bridges
    if end - first > 1:
        bridges = bridges.copy()
        bridges[first : end - 1] -= 1
    return _State(floors, waiting, bridges, spot)
