"""From when to when a tensor lives: specs/tflm_memory.md section 3, counted by hand on small graphs."""

from __future__ import annotations

from dataclasses import replace

from memory_models import chain, op, subgraph, t
from preflash.graphs.ir import ModelGraph, Op
from preflash.graphs.ops import CallOnceAttributes, IfAttributes, WhileAttributes
from preflash.simulator.memory.lifetimes import lifetimes, nesting_faults
from preflash.simulator.memory.refusal import refusals


def spans(graph: ModelGraph, number: int = 0) -> list[tuple[int, int]]:
    alive = lifetimes(graph)
    return list(zip(alive.tensor_first[number], alive.tensor_last[number], strict=True))


def test_a_chain_keeps_two_neighbours_alive_at_a_time() -> None:
    assert spans(chain(8, 8, 8, 8)) == [(0, 1), (1, 2), (2, 3), (3, 3)]


def test_an_input_nobody_reads_lives_only_at_the_start() -> None:
    graph = ModelGraph((subgraph([t(4), t(4), t(4)], [op("RELU", [0], [1])], [0, 2], [1]),))
    assert spans(graph)[2] == (0, 0)


def test_a_tensor_that_is_input_and_output_lives_throughout() -> None:
    graph = ModelGraph((subgraph([t(4), t(4)], [op("RELU", [0], [1])], [0], [0, 1]),))
    assert spans(graph)[0] == (0, 1)


def test_a_tensor_that_is_read_but_never_made_lives_from_the_start() -> None:
    graph = ModelGraph((subgraph([t(4), t(4), t(4)], [op("ADD", [0, 2], [1])], [0], [1]),))
    assert spans(graph)[2] == (-1, 1)


def test_a_tensor_nobody_touches_never_lives() -> None:
    graph = ModelGraph((subgraph([t(4), t(4), t(4)], [op("RELU", [0], [1])], [0], [1]),))
    assert spans(graph)[2] == (-1, -1)


def test_an_omitted_input_is_not_a_tensor() -> None:
    graph = ModelGraph((subgraph([t(4), t(4)], [op("ADD", [0, -1], [1])], [0], [1]),))
    assert spans(graph) == [(0, 1), (1, 1)]


def _branching(legacy: bool = False) -> ModelGraph:
    """0: IF(cond, x) -> y; RELU(y) -> z. Both branches are one RELU."""
    a = IfAttributes(then_subgraph_index=1, else_subgraph_index=2)
    run = replace(op("IF", [0, 1], [2], a), only_legacy_code=legacy)
    main = subgraph([t(1, dtype="bool"), t(8), t(8), t(8)], [run, op("RELU", [2], [3])], [0, 1], [3])
    branch = subgraph([t(8), t(8)], [op("RELU", [0], [1])], [0], [1])
    return ModelGraph((main, branch, branch))


def test_if_holds_its_tensors_until_both_branches_are_walked() -> None:
    """t: IF 1, then-branch 2 with its op 3, else-branch 4 with its op 5, RELU 6."""
    graph = _branching()
    assert spans(graph, 0) == [(0, 5), (0, 5), (1, 6), (6, 6)]
    assert spans(graph, 1) == [(2, 3), (3, 3)]
    assert spans(graph, 2) == [(4, 5), (5, 5)]
    assert (lifetimes(graph).op_first[0], lifetimes(graph).op_last[0]) == ([1, 6], [5, 6])


def test_control_flow_named_by_the_legacy_code_alone_is_overlooked() -> None:
    graph = _branching(legacy=True)
    assert spans(graph, 0) == [(0, 1), (0, 1), (1, 2), (2, 2)]
    assert spans(graph, 1) == [(-1, -1), (-1, -1)]


def test_a_body_run_twice_lives_from_its_first_to_its_last_run() -> None:
    a = WhileAttributes(cond_subgraph_index=1, body_subgraph_index=1)
    main = subgraph([t(8), t(8), t(8)], [op("WHILE", [0], [1], a), op("WHILE", [1], [2], a)], [0], [2])
    body = subgraph([t(8), t(8)], [op("RELU", [0], [1])], [0], [1])
    graph = ModelGraph((main, body))
    # runs enter at 2, 4, 7, 9; the body's op follows one later
    assert spans(graph, 1) == [(2, 10), (3, 10)]


def test_call_once_walks_its_subgraph() -> None:
    main = subgraph([t(8), t(8)], [op("CALL_ONCE", [], [], CallOnceAttributes(1)), op("RELU", [0], [1])],
                    [0], [1])  # fmt: skip
    graph = ModelGraph((main, subgraph([t(8), t(8)], [op("RELU", [0], [1])], [0], [1])))
    assert spans(graph, 1) == [(2, 3), (3, 3)]
    assert spans(graph, 0) == [(0, 4), (4, 4)]


def _nested(depth: int, *, last: Op) -> ModelGraph:
    """Subgraph k runs k+1 twice; the deepest has `last`."""
    def level(k: int) -> Op:
        return op("IF", [0], [1], IfAttributes(k + 1, k + 1)) if k < depth else last

    return ModelGraph(tuple(subgraph([t(1), t(1)], [level(k)], [0], [1]) for k in range(depth + 1)))


def test_a_subgraph_that_calls_itself_is_refused() -> None:
    graph = _nested(2, last=op("WHILE", [0], [1], WhileAttributes(0, 1)))
    assert nesting_faults(graph) == ("a subgraph calls itself through IF, WHILE or CALL_ONCE",)
    assert refusals(graph) == nesting_faults(graph)


def test_a_missing_subgraph_is_refused_by_number() -> None:
    graph = _nested(1, last=op("CALL_ONCE", [], [], CallOnceAttributes(7)))
    assert nesting_faults(graph) == ("CALL_ONCE 0 calls subgraph 7, which does not exist",)


def test_control_flow_that_doubles_forty_times_is_refused_not_walked() -> None:
    (fault,) = nesting_faults(_nested(40, last=op("RELU", [0], [1])))
    assert "nested 41 deep" in fault


def test_modest_nesting_is_walked() -> None:
    graph = _nested(5, last=op("RELU", [0], [1]))
    assert nesting_faults(graph) == ()
    # ops walked: 2^k of level k, k = 0..5; entries into subgraphs: 2^k, k = 1..5
    assert lifetimes(graph).end == 63 + 62
