"""What is the best plan without a proof, and how far can it be from the optimum? Every heuristic in turn."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from . import (
    greedy_by_area,
    greedy_by_breadth,
    greedy_by_conflict,
    greedy_by_duration,
    greedy_by_size,
    tflm_greedy,
    tflm_linear,
)
from .bound import lower_bound
from .hill_climb import climb
from .problem import Layout, Planner, Request, extent

GREEDY: dict[str, Planner] = {
    "tflm-greedy": tflm_greedy.place,
    "greedy-by-size": greedy_by_size.place,
    "greedy-by-breadth": greedy_by_breadth.place,
    "greedy-by-conflict": greedy_by_conflict.place,
    "greedy-by-area": greedy_by_area.place,
    "greedy-by-duration": greedy_by_duration.place,
    "tflm-linear": tflm_linear.place,
}
EQUALS_BOUND = "equals the live sum"
_ITERATIONS = 5_000


def layout(planner: str, requests: Sequence[Request], offsets: Sequence[int], *, bound: int) -> Layout:
    """The answer of a planner, with the proof that needs no search."""
    reached = extent(requests, offsets)
    proof = EQUALS_BOUND if reached == bound else ""
    return Layout(planner, tuple(offsets), reached, bound, proof)


def best_layout(
    requests: Sequence[Request], *, seconds: float = 2.0, seed: int = 0, capacity_bytes: int = 0
) -> Layout:
    """The smallest plan of all greedy rules, then of a hill climb if none meets the lower bound.

    The climb ends after 5,000 rounds or `seconds`; the same seed gives the same plan unless time ends it.

    Args:
        requests: what is to be placed; offline requests stay where they are.
        seconds: wall time for the climb.
        seed: of the climb.
        capacity_bytes: a plan as small as this is good enough; 0: only the lower bound is.
    """
    deadline_s = monotonic() + seconds
    best = best_greedy(requests, enough_bytes=capacity_bytes)
    bound = best.lower_bound_bytes
    if best.extent_bytes <= max(bound, capacity_bytes):
        return best
    offsets = climb(requests, seed=seed, iterations=_ITERATIONS, deadline_s=deadline_s)
    found = layout("hill-climb", requests, offsets, bound=bound)
    return found if found.extent_bytes < best.extent_bytes else best


def best_greedy(requests: Sequence[Request], *, enough_bytes: int = 0) -> Layout:
    """The smallest plan of the greedy rules alone; the first that meets the lower bound or `enough_bytes`."""
    bound = lower_bound(requests)
    best: Layout | None = None
    for name, place in GREEDY.items():
        found = layout(name, requests, place(requests), bound=bound)
        if best is None or found.extent_bytes < best.extent_bytes:
            best = found
        if best.extent_bytes <= max(bound, enough_bytes):
            break
    assert best is not None  # GREEDY is not empty
    return best
