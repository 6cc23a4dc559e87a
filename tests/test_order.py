"""The order of the ops with the smallest peak: hand-worked, against brute force, and under limits."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from memory_models import REFERENCE, op, subgraph, t
from order_problems import chain, parallel, problem, problems, respects, smallest_peak
from preflash.devices.catalog import load_target
from preflash.errors import OrderInvalid
from preflash.graphs.build import GraphBuilder
from preflash.graphs.cells import branches_by_breadth, darts_cells, nasnet_cells, randomly_wired
from preflash.graphs.ir import ModelGraph
from preflash.graphs.ops import IfAttributes
from preflash.graphs.reorder import must_precede, reordered
from preflash.graphs.tflite.read import parse_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.zoo import build
from preflash.simulator.estimate import MemoryPlan
from preflash.simulator.memory.order.best import OrderLimits, best_order
from preflash.simulator.memory.order.bound import cut_bound_bytes
from preflash.simulator.memory.order.exact import search
from preflash.simulator.memory.order.in_place import in_place_study, with_sharing
from preflash.simulator.memory.order.ledger import Work, backwards, ledger_of
from preflash.simulator.memory.order.problem import (
    LiveTensor,
    OrderProblem,
    live_sums,
    order_problem,
    own_need_bytes,
    peak_bytes,
)
from preflash.simulator.memory.order.solver import solver_order
from preflash.simulator.memory.order.study import reorder_for, study_order
from preflash.simulator.memory.plan import plan_by_size, plan_tflm

# 0 forks into 1 -> 3 and 2 -> 4, 5 joins: 16, (64, 64), (16, 16), 16 bytes
DIAMOND = problem({1: (0,), 2: (0,), 3: (1,), 4: (2,), 5: (3, 4)}, [16, 64, 64, 16, 16, 16])


def plan(graph: ModelGraph) -> MemoryPlan:
    return plan_tflm(graph, REFERENCE)


def conditional(calls: int) -> ModelGraph:
    """IF after IF, with a RELU between; both run the same subgraph of two RELUs (64 -> 256 -> 64 bytes)."""
    tensors = [t(1, dtype="bool"), *(t(1, 64) for _ in range(2 * calls))]
    ops = []
    for n in range(calls):
        ops.append(op("IF", [0, 2 * n + 1], [2 * n + 2], IfAttributes(1, 1)))
        if n + 1 < calls:
            ops.append(op("RELU", [2 * n + 2], [2 * n + 3]))
    branch = subgraph([t(1, 64), t(1, 256), t(1, 64)], [op("RELU", [0], [1]), op("RELU", [1], [2])], [0], [2])
    return ModelGraph((subgraph(tensors, ops, [0, 1], [2 * calls]), branch), name="conditional")


def exact(one: OrderProblem, *, backward: bool = False, both: bool = True) -> tuple[int, tuple[int, ...]]:
    near, far = ledger_of(one), ledger_of(backwards(one))
    if backward:
        near, far = far, near
    bounds = {"lower": one.floor_bytes, "upper": 1 << 40}
    found = search(near, far if both else None, **bounds, work=Work(10**8, 10**6))
    return found.lower_bound_bytes, found.order[::-1] if backward else found.order


class TestLiveSums:
    def test_by_breadth_both_wide_tensors_are_alive(self) -> None:
        """0: 16; 1: 16+64; 2: 16+64+64; 3: 64+64+16; 4: 64+16+16; 5: 16+16+16."""
        assert live_sums(DIAMOND, range(6)) == [0, 16, 80, 144, 144, 96, 48]

    def test_by_depth_one_is_dead_before_the_other_begins(self) -> None:
        """0: 16; 1: 16+64; 3: 16+64+16; 2: 16+16+64; 4: 16+64+16; 5: 48."""
        assert live_sums(DIAMOND, (0, 1, 3, 2, 4, 5)) == [0, 16, 80, 96, 96, 96, 48]

    def test_scratch_counts_while_its_op_runs(self) -> None:
        assert live_sums(problem({1: (0,)}, [16, 32], [100, 7]), (0, 1)) == [0, 116, 55]

    def test_what_no_order_changes_is_the_floor(self) -> None:
        one = OrderProblem(((),), (LiveTensor(16, (0,)),), (0,), floor_bytes=500)
        assert peak_bytes(one, (0,)) == own_need_bytes(one) == 500

    @pytest.mark.parametrize(
        "graph", [nasnet_cells(2), darts_cells(2), randomly_wired(8), branches_by_breadth()],
        ids=lambda graph: graph.name,
    )  # fmt: skip
    def test_those_of_a_graph_are_those_of_its_plan(self, graph: ModelGraph) -> None:
        for planned in (plan(graph), plan_by_size(graph, 64)):
            one = order_problem(graph, planned)
            assert one.is_exact
            assert tuple(live_sums(one, range(len(graph.ops)))[1:]) == planned.live_bytes


    def test_a_subgraph_counts_while_the_op_that_runs_it_does(self) -> None:
        """Then and else run the same subgraph, so its 64 + 256 + 64 bytes live from one to the other."""
        one = order_problem(graph := conditional(calls=1), plan(graph))
        assert one.is_exact
        assert one.own_bytes[0] == 64 + 256 + 64
        assert live_sums(one, range(len(graph.ops)))[1:] == list(plan(graph).live_bytes)

    def test_a_subgraph_that_two_ops_run_is_alive_between_them_so_nothing_is_claimed(self) -> None:
        one = order_problem(graph := conditional(calls=2), plan(graph))
        assert not one.is_exact
        study = study_order(graph, plan)
        assert study.live.proof == ""
        assert study.arena_after_bytes <= study.arena_before_bytes


class TestBestOrder:
    def test_the_diamond_runs_branch_by_branch(self) -> None:
        best = best_order(DIAMOND)
        assert (best.peak_before_bytes, best.peak_bytes, best.lower_bound_bytes) == (144, 96, 96)
        assert best.proof
        assert best.gap == 0

    def test_the_branch_with_the_largest_hill_runs_first(self) -> None:
        """64 -> 48 first: 16 + 48 + 96 = 160. 96 -> 16 first: 16 + 96 + 16 = 128, then 16 + 64 + 48 = 128."""
        one = problem({1: (0,), 2: (0,), 3: (1,), 4: (2,), 5: (3, 4)}, [16, 64, 96, 48, 16, 16])
        assert peak_bytes(one, (0, 1, 3, 2, 4, 5)) == 160
        best = best_order(one)
        assert best.order == (0, 2, 4, 1, 3, 5)
        assert best.peak_bytes == 128

    def test_a_given_order_that_cannot_be_better_is_kept(self) -> None:
        best = best_order(chain(50))
        assert best.order == tuple(range(50))
        assert best.method == "the given order"
        assert best.proof

    @settings(max_examples=150, deadline=None)
    @given(problems())
    def test_dynamic_programming_equals_brute_force_from_either_end(self, one: OrderProblem) -> None:
        optimum = smallest_peak(one)
        for arguments in ({}, {"backward": True}, {"both": False}):
            bound, order = exact(one, **arguments)
            assert (bound, peak_bytes(one, order)) == (optimum, optimum)
            assert respects(one, order)

    @settings(max_examples=30, deadline=None)
    @given(problems(5))
    def test_brute_force_itself_equals_every_order_tried(self, one: OrderProblem) -> None:
        orders = [order for order in permutations(range(len(one.before))) if respects(one, order)]
        assert smallest_peak(one) == min(peak_bytes(one, order) for order in orders)

    @settings(max_examples=60, deadline=None)
    @given(problems())
    def test_bounds_are_below_the_optimum(self, one: OrderProblem) -> None:
        cut = max(cut_bound_bytes(one, range(len(one.before))), one.floor_bytes)
        assert own_need_bytes(one) <= cut <= smallest_peak(one)

    @settings(max_examples=60, deadline=None)
    @given(problems())
    def test_an_order_respects_what_must_precede_and_is_never_worse(self, one: OrderProblem) -> None:
        for limits in (OrderLimits(), OrderLimits(states=1, steps=1, width=1, solver_effort=0)):
            best = best_order(one, limits)
            assert respects(one, best.order)
            assert best.peak_bytes == peak_bytes(one, best.order) <= best.peak_before_bytes
            assert best.lower_bound_bytes <= smallest_peak(one) <= best.peak_bytes
            assert bool(best.proof) == (best.lower_bound_bytes == best.peak_bytes)

    @settings(max_examples=10, deadline=None)
    @given(problems(6))
    def test_a_constraint_solver_agrees(self, one: OrderProblem) -> None:
        pytest.importorskip("ortools")
        count = len(one.before)
        found = solver_order(one, range(count), upper=peak_bytes(one, range(count)), effort=20)
        assert found is not None
        assert found.lower_bound_bytes == peak_bytes(one, found.order) == smallest_peak(one)

    def test_without_the_constraint_solver_it_is_left_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "ortools.sat.python", None)
        assert solver_order(DIAMOND, range(6), upper=144, effort=1) is None
        assert best_order(DIAMOND).peak_bytes == 96

    def test_the_constraint_solver_takes_over_where_the_sets_are_too_many(self) -> None:
        pytest.importorskip("ortools")
        one = order_problem(graph := randomly_wired(6), plan(graph))
        few = OrderLimits(states=1, steps=1, width=1, solver_effort=20)
        best = best_order(one, few)
        assert best.peak_bytes == best_order(one).peak_bytes
        assert best.proof

    def test_an_inexact_problem_claims_no_proof(self) -> None:
        one = OrderProblem(DIAMOND.before, DIAMOND.tensors, DIAMOND.own_bytes, is_exact=False)
        assert best_order(one).proof == ""


class TestHostileGraphs:
    def test_a_chain_of_ten_thousand_ops_is_proved_at_once(self) -> None:
        best = best_order(chain(10_000))
        assert best.states == 0
        assert best.proof

    def test_a_hundred_branches_do_not_explode(self) -> None:
        """Each leaves 16 bytes behind; the last has 64 + 32 beside 99 * 16."""
        best = best_order(parallel(100, (64, 32, 16)), OrderLimits(solver_effort=0))
        assert best.peak_bytes == best.lower_bound_bytes == 99 * 16 + 64 + 32
        assert best.states < 1000

    def test_three_thousand_independent_ops_end(self) -> None:
        one = OrderProblem(((),) * 3000, tuple(LiveTensor(16, (n,), to_end=True) for n in range(3000)),
                           tuple(16 * (n % 50) for n in range(3000)))  # fmt: skip
        best = best_order(one, OrderLimits(steps=20_000))
        assert respects(one, best.order)

    def test_a_model_without_ops_has_one_order(self) -> None:
        b = GraphBuilder()
        x = b.input((1, 64))
        study = study_order(b.finish([x]), plan)
        assert study.order == ()
        assert study.gained_bytes == 0


class TestInPlace:
    def test_an_elementwise_op_writes_over_an_input_that_ends(self) -> None:
        """RELU takes the place of the input (64 bytes), which TANH has read; ADD that of TANH's output."""
        b = GraphBuilder("three")
        x = b.input((1, 64))
        left = b.unary("TANH", x)
        right = b.unary("RELU", x)
        graph = b.finish([b.add(left, right)])
        one = order_problem(graph, plan(graph))
        assert peak_bytes(one, (0, 1, 2)) == 192
        shared = in_place_study(graph, one)
        assert shared.given_peak_bytes == 128  # TANH: x and left; RELU takes x's place; ADD takes left's
        assert shared.best.peak_bytes == shared.best.lower_bound_bytes == 128
        assert set(shared.ops) == {1, 2} or set(shared.ops) == {0, 2}
        assert "TFLM cannot execute this" in shared.runtimes

    def test_only_equal_bytes_are_shared_and_never_a_graph_output(self) -> None:
        b = GraphBuilder("kept")
        x = b.input((1, 8, 8, 4))
        y = b.unary("RELU", x)
        row = b.input((1, 1, 1, 4))
        graph = b.finish([y, b.add(b.conv(y, 4), row), b.unary("TANH", y)])
        sharing = with_sharing(graph, order_problem(graph, plan(graph)))
        tensors = [[sharing.tensors[source].tensor for _, source in pairs] for pairs in sharing.shares]
        assert tensors == [[x], [], [graph.ops[1].outputs[0]], []]

    @settings(max_examples=60, deadline=None)
    @given(problems())
    def test_with_sharing_the_search_equals_brute_force(self, one: OrderProblem) -> None:
        shares = tuple(
            tuple((op, source) for source in needs if not one.tensors[source].to_end)
            for op, needs in enumerate(one.before)
        )
        same = tuple(LiveTensor(32, t.ops, t.from_start, t.to_end) for t in one.tensors)
        sharing = OrderProblem(one.before, same, one.own_bytes, one.floor_bytes, shares)
        best = best_order(sharing)
        assert best.peak_bytes == peak_bytes(sharing, best.order) == smallest_peak(sharing)
        assert best.lower_bound_bytes == best.peak_bytes


class TestThePromise:
    @pytest.mark.parametrize(
        ("graph", "at_least"),
        [
            (branches_by_breadth(), 0.5), (nasnet_cells(3), 0.2), (darts_cells(3), 0.15),
            (randomly_wired(12), 0.07),
        ],
        ids=["branches", "NASNet", "DARTS", "randomly wired"],
    )  # fmt: skip
    def test_the_written_model_needs_the_promised_arena(self, graph: ModelGraph, at_least: float) -> None:
        study = study_order(graph, plan)
        read = parse_tflite(write_tflite(reordered(graph, study.order)))
        assert plan(read).min_bytes == study.arena_after_bytes
        assert plan(read).lower_bound_bytes == study.peak_after_bytes
        assert study.gained_bytes >= at_least * study.arena_before_bytes
        assert study.live.proof
        assert f"{study.gained_bytes} bytes less arena" in study.verdict

    def test_where_nothing_is_gained_the_order_stays_and_the_verdict_says_so(self) -> None:
        graph = nasnet_cells(1)
        study = study_order(graph, plan)
        assert study.order == tuple(range(len(graph.ops)))
        assert study.arena_after_bytes == study.arena_before_bytes
        assert study.verdict.startswith("no order has a smaller peak")

    def test_the_planners_figure_decides_not_the_live_sum(self) -> None:
        """DARTS: the live sum is the best from the start, yet another order leaves the planner fewer gaps."""
        study = study_order(darts_cells(1), plan)
        assert study.live.peak_bytes == study.peak_before_bytes == study.peak_after_bytes
        assert study.arena_after_bytes < study.arena_before_bytes

    def test_it_is_the_same_every_time(self) -> None:
        assert study_order(randomly_wired(12), plan) == study_order(randomly_wired(12), plan)

    @pytest.mark.parametrize("runtime", ["tflm-cmsis-nn", "tflm-reference"])
    def test_a_target_plans_with_its_own_kernels(self, runtime: str) -> None:
        graph, target = branches_by_breadth(), load_target("nucleo-l4r5zi", runtime=runtime)
        study = reorder_for(graph, target, in_place=True)
        found = plan_tflm(reordered(graph, study.order), target.kernels)
        assert found.min_bytes == study.arena_after_bytes < study.arena_before_bytes
        assert study.in_place is not None
        assert study.in_place.best.peak_bytes <= study.live.peak_bytes

    def test_a_model_with_an_offline_plan_is_refused(self) -> None:
        graph = replace(nasnet_cells(1), metadata=(("OfflineMemoryAllocation", bytes(12)),))
        with pytest.raises(OrderInvalid, match="OfflineMemoryAllocation"):
            study_order(graph, plan)

    def test_every_order_it_proposes_may_run(self) -> None:
        graph = randomly_wired(12, seed=3)
        study = study_order(graph, plan)
        place = {op: n for n, op in enumerate(study.order)}
        assert all(place[n] < place[op] for op, needs in enumerate(must_precede(graph)) for n in needs)


def test_no_order_is_compared_where_the_plan_is_not_of_the_models_ops() -> None:
    """X-CUBE-AI lays outputs over inputs, an accelerator plans fused kernels: their sums are other sums."""
    residual = build("ic01", dtype="int8")
    refusing = (("nucleo-h743zi", "x-cube-ai", "over inputs"), ("example-npu", None, "fused"))
    for board, runtime, why in refusing:
        with pytest.raises(OrderInvalid, match=why):
            reorder_for(residual, load_target(board, runtime))
