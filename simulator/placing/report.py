"""What came of a study of placements, in one sentence; and what the runtime does not let one do."""

from __future__ import annotations

from collections.abc import Sequence

from ...devices.homes import homes_of
from ...devices.target import Target
from ...graphs.ir import ModelGraph
from .study import Candidate, Standing

_ONE_ARENA = (
    "{0} has one arena: activations, scratch and persistent data are one block in one memory, and the "
    "weights are one block (the .tflite) in one memory"
)
_RESTRICTION = {
    "one": _ONE_ARENA,
    "two": _ONE_ARENA + "; MicroAllocator::Create with two arenas can put the persistent part elsewhere",
    "several": "{0} can put any activation and the weights of any op into a memory of its own",
}
_STANDING = {
    Standing.FITS: "fits", Standing.MAY_FIT: "may fit", Standing.UNKNOWN: "may or may not fit",
    Standing.DOES_NOT_FIT: "does not fit",
}  # fmt: skip


def restriction_of(target: Target) -> str:
    """What the runtime's arenas allow."""
    return _RESTRICTION[target.runtime.memory.arenas].format(target.runtime.name)


def outcome(
    graph: ModelGraph, target: Target, *, naive: Candidate, chosen: Candidate | None,
    ranked: Sequence[Candidate],
) -> str:  # fmt: skip
    """The best placement against the naive one."""
    name, own = graph.name or "the model", homes_of(target.device)
    if chosen is None:
        return (
            f"{name} does not fit {target.device.name} in any of {len(ranked)} placements; "
            f"as the device file has it, {naive.reason}"
        )
    if chosen.homes == own:
        return (
            f"of {len(ranked)} placements of {name} none is better than the device's own "
            f"({_time(naive)}, {_STANDING[naive.standing]})"
        )
    how = chosen.homes.beside(own)
    is_copied = chosen.homes.weights_copied
    copied = f" after copying for {_milliseconds(chosen.copy_s.value)} once at start" if is_copied else ""
    naive_way = f"the device's own homes: {_time(naive)}, {_STANDING[naive.standing]}"
    if naive.reason:
        naive_way += f" ({naive.reason})"
    return f"{how}: {_time(chosen)}{copied}, {_STANDING[chosen.standing]}; {naive_way}"


def _time(candidate: Candidate) -> str:
    if candidate.latency_s.value is None:
        return "time unknown"
    return f"{_milliseconds(candidate.latency_s.value)} per inference"


def _milliseconds(value: float | None) -> str:
    return "an unknown time" if value is None else f"{value * 1e3:.4g} ms"
