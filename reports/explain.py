"""What does a rule id or the name of a figure mean, in words."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from ..errors import PreflashError
from .duty_metrics import DUTY_METRICS
from .rules import RULES, Rule

# name -> (unit, what it is, how it is known)
METRICS: dict[str, tuple[str, str, str]] = {
    "arena_head_bytes": (
        "B",
        "The planned part of the arena: activations and scratch buffers, placed so that buffers "
        "whose lifetimes do not meet share addresses.",
        "Counted: the runtime's planner is replayed to the byte. Calibrated for x-cube-ai, whose planner is "
        "modelled.",
    ),
    "arena_tail_bytes": (
        "B",
        "The persistent part of the arena: what is allocated once and kept, such as tensor and op"
        " records, per-channel scales and variable tensors.",
        "Counted for 32-bit targets from the runtime's own structures.",
    ),
    "arena_used_bytes": (
        "B",
        "Head plus tail: what arena_used_bytes() prints on the board after AllocateTensors().",
        "Counted.",
    ),
    "arena_min_bytes": (
        "B",
        "The smallest arena with which AllocateTensors() succeeds. It can be larger than "
        "arena_used_bytes, because planning itself needs room in the arena.",
        "Counted: the largest need at any moment of allocation.",
    ),
    "ram_bytes": (
        "B",
        "RAM that the model costs: arena_min_bytes plus the runtime's static RAM. Reservations "
        "(your stack, application, radio) are not in it; they lower the budget instead.",
        "As good as its weakest term.",
    ),
    "flash_bytes": (
        "B",
        "Flash that the model costs: the model file plus the code of the runtime and of the "
        "kernels that this model needs. Your application is not in it.",
        "Model counted; code from linked firmwares of that core, else unknown.",
    ),
    "latency_s": (
        "s",
        "Time of one inference: cycles of all kernels / clock. Null when an op has no cost model;"
        " lo is then a lower bound.",
        "Fitted instruction counts x cycles per instruction + waiting for memory; p10 to p90 from"
        " residuals.",
    ),
    "energy_j": (
        "J",
        "Energy of one inference: power while the core works x latency_s. The label and the source say what"
        " is inside the figure: the core's rail, the MCU's supply or the whole board. --supply 3.3V asks for"
        " another operating point than the board's first.",
        "The board's power nearest to supply, clock and runtime: measured, else from the datasheet; unknown"
        " without one. p10 to p90 from left-out rows (preflash validate energy).",
    ),
    "macs": (
        "MAC",
        "Multiply-accumulates of one inference, as published figures count them: output elements "
        "x filter taps, with the taps that fall on padding.",
        "Counted from shapes.",
    ),
    "traffic_bytes": (
        "B",
        "Bytes that move between the core and its memories in one inference, with re-reads that "
        "the kernel's blocking causes. traffic_bytes.<memory> is the part of one memory.",
        "From the structure of each kernel.",
    ),
    "bandwidth_bytes_per_s": (
        "B/s",
        "Required bandwidth: traffic_bytes / latency_s. bandwidth_bytes_per_s.<memory> is the "
        "part of one memory; compare it with what that memory offers at this clock.",
        "As good as traffic and latency.",
    ),
    **DUTY_METRICS,
}


def explain(name: str) -> str:
    """The text about a rule id or a metric; capitals do not matter.

    Raises:
        PreflashError: nothing has this name; the fix names the closest ones.
    """
    wanted = name.strip()
    rule = next((r for r in RULES if r.id == wanted.upper()), None)
    if rule is not None:
        return _rule_text(rule)
    base, _, memory = wanted.lower().replace("-", "_").partition(".")
    if base in METRICS:
        return _metric_text(base, memory)
    raise PreflashError(f"{wanted[:80]!r} is no rule and no metric", fix=_closest(wanted))


def topics() -> Iterable[str]:
    """Everything that can be explained."""
    return (*(rule.id for rule in RULES), *METRICS)


def render_topics() -> str:
    """Every rule and metric with its title, one a line."""
    lines = [f"{rule.id}  {rule.severity:<8} {rule.title}" for rule in RULES]
    lines += [f"{name} [{unit}]" for name, (unit, _, _) in METRICS.items()]
    return "\n".join(lines) + "\n"


def _rule_text(rule: Rule) -> str:
    parts = [
        f"{rule.id}  {rule.title}  ({rule.severity})",
        _fill(rule.meaning),
        _fill(f"What to do: {rule.remedy}"),
    ]
    return "\n\n".join(parts) + "\n"


def _metric_text(name: str, memory: str) -> str:
    unit, meaning, basis = METRICS[name]
    part = f", the part of memory {memory!r}" if memory else ""
    return "\n\n".join([f"{name} [{unit}]{part}", _fill(meaning), _fill(f"How it is known: {basis}")]) + "\n"


def _fill(text: str) -> str:
    return textwrap.fill(text, 80)


def _closest(name: str) -> str:
    from difflib import get_close_matches

    known = list(topics())
    folded = {topic.lower(): topic for topic in known}
    close = [folded[match] for match in get_close_matches(name.lower(), folded, n=3, cutoff=0.5)]
    guess = f"did you mean {' or '.join(close)}? " if close else ""
    return f"{guess}`preflash explain` without a name lists all"
