"""Which allocation problems were recorded, and what did others reach on them?"""

from __future__ import annotations

from dataclasses import dataclass

from ..memory.planners.bound import lower_bound
from ..memory.planners.problem import Layout, Request, extent
from .facts import Facts

CAPACITY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Instance:
    """One of the 11 hard instances and the figures beside it.

    Args:
        name: A to K.
        requests: the buffers, lifetimes made inclusive.
        recorded: columns of instances.csv.
    """

    name: str
    requests: tuple[Request, ...]
    recorded: dict[str, str]


def hard_instances(facts: Facts, *, only: tuple[str, ...] = ()) -> list[Instance]:
    """The instances of facts/minimalloc (capacity 1 MiB each).

    The column `upper` is half-open: only so does the largest live sum agree with instances.csv and stay
    within the capacity.
    """
    return [
        Instance(
            row["instance"],
            tuple(
                Request(int(b["size"]), int(b["lower"]), int(b["upper"]) - 1)
                for b in facts.rows(f"minimalloc/{row['file']}")
            ),
            row,
        )
        for row in facts.rows("minimalloc/instances.csv")
        if row["capacity"] == str(CAPACITY_BYTES) and (not only or row["instance"] in only)
    ]


@dataclass(frozen=True, slots=True)
class RecordedPlan:
    """Where a compiler put the buffers of one network in one memory.

    Args:
        name: file, how it was compiled, accelerator, memory mode and memory.
        requests: the buffers, each once.
        layout: the recorded offsets.
    """

    name: str
    requests: tuple[Request, ...]
    layout: Layout


def recorded_plans(facts: Facts) -> list[RecordedPlan]:
    """One plan per file, compile run (`core`), accelerator, memory mode and memory of tensor_plans.csv.gz.

    Lifetimes are inclusive. Tensors of equal lifetime, address and size are views of one buffer (in place,
    reshape, state) and are one request: nothing else in a recorded plan shares a byte at the same instant.
    """
    plans: dict[tuple[str, ...], dict[tuple[int, ...], None]] = {}
    for row in facts.rows("tensor_plans.csv.gz"):
        key = tuple(row[c] for c in ("file", "core", "accelerator", "memory_mode", "memory"))
        buffer = tuple(int(row[c]) for c in ("size", "start_time", "end_time", "address"))
        plans.setdefault(key, {})[buffer] = None
    return [_plan(" ".join(key), list(buffers)) for key, buffers in plans.items()]


def _plan(name: str, buffers: list[tuple[int, ...]]) -> RecordedPlan:
    requests = tuple(Request(size, first, last) for size, first, last, _ in buffers)
    offsets = tuple(address for *_, address in buffers)
    layout = Layout("recorded", offsets, extent(requests, offsets), lower_bound(requests))
    return RecordedPlan(name, requests, layout)
