"""The verdict: the worst over all budgets, by the interval."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from preflash.simulator.estimate import (
    Basis,
    BudgetCheck,
    Finding,
    Interval,
    Severity,
    Word,
    exact,
    total,
    unknown,
)
from preflash.simulator.verdict import budget_findings, check_budget, decide


def spread(lo: float, value: float, hi: float) -> Interval:
    return Interval(value, lo, hi, Basis.CALIBRATED, "test")


@pytest.mark.parametrize(
    ("need", "budget", "word"),
    [
        (exact(50, "t"), 100, Word.FITS),
        (exact(90, "t"), 100, Word.FITS),  # headroom is 10 %, not less
        (exact(91, "t"), 100, Word.TIGHT),
        (exact(100, "t"), 100, Word.TIGHT),  # it does fit, to the last byte
        (exact(101, "t"), 100, Word.NO),
        (spread(80, 85, 101), 100, Word.RISKY),
        (spread(99, 120, 130), 100, Word.RISKY),
        (spread(100.5, 120, 130), 100, Word.NO),
        (unknown("why"), 100, Word.UNKNOWN),
        (unknown("why", at_least=100), 100, Word.UNKNOWN),
        (unknown("why", at_least=101), 100, Word.NO),  # what is known already says no
        (exact(1, "t"), 0, Word.NO),
    ],
)
def test_a_budget_is_judged_by_the_interval(need: Interval, budget: float, word: Word) -> None:
    assert check_budget("ram:sram", need, budget, unit="B", tight_headroom=0.10).word is word


def test_the_headroom_that_counts_as_tight_is_configurable() -> None:
    check = check_budget("ram:sram", exact(80, "t"), 100, unit="B", tight_headroom=0.25)
    assert check.word is Word.TIGHT


def of(word: Word, name: str = "ram:sram") -> BudgetCheck:
    return BudgetCheck(name, "B", exact(1, "t"), 2, word, 0.5)


@pytest.mark.parametrize(
    ("words", "worst"),
    [
        ((Word.FITS, Word.TIGHT), Word.TIGHT),
        ((Word.TIGHT, Word.RISKY), Word.RISKY),
        ((Word.RISKY, Word.UNKNOWN), Word.UNKNOWN),
        ((Word.UNKNOWN, Word.NO), Word.NO),
    ],
)
def test_the_verdict_is_the_worst_word(words: tuple[Word, Word], worst: Word) -> None:
    assert decide([of(words[0], "flash:flash"), of(words[1])], []).word is worst


def test_a_refused_model_is_a_no_whatever_fits() -> None:
    refusal = Finding("PF101", Severity.ERROR, "no TILE: op 3", (3,))
    verdict = decide([of(Word.FITS)], [refusal])
    assert (verdict.word, verdict.limiting, verdict.reasons) == (Word.NO, "runtime", ("PF101",))


def test_an_unknown_budget_says_why_and_what_is_known() -> None:
    check = check_budget("flash:flash", unknown("no code size for TILE", at_least=7000), 9000, unit="B",
                         tight_headroom=0.1)  # fmt: skip
    (finding,) = budget_findings([check])
    assert finding.rule == "PF302"
    assert "at least 7,000 B" in finding.message and "no code size for TILE" in finding.message


@given(
    a=st.floats(0, 1e9), b=st.floats(0, 1e9), c=st.floats(0, 1e9),
    budget=st.floats(1, 1e9), more=st.floats(0, 1e9),
)  # fmt: skip
def test_a_larger_budget_never_fits_less(a: float, b: float, c: float, budget: float, more: float) -> None:
    need = spread(*sorted((a, b, c)))
    small = check_budget("ram:m", need, budget, unit="B", tight_headroom=0.1)
    large = check_budget("ram:m", need, budget + more, unit="B", tight_headroom=0.1)
    assert large.word.severity <= small.word.severity


def test_a_sum_with_an_unknown_term_keeps_the_known_part_as_lower_bound() -> None:
    whole = total([exact(3, "a"), unknown("no price for TILE"), exact(4, "b")], empty_source="none")
    assert (whole.value, whole.lo, whole.hi, whole.basis) == (None, 7, None, Basis.UNKNOWN)
    assert "TILE" in whole.reason


def test_a_number_without_a_basis_cannot_be_constructed() -> None:
    with pytest.raises(ValueError, match="basis"):
        Interval(3.0, 3.0, 3.0, Basis.UNKNOWN, "s", "r")
    with pytest.raises(ValueError, match="source"):
        Interval(3.0, 3.0, 3.0, Basis.EXACT, "")
    with pytest.raises(ValueError, match="reason"):
        Interval(None, None, None, Basis.UNKNOWN, "")
    with pytest.raises(ValueError, match="lo <= value"):
        Interval(3.0, 4.0, 5.0, Basis.ANALYTIC, "s")
