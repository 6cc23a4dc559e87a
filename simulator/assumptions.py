"""What was taken for granted, with its source; and which checks passed."""

from __future__ import annotations

from collections.abc import Sequence

from ..devices.target import Target
from ..graphs.ir import ModelGraph
from .estimate import Assumption, BudgetCheck, Finding, Word
from .memory.persistent import resource_count
from .placement import placement_assumptions


def assumptions_of(target: Target) -> tuple[Assumption, ...]:
    """Every device and runtime figure that the estimate stands on."""
    device, runtime = target.device, target.runtime
    core, memory, code = device.core, runtime.memory, runtime.code
    mhz = f"{target.clock_hz / 1e6:g} MHz"
    kernels = f"runtime {runtime.name}, kernels {target.kernels.library}"
    linked = f"{code.table or 'not known'} {code.flags}".strip()
    taken = [
        Assumption(f"{core.name} runs at", mhz, core.source, core.confidence),
        Assumption(kernels, runtime.version, memory.source, memory.confidence),
        Assumption("code size", linked, code.source, code.confidence),
    ]
    taken.extend(
        Assumption(f"{m.name} ({m.kind})", f"{m.size_bytes:,} B", m.source, m.confidence)
        for m in device.memories
    )
    if device.power is not None:
        boundary = f"power is that of the {device.power.boundary}"
        taken.append(Assumption(boundary, "", device.power.source, device.power.confidence))
    taken.append(Assumption("stack, heap, sensors and drivers of the firmware are not in these figures",
                            "give them with --reserve", "scope", ""))  # fmt: skip
    return (*taken, *placement_assumptions(device))


def state_assumptions(graph: ModelGraph, target: Target) -> tuple[Assumption, ...]:
    """How many resource variables the firmware makes room for, where the model has any."""
    count = resource_count(graph)
    if not count or target.runtime.memory.persistent != "tflm":
        return ()
    text = "the firmware creates as many resource variables as the model names"
    return (Assumption(text, f"{count}: 12 B and 20 B each, then their data", "arena tail", ""),)


def passed_checks(refused: Sequence[Finding], budgets: Sequence[BudgetCheck]) -> tuple[str, ...]:
    """What was looked at and found in order."""
    passed = [] if refused else ["every op, version and tensor type is in the runtime's table"]
    passed.extend(f"{check.name} fits" for check in budgets if check.word is Word.FITS)
    return tuple(passed)
