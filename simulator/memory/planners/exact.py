"""What is the smallest plan, and why can none be smaller? Two searches on one ceiling after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import monotonic

from .best import best_layout
from .both import Answer, fits_under
from .cp_sat import is_installed
from .problem import Layout, Request, extent
from .strips import components, strips_of

_SECONDS = 10.0
_HEURISTIC_SHARE = 0.05
_INSTALL = "pip install preflash[optimal] adds a solver that may find the optimum and prove it"


def place(requests: Sequence[Request]) -> list[int]:
    """The offsets of the smallest plan found in 10 s."""
    return list(optimal_layout(requests, seconds=_SECONDS).offsets)


def optimal_layout(
    requests: Sequence[Request], *, seconds: float = _SECONDS, seed: int = 0,
    hint: Layout | None = None, capacity_bytes: int = 0,
) -> Layout:  # fmt: skip
    """The smallest plan, proven where the searches end in time; else the best found and a lower bound.

    The first ceiling tried is the lower bound (or `capacity_bytes`), later ones halve what is open between
    the largest ceiling that nobody could decide and the smallest plan. A ceiling that is proven impossible
    raises the lower bound. Without OR-tools (extra `optimal`) only the own search runs, which often proves
    it as well; the note says what the extra may add. A search gets as far as the machine lets it.

    Args:
        requests: what is to be placed; offline requests stay where they are, unchecked among themselves.
        seconds: wall time for everything.
        seed: of all searches.
        hint: a plan to improve on, e.g. the runtime's own.
        capacity_bytes: a plan as small as this is good enough; 0: only the optimum is.
    """
    deadline_s = monotonic() + seconds
    best = best_layout(requests, seconds=seconds * _HEURISTIC_SHARE, seed=seed, capacity_bytes=capacity_bytes)
    if hint is not None and hint.extent_bytes < best.extent_bytes:
        best = replace(best, planner=hint.planner, offsets=hint.offsets, extent_bytes=hint.extent_bytes)
    search = _Descent(requests, best, seed=seed, deadline_s=deadline_s, enough=capacity_bytes)
    return search.run()


class _Descent:
    """The ceilings tried, from the lower bound up; what is proven and what is found."""

    def __init__(
        self, requests: Sequence[Request], best: Layout, *, seed: int, deadline_s: float, enough: int
    ) -> None:
        self.requests, self.best, self.seed = requests, best, seed
        self.deadline_s, self.enough = deadline_s, enough
        everyone = range(len(requests))
        self.unit_bytes = strips_of(requests, everyone).unit_bytes
        self.parts = components(requests, everyone)
        self.bound_bytes = -(-best.lower_bound_bytes // self.unit_bytes) * self.unit_bytes
        self.proof = ""

    def run(self) -> Layout:
        undecided = self.bound_bytes - self.unit_bytes  # nobody could decide ceilings up to here
        target = max(self.bound_bytes, self.enough // self.unit_bytes * self.unit_bytes)
        goal = max(self.bound_bytes, self.enough)
        while self.best.extent_bytes > goal and target < self.best.extent_bytes:
            open_s = self.deadline_s - monotonic()
            if open_s <= 0:
                break
            answer = self._fits(target, seconds=open_s if self.enough else open_s / 2)
            if answer is False:
                self.bound_bytes = target + self.unit_bytes
                goal = max(goal, self.bound_bytes)
            if not answer:
                undecided = max(undecided, target)
            open_units = (self.best.extent_bytes - undecided) // self.unit_bytes
            target = undecided + max(1, open_units // 2) * self.unit_bytes
        return self._layout()

    def _fits(self, ceiling_bytes: int, *, seconds: float) -> bool | None:
        """Whether every part fits; a part that lies low enough already stays as it is."""
        offsets = list(self.best.offsets)
        until_s = monotonic() + seconds
        for part in self.parts:
            if extent([self.requests[i] for i in part], [offsets[i] for i in part]) <= ceiling_bytes:
                continue
            strips = strips_of(self.requests, part)
            ceiling = ceiling_bytes // strips.unit_bytes
            answer: Answer = fits_under(strips, ceiling, seed=self.seed, until_s=until_s)
            if not answer.is_possible:
                if answer.is_possible is False:
                    self.proof = f"{answer.by}: proved that {ceiling_bytes} bytes are too few"
                return answer.is_possible
            for i, offset in zip(strips.indices, answer.offsets, strict=True):
                offsets[i] = offset * strips.unit_bytes
        self.best = replace(
            self.best, planner="exact", offsets=tuple(offsets), extent_bytes=extent(self.requests, offsets)
        )
        return True

    def _layout(self) -> Layout:
        best = replace(self.best, lower_bound_bytes=self.bound_bytes)
        if best.extent_bytes == self.bound_bytes:
            return replace(best, planner="exact", proof=self.proof or "equals the live sum")
        return replace(best, note="" if is_installed() else _INSTALL)
