"""Sparsity rises from the first value to the last between two steps, and is held outside."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st
from preflash.errors import RecipeInvalid
from preflash.graphs.variants import schedules
from preflash.graphs.variants.schedules import RISES, Schedule, sparsity_at

KINDS = st.sampled_from(list(RISES))


@pytest.mark.parametrize(
    ("kind", "exponent", "values"),
    [
        ("polynomial", 3.0, [0, 0.578125, 0.875, 0.984375, 1]),  # 1 - 0.75^3, 1 - 0.5^3, 1 - 0.25^3
        ("polynomial", 1.0, [0, 0.25, 0.5, 0.75, 1]),
        ("linear", 3.0, [0, 0.25, 0.5, 0.75, 1]),
        ("cosine", 3.0, [0, 0.146447, 0.5, 0.853553, 1]),  # (1 - cos 45 degrees) / 2
        ("inverse power", 1.0, [0, 0.4, 2 / 3, 0.857143, 1]),  # (1 - 1 / 1.25) / 0.5
        ("inverse power", 2.0, [0, 0.48, 20 / 27, 0.897959, 1]),  # (1 - 1 / 1.25^2) / 0.75
    ],
)
def test_rises_worked_by_hand(kind: str, exponent: float, values: list[float]) -> None:
    assert [RISES[kind](x / 4, exponent) for x in range(5)] == pytest.approx(values, abs=1e-6)


@given(KINDS, st.floats(0, 0.99), st.floats(0, 0.99), st.floats(0.2, 9), st.floats(-1, 2), st.floats(-1, 2))
def test_every_schedule_is_monotone_between_its_ends(
    kind: str, initial: float, final: float, exponent: float, a: float, b: float
) -> None:
    early, late = (sparsity_at(initial, final, x=x, kind=kind, exponent=exponent) for x in sorted((a, b)))
    low, high = sorted((initial, final))
    assert low - 1e-12 <= early <= high + 1e-12
    assert (late - early) * (final - initial) >= -1e-12


@given(KINDS, st.integers(0, 1000), st.integers(1, 1000), st.integers(1, 50))
def test_it_is_held_before_and_after_and_meets_both_ends(
    kind: str, begin: int, span: int, every: int
) -> None:
    schedule = Schedule(0.8, begin, begin + span, initial=0.1, kind=kind, every=every)
    assert [schedule.at(step) for step in (-5, begin)] == [0.1, 0.1]
    assert [schedule.at(begin + span + more) for more in (0, 1, 10**6)] == [0.8] * 3


def test_sparsity_changes_only_every_so_many_steps() -> None:
    schedule = Schedule(0.8, 0, 100, kind="linear", every=25)
    assert [schedule.at(step) for step in (0, 24, 25, 49, 99, 100)] == pytest.approx(
        [0, 0, 0.2, 0.2, 0.6, 0.8]
    )


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"final": 1.0}, "initial, final"), ({"initial": -0.1}, "initial, final"),
        ({"begin": 9}, "begin, end"), ({"begin": -1}, "begin, end"),
        ({"kind": "cubic"}, "kind: one of polynomial"),
        ({"exponent": 0.0}, "exponent"), ({"every": 0}, "every"),
    ],
)  # fmt: skip
def test_a_schedule_with_faults_says_which(options: dict[str, object], fault: str) -> None:
    with pytest.raises(RecipeInvalid, match=fault):
        Schedule(**{"final": 0.5, "begin": 0, "end": 9, **options})


def test_the_examples_in_the_docstrings_run() -> None:
    assert doctest.testmod(schedules).failed == 0
