"""What users ask a graph: where it forks and joins, what lies between two ops, which orders it allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from .ir import ModelGraph


@dataclass(frozen=True, slots=True)
class Region:
    """Ops between a fork, whose result several ops read, and the join where all its ways meet again.

    `inside` excludes both ends; `join` is -1 where the ways never meet.
    """

    fork: int
    join: int
    inside: tuple[int, ...]


def branches(graph: ModelGraph) -> tuple[Region, ...]:
    """Every fork of the main subgraph with its region, in execution order.

    The join is the op that lies on every way from the fork to an end (its immediate post-dominator).
    """
    import networkx

    wiring = graph.nx
    forks = [op.index for op in graph.ops if wiring.out_degree(op.index) > 1]
    if not forks:
        return ()
    end = -1
    closed: networkx.DiGraph[int] = networkx.DiGraph(wiring.edges)
    closed.add_edges_from((op.index, end) for op in graph.ops if wiring.out_degree(op.index) == 0)
    joins = networkx.immediate_dominators(closed.reverse(copy=False), end)
    return tuple(Region(fork, joins[fork], ops_between(graph, fork, joins[fork])) for fork in forks)


def ops_between(graph: ModelGraph, start: int, end: int) -> tuple[int, ...]:
    """The ops on any way from `start` to `end`, both excluded, ascending; with end -1 all that follow."""
    import networkx

    following = networkx.descendants(graph.nx, start)
    leading = networkx.ancestors(graph.nx, end) if end >= 0 else following
    return tuple(sorted(following & leading))


def path_between(graph: ModelGraph, start: int, end: int) -> tuple[int, ...]:
    """A shortest way from `start` to `end`, both included; () if there is none."""
    import networkx

    if not networkx.has_path(graph.nx, start, end):
        return ()
    return tuple(networkx.shortest_path(graph.nx, start, end))


def execution_orders(graph: ModelGraph, at_most: int = 100) -> Iterator[tuple[int, ...]]:
    """Orders in which the ops could run instead, the first `at_most` of them."""
    import networkx

    return (tuple(order) for order in islice(networkx.all_topological_sorts(graph.nx), at_most))


def longest_chain(graph: ModelGraph) -> tuple[int, ...]:
    """The longest way through the graph: ops that can only run one after another."""
    import networkx

    return tuple(networkx.dag_longest_path(graph.nx, weight=None))
