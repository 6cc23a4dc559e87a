"""What was taken for granted, with its source; and which checks passed."""

from __future__ import annotations

from collections.abc import Sequence

from ..devices.battery import ASSUMED_USABLE, ASSUMED_USABLE_SOURCE, BatterySpec
from ..devices.sleep import SleepSpec
from ..devices.target import Target
from ..graphs.ir import ModelGraph
from .estimate import Assumption, BudgetCheck, Conditions, Finding, Step, Word
from .flash.choices import ends
from .memory.persistent import resource_count
from .placement import placement_assumptions
from .power import BOUNDARIES
from .sleep import sleep_of


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
    point = target.power_point
    if point is not None:
        fed = "" if point.supply_v is None else f"{point.supply_v:g} V {point.regulator.upper()}".strip()
        boundary = f"power is that of the {BOUNDARIES[point.boundary]}"
        taken.append(Assumption(boundary, fed, point.source, point.confidence))
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


def duty_assumptions(target: Target, conditions: Conditions) -> tuple[Assumption, ...]:
    """What the period stands on: declared steps, sleep, wake-up, battery; and what is not in it."""
    duty = conditions.duty
    if not duty.is_given:
        return ()
    taken = [_step_assumption(step) for step in duty.steps]
    scope = "sensors, radio and whatever else is not declared as a step is not in the period"
    taken.append(Assumption(scope, "give it as [[step]] of --scenario", "scope", ""))
    if duty.period_s is not None:
        taken.extend(_sleep_assumptions(target, conditions))
    if duty.battery is not None:
        taken.extend(_battery_assumptions(duty.battery))
    return tuple(taken)


def _step_assumption(step: Step) -> Assumption:
    asleep = ", the core asleep" if step.core == "sleep" else ""
    order = "before" if step.when == "pre" else "after"
    text = f"{step.name} runs {order} the inference{asleep}, never beside it"
    value = "" if step.time_s.value is None else f"{step.time_s.value * 1e3:.4g} ms"
    return Assumption(text, value, step.time_s.source, "measured" if step.is_measured else "assumed")


def _sleep_assumptions(target: Target, conditions: Conditions) -> list[Assumption]:
    """The sleep between two inferences, and the wake-up that is in the period or not."""
    draw = sleep_of(target, conditions.duty)
    if draw is None:
        return []
    drawn = f"{draw.current_a * 1e6:.4g} uA" if draw.current_a else f"{(draw.power_w or 0) * 1e6:.4g} uW"
    ram = f", RAM {draw.ram}" if draw.ram else ""
    stated = draw.confidence if isinstance(draw, SleepSpec) else "measured" if draw.measured else "assumed"
    taken = [Assumption(f"sleeps in {draw.state or 'the declared state'}{ram}", drawn, draw.source, stated)]
    if draw.wake_up_s is None:
        text = "time and energy of waking up are not counted"
        taken.append(Assumption(text, "give wake_up in [sleep] of --scenario", "scope", ""))
    elif draw.wake_up_j is None:
        taken.append(Assumption("waking up draws the power of the working core", "", draw.source, "assumed"))
    return taken


def _battery_assumptions(battery: BatterySpec) -> list[Assumption]:
    """How much of the battery the load gets, and what is not taken off it."""
    taken = [
        Assumption("the regulator loses nothing; a linear one is in the interval where the file states a "
                   "supply", "", "scope", "assumed"),
        Assumption("the battery does not discharge by itself", "", "scope", "assumed"),
    ]  # fmt: skip
    if battery.usable is None:
        low, value, high = ASSUMED_USABLE
        text = f"the load gets {value:.1%} of the battery's nominal capacity ({low:.0%} to {high:.0%})"
        taken.append(Assumption(text, "give it: 220mAh@3V,85%", ASSUMED_USABLE_SOURCE, "assumed"))
    return taken


def passed_checks(refused: Sequence[Finding], budgets: Sequence[BudgetCheck]) -> tuple[str, ...]:
    """What was looked at and found in order."""
    passed = [] if refused else ["every op, version and tensor type is in the runtime's table"]
    passed.extend(f"{check.name} fits" for check in budgets if check.word is Word.FITS)
    return tuple(passed)
