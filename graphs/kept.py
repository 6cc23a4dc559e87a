"""What has already been worked out about this graph?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from .ir import ModelGraph

T = TypeVar("T")


def kept(graph: ModelGraph, key: str, work_out: Callable[[ModelGraph], T]) -> T:
    """The value of `work_out(graph)`, kept with the graph.

    A graph made from another by `dataclasses.replace` may share its cache, so the value is only taken for
    the same subgraphs and metadata.
    """
    held = graph._cache.get(key)
    if held is not None and held[0] is graph.subgraphs and held[1] is graph.metadata:
        return cast("T", held[2])
    value = work_out(graph)
    graph._cache[key] = (graph.subgraphs, graph.metadata, value)
    return value
