"""The terminal report: one screen, plain when asked, and nothing a model says can steer the terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from estimates import budget, estimate, findings, refused, unpriced
from preflash.reports.output import wants_color
from preflash.reports.sections import gauges, needed_unknowns, ranked_findings
from preflash.reports.text import render_text
from preflash.simulator.estimate import Basis, Finding, Interval, Severity, Verdict, Word

GOLDEN = Path(__file__).parent / "golden"
ANSI = re.compile(r"\x1b\[[0-9;]*m")
HOSTILE = "evil\x1b[2J\x1b]0;pwned\x07\nname\u202e"


def test_the_report_reads_as_agreed() -> None:
    text = render_text(estimate(Word.TIGHT), color=False, command="preflash check kws.tflite -d my-board")
    assert text == (GOLDEN / "tight.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "example",
    [*map(estimate, Word), unpriced(), refused()],
    ids=lambda e: f"{e.verdict.word}-{e.findings[0].rule}",
)
def test_a_report_fits_one_screen_of_80_columns(example: object) -> None:
    lines = render_text(example, color=False, command="preflash check a.tflite -d b").splitlines()  # type: ignore[arg-type]
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 24


def test_a_long_message_is_cut_after_three_lines() -> None:
    wordy = Finding("PF101", Severity.ERROR, "no such op " * 100)
    lines = render_text(replace(estimate(), findings=(wordy,) * 9), color=False).splitlines()
    assert len(lines) <= 34 and max(map(len, lines)) <= 80
    assert sum(line.endswith("…") for line in lines) == 6


def test_colour_changes_no_word() -> None:
    for word in Word:
        plain, colored = (render_text(estimate(word), color=c) for c in (False, True))
        assert ANSI.sub("", colored) == plain
        assert "\x1b[" in colored and "\x1b" not in plain


def test_the_verdict_stands_at_the_start_of_a_line() -> None:
    for word in Word:
        assert re.search(rf"^{word.value}  ", render_text(estimate(word), color=False), re.M)


def test_an_unknown_figure_shows_its_bound_and_why() -> None:
    text = render_text(unpriced(), color=False)
    assert "unknown (at least 50.0 ms): no cost model for Mystery" in text


def test_a_refusal_comes_first() -> None:
    text = render_text(refused(), color=False)
    assert "NO  tflm-cmsis-nn has no custom op 'Mystery'" in text
    assert "RAM      unknown: the runtime refuses the model" in text


def test_names_from_the_model_cannot_steer_the_terminal() -> None:
    base = estimate(name=HOSTILE)
    found = Finding("PF203", Severity.WARNING, f"peak at {HOSTILE}")
    text = render_text(replace(base, findings=(found,)), color=False)
    assert not set("\x1b\x07\u202e") & set(text)
    assert r"evil\x1b[2J" in text


def test_errors_come_before_warnings_before_notes() -> None:
    error = Finding("PF101", Severity.ERROR, "refused")
    ranked = ranked_findings(replace(estimate(), findings=(*findings(), error)))
    assert [f.severity for f in ranked] == [Severity.ERROR, Severity.WARNING, Severity.INFO]


def test_findings_beyond_the_screen_are_counted() -> None:
    many = tuple(Finding("PF410", Severity.INFO, f"op {i}") for i in range(9))
    assert "3 more findings" in render_text(replace(estimate(), findings=many), color=False)


def test_a_need_beyond_its_budget_leaves_the_bar() -> None:
    over = budget("ram:sram", Interval(3e5, 3e5, 3e5, Basis.EXACT, "plan"), 1e5, Word.NO)
    example = replace(estimate(), verdict=Verdict(Word.NO, "ram:sram", "does not fit", (over,), ("PF201",)))
    assert re.search(r"RAM +#{19}> +293\.0 KiB of 97\.7 KiB", render_text(example, color=False))


def test_two_memories_of_one_role_are_told_apart() -> None:
    small = Interval(10, 10, 10, Basis.EXACT, "plan")
    two = (budget("ram:dtcm", small, 100, Word.FITS), budget("ram:axi", small, 100, Word.FITS))
    example = replace(estimate(), verdict=Verdict(Word.FITS, "ram:dtcm", "fits", two, ()))
    assert [g.label for g in gauges(example)][:2] == ["RAM dtcm", "RAM axi"]


def test_energy_is_no_needed_figure() -> None:
    assert needed_unknowns(estimate()) == ()
    assert needed_unknowns(unpriced()) == ("latency_s",)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("choice", "stream", "no_color", "wanted"),
    [("always", io.StringIO(), "1", True), ("never", _Terminal(), "", False), ("auto", _Terminal(), "", True),
     ("auto", _Terminal(), "1", False), ("auto", io.StringIO(), "", False)],
)  # fmt: skip
def test_colour_is_for_terminals_unless_said_otherwise(
    monkeypatch: pytest.MonkeyPatch, choice: str, stream: io.StringIO, no_color: str, wanted: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm")
    assert wants_color(choice, stream) is wanted
