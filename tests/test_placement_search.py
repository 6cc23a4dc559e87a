"""The best placement: every one is looked at, the fastest that fits is chosen, the runtime's limits hold."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_models import subgraph
from placed_targets import DISCO, S3, plus, with_arenas, with_memories
from preflash.devices.catalog import load_target
from preflash.devices.spec import MemorySpec
from preflash.devices.target import Target
from preflash.errors import PlacementInvalid
from preflash.graphs.ir import ModelGraph
from preflash.graphs.zoo import build
from preflash.simulator.estimate import Conditions, Reservation, Word
from preflash.simulator.placing.assign import assign, by_saving, cheapest, cost, fullest
from preflash.simulator.placing.pieces import Piece
from preflash.simulator.placing.pools import best_pools
from preflash.simulator.placing.search import best_placement
from preflash.simulator.placing.study import Standing
from preflash.simulator.simulate import simulate
from preflash.simulator.verdict import memory_budgets

KWS = build("kws01")
KIB = 1024


def sized(**kib: int) -> Target:
    """The Discovery kit with memories of other sizes."""
    return with_memories(DISCO, **{name: {"size_bytes": size * KIB} for name, size in kib.items()})


def test_every_pair_of_homes_is_a_candidate() -> None:
    """Weights: 2 stores in place, 5 RAMs (dtcm, axi, sram1+2+3, sram4, sdram) x 2 images; arena: 5 RAMs."""
    study = best_placement(KWS, DISCO)
    assert len(study.candidates) == (2 + 5 * 2) * 5
    assert len({str(c.homes) for c in study.candidates}) == 60


@pytest.mark.parametrize("target", [DISCO, S3, sized(axi_sram=24), load_target("nucleo-f746zg")])
def test_enumeration_equals_brute_force_over_whole_estimates(target: Target) -> None:
    """Each pair of homes simulated as a placed target; static data stays."""
    study = best_placement(KWS, target)
    rams = [m.name for m in target.device.memories if not m.is_nonvolatile and "arena" not in m.never_holds]
    stores = [m.name for m in target.device.memories if m.is_nonvolatile]
    weights = [(s, "") for s in stores] + list(product(rams, stores))
    times = []
    for (home, image), arena in product(weights, rams):
        homes = replace(target.homes, weights=home, weights_image=image, arena=arena)
        estimate = simulate(KWS, target.placed(homes))
        words = {b.word for b in memory_budgets(estimate.memories, tight_headroom=0.1)}
        if words <= {Word.FITS, Word.TIGHT}:
            times.append(estimate.metric("latency_s").value or 0.0)
    assert study.chosen is not None and study.chosen.is_feasible
    assert study.chosen.latency_s.value == pytest.approx(min(times))
    assert len(times) == sum(c.is_feasible for c in study.candidates)


def test_a_candidate_is_what_simulate_says_of_the_placed_target() -> None:
    for candidate in best_placement(KWS, DISCO).candidates[::7]:
        estimate = simulate(KWS, DISCO.placed(candidate.homes))
        assert estimate.memories == candidate.memories
        found = estimate.metric("latency_s")
        assert (found.value, found.lo, found.hi) == (
            candidate.latency_s.value, candidate.latency_s.lo, candidate.latency_s.hi
        )  # fmt: skip


def test_a_small_model_moves_into_tightly_coupled_memory() -> None:
    study = best_placement(KWS, DISCO)
    assert study.chosen is not None
    assert (study.chosen.homes.weights, study.chosen.homes.arena) == ("dtcm", "dtcm")
    assert study.chosen.homes.weights_image == "flash"
    assert study.saved_s.value is not None and study.saved_s.value > 0
    assert "weights=copy:dtcm@flash,arena=dtcm" in study.sentence


@settings(max_examples=8, deadline=None)
@given(dtcm=st.integers(8, 128), axi=st.integers(8, 512), taken=st.integers(0, 64))
def test_the_chosen_is_never_slower_than_a_naive_one_that_fits(dtcm: int, axi: int, taken: int) -> None:
    target = sized(dtcm=dtcm, axi_sram=axi)
    given_ = Conditions(reservations=(Reservation("app", "sram1+2+3", taken * KIB, "test"),))
    study = best_placement(KWS, target, given_)
    assert study.chosen is not None
    if study.naive.is_feasible:
        assert study.chosen.latency_s.value is not None and study.naive.latency_s.value is not None
        assert study.chosen.latency_s.value <= study.naive.latency_s.value


@settings(max_examples=8, deadline=None)
@given(dtcm=st.integers(8, 100), more=st.integers(1, 28))
def test_more_memory_is_never_slower(dtcm: int, more: int) -> None:
    small, large = (best_placement(KWS, sized(dtcm=size)) for size in (dtcm, dtcm + more))
    assert small.chosen is not None and large.chosen is not None
    assert small.chosen.latency_s.value is not None and large.chosen.latency_s.value is not None
    assert large.chosen.latency_s.value <= small.chosen.latency_s.value


def test_another_memory_is_never_slower() -> None:
    extra = MemorySpec.model_validate({
        "name": "more", "kind": "sram", "size": "1 MiB", "source": "test", "confidence": "assumed",
        "access": {"bus_width_bits": 32, "source": "test", "confidence": "assumed"},
    })  # fmt: skip
    cramped = sized(dtcm=8, axi_sram=16)
    before, after = best_placement(KWS, cramped).chosen, best_placement(KWS, plus(cramped, extra)).chosen
    assert before is not None and after is not None
    assert before.latency_s.value is not None and after.latency_s.value is not None
    assert after.latency_s.value <= before.latency_s.value


def test_what_does_not_fit_says_why_and_comes_last() -> None:
    study = best_placement(KWS, sized(dtcm=8))
    last = study.candidates[-1]
    assert last.standing is Standing.DOES_NOT_FIT
    in_dtcm = next(c for c in study.infeasible if c.homes.arena == "dtcm" and c.homes.weights == "flash")
    assert in_dtcm.reason.startswith("ram:dtcm needs at least") and "of 8,192 B" in in_dtcm.reason
    assert [c.standing for c in study.candidates] == sorted(c.standing for c in study.candidates)
    assert last in study.infeasible


def test_where_nothing_fits_nothing_is_chosen() -> None:
    gone = {"sdram": None, "sram1+2+3": None, "sram4": None}
    bare = with_memories(sized(axi_sram=8, dtcm=8), **gone)
    study = best_placement(KWS, bare)
    assert study.chosen is None
    assert "does not fit" in study.sentence


def test_one_arena_is_one_block_in_one_memory() -> None:
    study = best_placement(KWS, with_arenas(DISCO, "one"))
    assert study.two_arenas is None
    assert "one block in one memory" in study.restriction
    for candidate in study.candidates:
        homes = [m.name for m in candidate.memories if any(u.kind.startswith("arena") for u in m.used)]
        assert homes == [candidate.homes.arena]


def test_two_arenas_are_offered_where_one_block_is_too_large() -> None:
    plan = simulate(KWS, DISCO).plan
    assert plan is not None
    room = (plan.min_bytes - 1) // KIB  # the whole arena is larger, its head is not
    target = with_memories(sized(dtcm=room, axi_sram=room), sdram=None, **{"sram1+2+3": None, "sram4": None})
    study = best_placement(KWS, target)
    assert study.chosen is None
    assert study.two_arenas is not None and study.two_arenas.homes.persistent


def test_pools_need_a_runtime_that_takes_them() -> None:
    with pytest.raises(PlacementInvalid, match="does not take several pools"):
        best_pools(KWS, DISCO)


def test_pools_lie_apart_within_every_memory_and_save_at_least_one_arena_s_saving() -> None:
    target = with_arenas(sized(dtcm=24), "several")
    study, whole = best_pools(KWS, target, time_limit_s=5), best_placement(KWS, target)
    assert len({p.memory for p in study.pools}) > 1
    for pool in study.pools:
        assert pool.extent_bytes <= pool.capacity_bytes
        spans = list(zip(pool.pieces, pool.offsets, strict=True))
        for i, (a, at) in enumerate(spans):
            for b, where in spans[i + 1 :]:
                if a.first <= b.last and b.first <= a.last:
                    assert at + a.size_bytes <= where or where + b.size_bytes <= at
    assert study.saved_s.value is not None and whole.saved_s.value is not None
    assert study.saved_s.value + study.gap_s >= whole.saved_s.value - 1e-9


def piece(size: int, first: int, last: int, fast: float, slow: float) -> Piece:
    costs = {"fast": (fast, fast, fast), "slow": (slow, slow, slow)}
    return Piece("p", "tensor", size, first, last, costs)


pieces_st = st.lists(
    st.builds(
        lambda size, first, length, fast, extra: piece(16 * size, first, first + length, fast, fast + extra),
        st.integers(1, 6), st.integers(0, 5), st.integers(0, 3), st.integers(0, 50), st.integers(0, 100),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(pieces=pieces_st, room=st.integers(0, 12))
def test_the_assignment_is_the_best_of_all_and_its_bound_holds(pieces: list[Piece], room: int) -> None:
    pytest.importorskip("ortools")
    capacities = {"fast": 16 * room, "slow": 10_000}
    legal = [
        homes for homes in product(("fast", "slow"), repeat=len(pieces))
        if fullest([p for p, home in zip(pieces, homes, strict=True) if home == "fast"]) <= 16 * room
    ]  # fmt: skip
    best = min(cost(pieces, homes) for homes in legal)
    found = assign(pieces, capacities)
    assert found.cycles == found.bound_cycles == pytest.approx(best)
    greedy = by_saving(pieces, capacities)
    assert greedy.homes in legal
    assert cheapest(pieces) == greedy.bound_cycles <= best <= greedy.cycles


def test_a_model_without_ops_can_be_placed() -> None:
    """Nothing lies in the arena of a build with generated calls: no range of nothing."""
    target = load_target("nucleo-h743zi", "tflm-aot")
    empty = ModelGraph((subgraph([], [], [], []),), name="empty")
    assert best_placement(empty, target).naive.is_feasible
