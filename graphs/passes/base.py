"""What a pass is, and how several run after each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ...errors import GraphInvalid, PreflashError
from ..ir import ModelGraph


@dataclass(frozen=True, slots=True)
class PassResult:
    """The graph after a pass, whether it differs, and what was done, one sentence per change."""

    graph: ModelGraph
    changed: bool = False
    notes: tuple[str, ...] = ()


class Pass(Protocol):
    """A frozen value that turns a graph into another one and leaves the first as it is."""

    @property
    def name(self) -> str:
        """How users call it."""
        ...

    def apply(self, graph: ModelGraph) -> PassResult:
        """The changed graph; the very same object where nothing changes."""
        ...


@dataclass(frozen=True, slots=True)
class Sequential:
    """Passes in order; itself a pass."""

    passes: tuple[Pass, ...]
    name: str = "sequential"

    def apply(self, graph: ModelGraph) -> PassResult:
        changed, notes, done = False, [], list[str]()
        for one in self.passes:
            try:
                result = one.apply(graph)
            except PreflashError as error:
                before = ", ".join(done) or "none"
                raise GraphInvalid(
                    f"pass {one.name} failed", faults=[str(error)], where=graph.name or "model",
                    fix=f"passes that ran before it: {before}",
                ) from error  # fmt: skip
            graph, changed = result.graph, changed or result.changed
            notes += [f"{one.name}: {note}" for note in result.notes]
            done.append(one.name)
        return PassResult(graph, changed, tuple(notes))


def run_passes(graph: ModelGraph, passes: Sequence[Pass]) -> PassResult:
    """The graph after all passes in order. An error names the pass and those that ran before it."""
    return Sequential(tuple(passes)).apply(graph)
