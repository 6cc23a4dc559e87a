"""What does one period come to: its lines, time against deadline and period, energy, power, battery life."""

from __future__ import annotations

from dataclasses import dataclass

from .interval import Interval


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happens in a period: wake-up, a step, the inference, sleep.

    Args:
        when: "pre", "inference", "post", "sleep".
        core: "active" or "sleep".
    """

    name: str
    when: str
    core: str
    time_s: Interval
    energy_j: Interval


@dataclass(frozen=True, slots=True)
class DutyCycle:
    """One period in figures; what was not given leaves them unknown, with the reason.

    Args:
        response_s: from the event to the last result: wake-up, steps before, inference, steps after.
        slack_s: deadline - response; below zero it is missed.
        cpu_load: time in which the core works / period.
        sleep_w: what is drawn between two inferences.
        awake_j: energy of all lines but sleep.
        crossover_s: the period at which sleep takes as much as everything else: awake_j / sleep_w.
    """

    lines: tuple[Line, ...]
    response_s: Interval
    slack_s: Interval
    cpu_load: Interval
    sleep_w: Interval
    awake_j: Interval
    asleep_j: Interval
    period_j: Interval
    average_w: Interval
    battery_days: Interval
    crossover_s: Interval
