"""What do the figures of deadline, period and battery mean, and how are they known."""

from __future__ import annotations

# name -> (unit, what it is, how it is known)
DUTY_METRICS: dict[str, tuple[str, str, str]] = {
    "response_s": (
        "s",
        "Time from the event to the last result: wake-up if declared, steps before, the inference "
        "(latency_s), steps after, one after the other. A deadline and a period are held against it.",
        "As good as latency_s and the declared steps.",
    ),
    "slack_s": (
        "s",
        "Deadline minus response_s; below zero the deadline is missed.",
        "As good as response_s. Null without --deadline.",
    ),
    "cpu_load": (
        "1",
        "Part of the period in which the core works: (wake-up + active steps + inference) / period. Steps "
        "during which the core sleeps do not count.",
        "As good as latency_s and the declared steps. Null without --period.",
    ),
    "sleep_power_w": (
        "W",
        "What is drawn between two inferences: current x supply of the sleep state.",
        "As declared with --sleep or [sleep], else of the device file; null where neither states it.",
    ),
    "period_energy_j": (
        "J",
        "Energy of one period: wake-up, steps, inference, and sleep for the rest of it.",
        "As good as its weakest term; the lower bound leaves unknown terms out.",
    ),
    "average_power_w": (
        "W",
        "period_energy_j / period.",
        "As good as period_energy_j. Null where the period is too short for what happens in it.",
    ),
    "battery_days": (
        "d",
        "Usable energy of the battery / average_power_w. Self-discharge is not counted; a regulator is "
        "lossless in the value, and a linear one is in the interval where the power figure states a voltage.",
        "As good as average_power_w and the usable part of the battery. Where power is unknown, hi is the "
        "most there can be.",
    ),
    "crossover_period_s": (
        "s",
        "The period at which sleep takes as much energy as everything else: energy of the work / "
        "sleep_power_w. With a shorter period the model decides the battery's life, with a longer one the "
        "sleep does.",
        "As good as energy and sleep_power_w.",
    ),
}
