"""Questions about the wiring."""

from __future__ import annotations

from preflash.graphs.build import GraphBuilder
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.query import Region, branches, execution_orders, longest_chain, ops_between, path_between
from preflash.graphs.zoo import build


def _diamond() -> ModelGraph:
    """op 0 feeds 1 and 2; 3 adds them; 4 follows."""
    b = GraphBuilder(dtype=DType.FLOAT32)
    x = b.unary("RELU", b.input((4,)))
    return b.finish([b.unary("RELU", b.add(b.unary("TANH", x), b.unary("LOGISTIC", x)))])


def test_a_fork_and_its_join_bound_a_region() -> None:
    assert branches(_diamond()) == (Region(0, 3, (1, 2)),)


def test_resnet_has_three_regions_one_per_stack() -> None:
    assert branches(build("ic01")) == (
        Region(0, 3, (1, 2)),
        Region(3, 7, (4, 5, 6)),
        Region(7, 11, (8, 9, 10)),
    )


def test_a_chain_has_no_branches() -> None:
    assert branches(build("vww01")) == ()


def test_ways_that_never_meet_have_no_join() -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    x = b.unary("RELU", b.input((4,)))
    graph = b.finish([b.unary("TANH", x), b.unary("LOGISTIC", x)])
    assert branches(graph) == (Region(0, -1, (1, 2)),)


def test_paths_and_what_lies_between() -> None:
    graph = _diamond()
    assert path_between(graph, 0, 4) in ((0, 1, 3, 4), (0, 2, 3, 4))
    assert path_between(graph, 1, 2) == ()
    assert ops_between(graph, 0, 4) == (1, 2, 3)


def test_a_diamond_can_run_in_two_orders() -> None:
    assert sorted(execution_orders(_diamond())) == [(0, 1, 2, 3, 4), (0, 2, 1, 3, 4)]
    assert len(list(execution_orders(_diamond(), at_most=1))) == 1


def test_the_longest_chain_of_resnet_skips_its_shortcuts() -> None:
    assert longest_chain(build("ic01")) == (0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 14, 15)
