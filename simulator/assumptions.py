"""What was taken for granted, with its source; and which checks passed."""

from __future__ import annotations

from collections.abc import Sequence

from ..devices.target import Target
from ..graphs.ir import ModelGraph
from .estimate import Assumption, BudgetCheck, Conditions, Finding, Word
from .flash.choices import ends
from .memory.persistent import resource_count
from .placement import placement_assumptions


def assumptions_of(target: Target, conditions: Conditions) -> tuple[Assumption, ...]:
    """Every device and runtime figure that the estimate stands on, and what of the firmware is known."""
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
    if runtime.release is not None:
        release = runtime.release
        what = f"{release.title or release.version} plans as its published figures suggest"
        taken.append(Assumption(what, release.version, release.source, release.confidence))
    if device.power is not None:
        boundary = f"power is that of the {device.power.boundary}"
        taken.append(Assumption(boundary, "", device.power.source, device.power.confidence))
    if target.threads > 1:
        shared = f"{target.threads} threads share the work, one per core, all at {mhz}"
        taken.append(Assumption(shared, "", "given with --threads", "assumed"))
    taken.extend(_undeclared_build(target))
    taken.append(_firmware_assumption(conditions))
    return (*taken, *placement_assumptions(target))


def _undeclared_build(target: Target) -> tuple[Assumption, ...]:
    """What the firmware's author did not declare of the build, where code size follows from it."""
    code = target.runtime.code
    narrow = "type-restricted" if code.table == "tflm-cmsis-nn" else ""
    between = ends(code, narrow) if code.is_linked_table else None
    if between is None:
        return ()
    low, high, value = between
    text = f"the firmware is built with {value}"
    return (Assumption(text, "give it with --build", f"not declared: from {low} to {high}", "assumed"),)


def _firmware_assumption(conditions: Conditions) -> Assumption:
    """Whose stack, heap, sensors and drivers are in the figures."""
    if conditions.firmware is None:
        text = "stack, heap, sensors and drivers of the firmware are not in these figures"
        return Assumption(text, "give them with --reserve or --firmware", "scope", "")
    use = conditions.firmware.use
    source = f"{use.format} {use.file}, sha256 {use.sha256}"
    if not use.heap_and_stack:
        text = f"the firmware takes what {use.file} says; its stack and heap were not recognised there"
        return Assumption(text, "give them with --reserve", source, "primary")
    kept = ", ".join(f"{name} {size:,} B" for name, size in use.heap_and_stack)
    return Assumption(
        f"the firmware takes what {use.file} says, stack and heap with it", kept, source, "primary"
    )


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
