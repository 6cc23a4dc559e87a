"""Which assumptions stand behind an outcome, how is each known, and which of them can be varied?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from ...devices.sleep import DeclaredSleep, SleepSpec
from ..estimate import Basis, Interval
from ..kernels.cores import core_costs
from ..neon_routes import LIBRARIES
from ..outcome import Outcome, Ready
from ..power import BOUNDARIES
from ..sleep import sleep_of, sleep_w
from . import scale
from .case import Case, Fixed, Knob

GIVEN = "given"
_ON_BUS = "on the core's bus: where things lie as the board has them, its waiting is in the cycles"


class Ground(NamedTuple):
    """The case as it is assumed, and what it comes to."""

    case: Case
    ready: Ready
    found: Outcome


_Found = Iterator[Knob | Fixed]


def all_knobs(ground: Ground) -> tuple[Knob | Fixed, ...]:
    """Every assumption, in the order of the table."""
    return tuple(one for knobs in KNOBS for one in knobs(ground))


def _clock(g: Ground) -> _Found:
    core, clock_hz = g.case.target.device.core, g.case.target.clock_hz
    is_most = clock_hz >= core.max_clock_hz
    most = f"the part runs at {core.max_clock_hz / 1e6:g} MHz at most; above that is another part"
    confidence, source = (core.confidence, core.source) if is_most else (GIVEN, "--clock")
    yield Knob("clock", clock_hz, "Hz", confidence, source, scale.clock, most if is_most else "")


def _kernels(g: Ground) -> _Found:
    latency_s = g.found.headline.latency_s
    if latency_s.value is None:
        yield Fixed("kernel cycles", f"latency unknown: {latency_s.reason}")
        return
    known = latency_s.basis.value, latency_s.source
    cycles = float(g.found.cycles.compute_cycles.sum())
    yield Knob("kernel cycles", cycles / 1e6, "Mcycles", *known, scale.what_if("compute"))
    if g.case.target.kernels.library in LIBRARIES:
        yield Knob("streaming weights and activations", None, "", *known, scale.what_if("stalls"))
        return
    costs = core_costs(g.case.target)
    if costs is None or not costs.cycles_per_byte.value:
        yield Fixed("waiting for weights", "nothing was fitted: the speeds of the memories alone decide")
        return
    per_byte, unit = costs.cycles_per_byte.value, "x" if costs.is_of_bus_time else "cycles/B"
    yield Knob("waiting for weights", per_byte, unit, *known, scale.what_if("stalls"),
               "on the time that the bus takes" if costs.is_of_bus_time else "")  # fmt: skip


def _memories(g: Ground) -> _Found:
    target = g.case.target
    for fit in g.found.memories:
        if not fit.is_used:
            continue
        memory = target.device.memory(fit.name)
        yield Knob(f"size of {fit.name}", memory.size_bytes, "B", memory.confidence, memory.source,
                   scale.memory_size(fit.name), memory.assumption)  # fmt: skip
        access = memory.access
        if access is None:
            yield Fixed(f"speed of {fit.name}", "the device file states no access speed")
            continue
        speed = access.bandwidth_at(target.clock_hz)
        is_on_bus = access.bandwidth_bytes_per_s is None and target.runtime.rate is None
        yield Knob(f"speed of {fit.name}", speed, "B/s", access.confidence, access.source,
                   scale.memory_speed(fit.name), _ON_BUS if is_on_bus else "")  # fmt: skip


def _contents(g: Ground) -> _Found:
    """What lies in the memories."""
    needed, taken = g.found.needed, None if g.ready.held.plan is None else g.ready.held.plan.taken
    yield _figure_knob("code size", needed.code, "code")
    static = _figure_knob("static RAM", needed.static, "static_ram")
    if isinstance(static, Knob) and needed.static.basis is Basis.EXACT:  # a number of the runtime's file
        static = replace(static, confidence=g.case.target.runtime.memory.confidence)
    yield static
    if taken is not None:
        yield _figure_knob("arena", needed.arena, "arena")
    else:
        yield Fixed("arena", _why_fixed(needed.arena))
    yield Fixed("model in flash", _why_fixed(needed.model))


def _figure_knob(name: str, part: Interval, field: str) -> Knob | Fixed:
    if part.value is None:
        return Fixed(name, part.reason)
    return Knob(name, part.value, "B", part.basis.value, part.source, scale.what_if(field))


def _why_fixed(part: Interval) -> str:
    if part.value is None:
        return part.reason
    if part.lo == part.hi:
        return f"{part.basis}: {part.source}"
    return f"{part.basis}: its interval of {part.lo:,.0f} to {part.hi:,.0f} B stands in every figure"


def _reservations(g: Ground) -> _Found:
    used = {fit.name for fit in g.found.memories if fit.is_used}
    for spec in g.case.target.device.reserved:
        if spec.memory in used:
            yield Knob(f"{spec.name} in {spec.memory}", spec.size_bytes, "B", spec.confidence, spec.source,
                       scale.device_reservation(spec.name, spec.memory))  # fmt: skip
    for place, one in enumerate(g.case.conditions.reservations):
        if one.memory in used:
            yield Knob(f"{one.name} in {one.memory}", one.size_bytes, "B", GIVEN, one.source,
                       scale.reservation(place))  # fmt: skip


def _power(g: Ground) -> _Found:
    point = g.case.target.power_point
    if point is None:
        yield Fixed("active power", f"no power figure for {g.case.target.device.name}")
        return
    watts = point.active_w if point.active_w is not None else point.active_w_per_hz
    unit = "W" if point.active_w is not None else "W/Hz"
    note = f"of the {BOUNDARIES[point.boundary]}"
    yield Knob("active power", watts, unit, point.confidence, point.source, scale.active_power, note)


def _sleep(g: Ground) -> _Found:
    target, duty = g.case.target, g.case.conditions.duty
    drawn, draw = sleep_w(target, duty), sleep_of(target, duty)
    if duty.period_s is None:
        yield Fixed("power asleep", "no period was given: nothing hangs on it")
        return
    if draw is None or drawn.value is None:
        yield Fixed("power asleep", drawn.reason)
        return
    stated = draw.confidence if isinstance(draw, SleepSpec) else ""
    known = stated or ("measured" if isinstance(draw, DeclaredSleep) and draw.measured else "assumed")
    source = draw.source or "as declared"
    yield Knob("power asleep", drawn.value, "W", known, source, scale.sleep_draw)
    if draw.wake_up_s is None:
        yield Fixed("wake-up", "neither its time nor its energy is declared: it is not counted")
        return
    yield Knob("time of the wake-up", draw.wake_up_s, "s", known, source, scale.wake_up_time)
    if draw.wake_up_j is not None:
        yield Knob("energy of the wake-up", draw.wake_up_j, "J", known, source, scale.wake_up_energy)


def _steps(g: Ground) -> _Found:
    for step in g.case.conditions.duty.steps:
        known = "measured" if step.is_measured else "assumed"
        took, energy = step.time_s, step.energy_j
        yield Knob(f"time of {step.name}", took.value, "s", known, took.source, scale.step_time(step.name))
        if energy is not None:
            yield Knob(f"energy of {step.name}", energy.value, "J", known, energy.source,
                       scale.step_energy(step.name))  # fmt: skip


def _demands(g: Ground) -> _Found:
    """What the user holds the figures against, and the battery."""
    given = g.case.conditions
    if given.deadline_s is not None:
        yield Knob("deadline", given.deadline_s, "s", GIVEN, "--deadline", scale.deadline)
    if given.duty.period_s is not None:
        yield Knob("period", given.duty.period_s, "s", GIVEN, "--period", scale.period)
    for one in given.limits:
        yield Knob(f"{one.name} limit", one.value, one.unit, GIVEN, "--limit", scale.limit(one.name))
    yield Knob("headroom", given.tight_headroom, "1", GIVEN, "--headroom", scale.headroom)
    held = given.duty.battery
    if held is not None:
        yield Knob("battery", held.nominal_j, "J", GIVEN, "--battery", scale.battery)
    if held is not None and held.usable is None:
        reason = "not declared: 75 to 100 % of the capacity stand in the interval of the days"
        yield Fixed("usable part of the battery", reason)


KNOBS: tuple[Callable[[Ground], _Found], ...] = (
    _clock, _kernels, _memories, _contents, _reservations, _power, _sleep, _steps, _demands,
)  # fmt: skip
