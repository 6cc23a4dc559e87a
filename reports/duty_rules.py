"""What do the rules on deadline, period and battery mean, and what to do about them."""

from __future__ import annotations

from .rule import Rule

DUTY_RULES: tuple[Rule, ...] = (
    Rule(
        "PF405", "info", "what takes the time",
        "Deadline or period is missed, at risk or kept closely. The finding says by how much, at the value "
        "and at p90, and names the op and the declared steps that take most of the time.",
        "Change what takes most of the time first: that op, its kernel, or a declared step.",
    ),
    Rule(
        "PF406", "error", "the period is too short",
        "Wake-up, steps and inference, one after the other, take longer than the period even at the low end "
        "of the interval: inputs are lost. The verdict is NO; average power and battery life are unknown.",
        "Infer less often, make the model or the steps faster, or let a peripheral do a step and declare "
        "less time for it.",
    ),
    Rule(
        "PF407", "warning", "the period may be too short",
        "The interval of what happens in a period contains the period, or ends close to it.",
        "Leave more room in the period, or measure the model on the board.",
    ),
    Rule(
        "PF811", "info", "what empties the battery",
        "Whether work (wake-up, steps, inference) or sleep takes more of the energy of a period, and the "
        "period at which both take the same: energy of the work / power asleep.",
        "Where work decides, a faster or smaller model or a longer period helps; where sleep decides, a "
        "deeper sleep does and the model hardly matters.",
    ),
    Rule(
        "PF812", "warning", "power asleep unknown",
        "Neither the device file nor the user says what the board draws between two inferences. Average "
        "power is then a lower bound, and days an upper one.",
        "Measure it and give it with --sleep 3uA@3V, as [sleep] of a --scenario, or as [power.sleep] of your "
        "own device file with its source.",
    ),
    Rule(
        "PF813", "warning", "RAM is lost in sleep",
        "In this sleep state arena and variables are lost. Each wake-up is a restart: boot, AllocateTensors()"
        " and whatever the model remembers. None of it is counted.",
        "Choose a state that keeps RAM, or declare the restart as a [[step]] with its time.",
    ),
    Rule(
        "PF814", "info", "life beyond the shelf life",
        "The computed life is longer than the ten years that makers state at most for cells on the shelf; "
        "self-discharge is not counted.",
        "Take the shelf life; the board's draw no longer decides.",
    ),
)  # fmt: skip
