"""What the answer is about: the model's and the target's identity."""

from __future__ import annotations

from ..devices.supply import Supply
from ..devices.target import Target
from ..graphs.ir import ModelGraph
from ..graphs.kept import kept
from .estimate import Interval, ModelFacts, TargetFacts
from .flash import model_bytes


def model_facts(graph: ModelGraph, macs: Interval) -> ModelFacts:
    """Name, size and types of the model as it was given."""
    return ModelFacts(
        name=graph.name,
        file_bytes=model_bytes(graph),
        sha256=graph.sha256,
        op_count=len(graph.ops),
        macs=None if macs.value is None else int(macs.value),
        input_dtypes=tuple(dict.fromkeys(str(graph.tensors[t].dtype) for t in graph.inputs)),
        weight_bytes=_weight_bytes(graph),
        subgraph_count=len(graph.subgraphs),
    )


def _weight_bytes(graph: ModelGraph) -> int:
    """Stored bytes of all constants."""
    return kept(
        graph, "weight_bytes", lambda one: sum(t.stored_bytes for s in one.subgraphs for t in s.tensors)
    )


def target_facts(target: Target) -> TargetFacts:
    """Names of board, core, clock and runtime; where and at what supply its energy is measured."""
    build = target.kernels
    library = f"{build.library} ({build.flavour})" if build.flavour else build.library
    point = target.power_point
    known_v = None if point is None else point.supply_v
    fed = target.supply or (Supply(known_v, point.regulator) if point is not None and known_v else None)
    return TargetFacts(
        device=target.device.name,
        title=target.device.title,
        core=target.device.core.name,
        clock_hz=target.clock_hz,
        runtime=target.runtime.label,
        runtime_title=target.runtime.title,
        kernel_library=library,
        runtime_is_default=target.runtime_is_default,
        power_boundary="" if point is None else point.boundary,
        supply="" if point is None or fed is None else str(fed),
    )
