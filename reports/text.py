"""How does an estimate read in a terminal: one screen, 80 columns, with or without colour."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from ..simulator.estimate import Estimate, Finding, Severity, Word
from . import format as shown
from .plan_sections import ladder_sentence
from .sections import Gauge, arena_line, gauges, model_line, ranked_findings, target_line, verdict_sentence

WIDTH = 80
_BAR = 20
_FIGURE = 22
_MOST_FINDINGS = 6
_RED, _YELLOW, _GREEN, _MAGENTA, _DIM, _BOLD = "31", "33", "32", "35", "2", "1"
_WORD_COLOURS = {
    Word.FITS: _GREEN,
    Word.TIGHT: _YELLOW,
    Word.RISKY: _YELLOW,
    Word.UNKNOWN: _MAGENTA,
    Word.NO: _RED,
}
_SEVERITIES = {
    Severity.ERROR: ("error", _RED),
    Severity.WARNING: ("warn ", _YELLOW),
    Severity.INFO: ("info ", _DIM),
}


def render_text(estimate: Estimate, *, color: bool, command: str = "") -> str:
    """The report as lines of at most 80 columns (names are shortened, sentences wrapped).

    Args:
        command: the command line that made the estimate; the last line then shows what to run next.
    """
    lines = [*_header(estimate, color), *_verdict(estimate, color), ""]
    bars = gauges(estimate)
    labels = max(8, *(len(gauge.label) for gauge in bars))
    lines += [line for gauge in bars for line in _bar_lines(gauge, labels, color)]
    if arena_line(estimate):
        lines += _wrapped(arena_line(estimate), f"  {'arena':<{labels}} ", " " * (labels + 3))
    if ladder_sentence(estimate):
        lines += _wrapped(ladder_sentence(estimate), f"  {'ladder':<{labels}} ", " " * (labels + 3))
    found = ranked_findings(estimate)
    if found:
        lines += ["", *finding_lines(estimate, color=color)]
    if estimate.fusion.applied:
        lines += ["", *_wrapped(_fusion_sentence(estimate), "  ")]
    return "\n".join([*lines, *_closing(estimate, found, command)]) + "\n"


def finding_lines(estimate: Estimate, *, color: bool = False) -> list[str]:
    """The most urgent findings, a few lines each."""
    found = ranked_findings(estimate)[:_MOST_FINDINGS]
    return [line for finding in found for line in _finding(finding, color)]


def _paint(text: str, colour: str, color: bool) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if color else text


def _wrapped(text: str, indent: str = "", hanging: str | None = None) -> list[str]:
    """At most three lines; what is cut stands whole in the JSON and HTML reports."""
    rest = indent if hanging is None else hanging
    return textwrap.wrap(
        shown.clean(text), WIDTH, initial_indent=indent, subsequent_indent=rest, max_lines=3, placeholder=" …"
    )


def _header(estimate: Estimate, color: bool) -> list[str]:
    left, right = model_line(estimate), target_line(estimate)
    if len(left) + 4 + len(right) <= WIDTH:
        return [_paint(f"{left:<{WIDTH - len(right)}}{right}", _BOLD, color)]
    return [_paint(shown.short(line, WIDTH), _BOLD, color) for line in (left, right)]


def _verdict(estimate: Estimate, color: bool) -> list[str]:
    word = estimate.verdict.word
    first, *rest = _wrapped(f"{word.value}  {verdict_sentence(estimate)}", "", " " * (len(word.value) + 2))
    painted = _paint(word.value, f"{_BOLD};{_WORD_COLOURS[word]}", color)
    return [painted + first[len(word.value) :], *rest]


def _bar_lines(gauge: Gauge, label_width: int, color: bool) -> Iterator[str]:
    """label, bar, "23.7 KiB of 26.0 KiB", p10–p90, basis; a long label shortens the bar."""
    label = f"  {gauge.label:<{label_width}} "
    if gauge.value is None:
        yield from _wrapped(f"{gauge.figure}: {gauge.reason}", label, " " * len(label))
        return
    length = max(6, _BAR + 8 - label_width)
    bar = _bar(gauge, length, color) if gauge.limit else " " * length
    room = WIDTH - len(label) - length - 2
    yield f"{label}{bar}  {_figure_and_margin(gauge, room)}".rstrip()


def _figure_and_margin(gauge: Gauge, room: int) -> str:
    """The figure in its column, and behind it, or as far to the left as it takes, p10–p90 and basis."""
    both = f" {gauge.spread} {gauge.basis}" if gauge.spread else ""
    width = max(len(gauge.figure), min(_FIGURE, room - len(both)))
    figure = f"{gauge.figure:<{width}}"
    return f"{figure}{_margin(gauge, both, room - len(figure))}"


def _margin(gauge: Gauge, both: str, room: int) -> str:
    """p10–p90 and basis, as far as the room allows."""
    if both and len(both) <= room:
        return both
    return f" {gauge.basis}" if len(gauge.basis) + 1 <= room else ""


def _bar(gauge: Gauge, length: int, color: bool) -> str:
    """# used, - between value and p90, > beyond the budget, . free."""
    assert gauge.limit and gauge.value is not None
    filled = min(length, round(length * gauge.value / gauge.limit))
    if gauge.value > 0:
        filled = max(1, filled)
    high = gauge.value if gauge.hi is None else gauge.hi
    whisker = min(length, round(length * high / gauge.limit)) - filled
    bar = "#" * filled + "-" * max(0, whisker)
    bar += "." * (length - len(bar))
    if high > gauge.limit:
        bar = bar[:-1] + ">"
    return _paint(bar, _WORD_COLOURS[gauge.word], color) if gauge.word else bar


def _finding(finding: Finding, color: bool) -> list[str]:
    label, colour = _SEVERITIES[finding.severity]
    lead = f"  {finding.rule} {label} "
    first, *rest = _wrapped(finding.message, lead, " " * len(lead))
    return [first.replace(lead, f"  {finding.rule} {_paint(label, colour, color)} ", 1), *rest]


def _fusion_sentence(estimate: Estimate) -> str:
    before, after = estimate.fusion.before, estimate.fusion.after
    rules = ", ".join(f"{name} ×{times}" for name, times in estimate.fusion.applied.items())
    return (
        f"fused ({rules}): {before.op_count} → {after.op_count} kernels, RAM traffic "
        f"{shown.memory(before.traffic_bytes)} → {shown.memory(after.traffic_bytes)}, activations "
        f"{shown.memory(before.peak_bytes)} → {shown.memory(after.peak_bytes)}"
    )


def _closing(estimate: Estimate, found: tuple[Finding, ...], command: str) -> list[str]:
    counts = [(sum(f.severity is s for f in found), s.value) for s in (Severity.ERROR, Severity.WARNING)]
    tally = ", ".join(f"{n} {word}{'s' if n > 1 else ''}" for n, word in counts if n) or "no warnings"
    hidden = len(found) - _MOST_FINDINGS
    plural = "s" if hidden > 1 else ""
    more = f" ({hidden} more finding{plural} in -f html and -f json)" if hidden > 0 else ""
    taken = len(estimate.assumptions)
    assumed = f", {taken} assumption{'s' if taken > 1 else ''}" if taken else ""
    steps = [f"preflash explain {found[0].rule}"] if found else []
    if command:
        steps.append(f"{command} -f html -o report.html")
    lines = ["", *_wrapped(f"{tally}{assumed}{more}.")]
    # Commands are not wrapped, so that they can be copied.
    return lines + [f"{'      ' if i else 'Next: '}{shown.clean(step)}" for i, step in enumerate(steps)]
