"""What do the rules on a limit of energy mean, and what to do about them."""

from __future__ import annotations

from .rule import Rule

LIMIT_RULES: tuple[Rule, ...] = (
    Rule(
        "PF803", "error", "energy over the limit",
        "One inference takes more energy than --limit energy= allows, even at the low end of the interval.",
        "Use fewer MACs, a faster kernel library, another supply or clock, or allow more.",
    ),
    Rule(
        "PF804", "warning", "energy close to the limit",
        "The interval of the energy of one inference contains the limit, or the value ends close to it.",
        "Measure the power of the board and give it in your own device file: that narrows the interval.",
    ),
    Rule(
        "PF805", "warning", "energy limit cannot be judged",
        "A limit of energy was given, but the energy of one inference is not known: the board has no power "
        "figure, or the model no latency. The verdict is UNKNOWN.",
        "Add a [power] block with a source to your own device file, or leave the limit out.",
    ),
)  # fmt: skip
