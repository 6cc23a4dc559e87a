"""How does a case look with so many times one of its figures? One pure function per figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel

from ...devices.power import PowerPoint
from ...devices.spec import DeviceSpec, MemorySpec
from ..estimate import Conditions, Duty, Step
from ..interval import times
from .case import Case

_Spec = TypeVar("_Spec", bound=BaseModel)
_DRAWS = ("current_a", "current_a_lo", "current_a_hi", "power_w", "power_w_lo", "power_w_hi")
_ACTIVE = ("active_w", "active_w_lo", "active_w_hi", "active_w_per_hz")
_MOST_HEADROOM = 0.99


def clock(case: Case, factor: float) -> Case:
    """Another clock; declared steps that are stated in cycles follow it."""
    target = replace(case.target, clock_hz=case.target.clock_hz * factor)
    steps = tuple(
        step if step.cycles is None else replace(step, time_s=times(step.time_s, 1 / factor))
        for step in case.conditions.duty.steps
    )
    return _with_duty(case._replace(target=target), steps=steps)


def what_if(name: str) -> Callable[[Case, float], Case]:
    """So many times a figure that follows from a fit or a table."""

    def turned(case: Case, factor: float) -> Case:
        held = case.target.what_if
        changes: dict[str, Any] = {name: getattr(held, name) * factor}
        varied = replace(held, **changes)
        return case._replace(target=replace(case.target, what_if=varied))

    return turned


def memory_speed(memory: str) -> Callable[[Case, float], Case]:
    """So many bytes per second more or less: of the stated bandwidth, or of the bus."""

    def turned(case: Case, factor: float) -> Case:
        def faster(spec: MemorySpec) -> MemorySpec:
            access = spec.access
            if access is None:
                return spec
            return _copied(spec, access=_scaled(access, ("bandwidth_bytes_per_s", "bus_width_bits"), factor))

        return _on_memory(case, memory, faster)

    return turned


def memory_size(memory: str) -> Callable[[Case, float], Case]:
    """A larger or smaller memory; what is reserved in it stays."""

    def turned(case: Case, factor: float) -> Case:
        return _on_memory(
            case, memory, lambda spec: _copied(spec, size_bytes=max(1, round(spec.size_bytes * factor)))
        )

    return turned


def device_reservation(name: str, memory: str) -> Callable[[Case, float], Case]:
    """What the device file reserves."""

    def turned(case: Case, factor: float) -> Case:
        def changed(device: DeviceSpec) -> DeviceSpec:
            kept = tuple(
                _copied(spec, size_bytes=round(spec.size_bytes * factor))
                if (spec.name, spec.memory) == (name, memory) else spec
                for spec in device.reserved
            )  # fmt: skip
            return _copied(device, reserved=kept)

        return _on_device(case, changed)

    return turned


def active_power(case: Case, factor: float) -> Case:
    """Every figure of the working core's power."""

    def drawn(point: PowerPoint) -> PowerPoint:
        return _scaled(point, _ACTIVE, factor)

    def changed(device: DeviceSpec) -> DeviceSpec:
        power = device.power
        if power is None:
            return device
        block = _scaled(power, _ACTIVE, factor)
        return _copied(device, power=_copied(block, points=tuple(drawn(point) for point in power.points)))

    return _on_device(case, changed)


def sleep_draw(case: Case, factor: float) -> Case:
    """What is drawn asleep, current or power."""
    return _on_sleep(case, _DRAWS, factor)


def wake_up_time(case: Case, factor: float) -> Case:
    """From the event to the first instruction."""
    return _on_sleep(case, ("wake_up_s",), factor)


def wake_up_energy(case: Case, factor: float) -> Case:
    """What waking up takes."""
    return _on_sleep(case, ("wake_up_j",), factor)


def battery(case: Case, factor: float) -> Case:
    """What the label says."""
    held = case.conditions.duty.battery
    return case if held is None else _with_duty(case, battery=_scaled(held, ("charge_c", "energy_j"), factor))


def period(case: Case, factor: float) -> Case:
    """From one inference to the next."""
    held = case.conditions.duty.period_s
    return case if held is None else _with_duty(case, period_s=held * factor)


def deadline(case: Case, factor: float) -> Case:
    """What inference and steps may take."""
    held = case.conditions.deadline_s
    return case if held is None else _given(case, deadline_s=held * factor)


def headroom(case: Case, factor: float) -> Case:
    """With less free than this the verdict is TIGHT."""
    return _given(case, tight_headroom=min(_MOST_HEADROOM, case.conditions.tight_headroom * factor))


def limit(name: str) -> Callable[[Case, float], Case]:
    """The user's own limit of this name."""

    def turned(case: Case, factor: float) -> Case:
        held = case.conditions.limits
        varied = tuple(replace(one, value=one.value * factor) if one.name == name else one for one in held)
        return _given(case, limits=varied)

    return turned


def reservation(place: int) -> Callable[[Case, float], Case]:
    """The reservation at this place of the conditions."""

    def turned(case: Case, factor: float) -> Case:
        held = list(case.conditions.reservations)
        held[place] = replace(held[place], size_bytes=round(held[place].size_bytes * factor))
        return _given(case, reservations=tuple(held))

    return turned


def step_time(name: str) -> Callable[[Case, float], Case]:
    """How long a declared step takes."""
    return _on_step(name, "time_s")


def step_energy(name: str) -> Callable[[Case, float], Case]:
    """The energy that is declared of a step."""
    return _on_step(name, "energy_j")


def _on_step(name: str, field: str) -> Callable[[Case, float], Case]:
    def turned(case: Case, factor: float) -> Case:
        def longer(step: Step) -> Step:
            changes: dict[str, Any] = {field: times(getattr(step, field), factor)}
            return replace(step, **changes)

        steps = tuple(longer(step) if step.name == name else step for step in case.conditions.duty.steps)
        return _with_duty(case, steps=steps)

    return turned


def _on_sleep(case: Case, fields: tuple[str, ...], factor: float) -> Case:
    """The declared sleep stands above the device file's."""
    declared = case.conditions.duty.sleep
    if declared is not None:
        return _with_duty(case, sleep=_scaled(declared, fields, factor))

    def changed(device: DeviceSpec) -> DeviceSpec:
        power = device.power
        sleep = None if power is None else power.sleep
        if power is None or sleep is None:
            return device
        return _copied(device, power=_copied(power, sleep=_scaled(sleep, fields, factor)))

    return _on_device(case, changed)


def _on_memory(case: Case, name: str, change: Callable[[MemorySpec], MemorySpec]) -> Case:
    def changed(device: DeviceSpec) -> DeviceSpec:
        memories = tuple(change(spec) if spec.name == name else spec for spec in device.memories)
        return _copied(device, memories=memories)

    return _on_device(case, changed)


def _on_device(case: Case, change: Callable[[DeviceSpec], DeviceSpec]) -> Case:
    """The device as it is placed, and as its file has it."""
    target = case.target
    own = None if target.own_device is None else change(target.own_device)
    return case._replace(target=replace(target, device=change(target.device), own_device=own))


def _with_duty(case: Case, **changes: Any) -> Case:
    duty: Duty = replace(case.conditions.duty, **changes)
    return _given(case, duty=duty)


def _given(case: Case, **changes: Any) -> Case:
    conditions: Conditions = replace(case.conditions, **changes)
    return case._replace(conditions=conditions)


def _scaled(block: _Spec, fields: tuple[str, ...], factor: float) -> _Spec:
    """The block with so many times each of these figures, where it states them."""
    stated = {name: getattr(block, name) for name in fields}
    return _copied(block, **{name: value * factor for name, value in stated.items() if value is not None})


def _copied(block: _Spec, **changes: Any) -> _Spec:
    """The block with other figures; those of a file were checked when it was read."""
    return block.model_copy(update=changes)
