"""What a graph moves and holds in RAM while it runs: traffic and peak, before any planner and device."""

from __future__ import annotations

from ..ir import Subgraph
from .effect import FusionSide


def footprint(subgraph: Subgraph) -> FusionSide:
    """Kernels, activation bytes moved, and the largest sum of activations alive at one time.

    traffic = sum over ops of the dense bytes of every activation read or written; what is read twice counts
    twice. A tensor is alive from the op that makes it (graph inputs and variables: from the start) up to and
    including its last reader (graph outputs and variables: to the end). Nothing is shared in place.
    """
    tensors, count = subgraph.tensors, len(subgraph.ops)
    size = [0 if t.data is not None else max(0, t.dense_bytes) for t in tensors]
    first = dict.fromkeys(subgraph.inputs, 0)
    last = dict.fromkeys(subgraph.inputs, 0)
    traffic_bytes = 0
    for op in subgraph.ops:
        for t in op.inputs:
            if t >= 0 and size[t]:
                traffic_bytes += size[t]
                first.setdefault(t, op.index)
                last[t] = op.index
        for t in op.outputs:
            traffic_bytes += size[t]
            first.setdefault(t, op.index)
            last[t] = op.index
    for t in subgraph.outputs:
        first.setdefault(t, 0)
        last[t] = count
    change = [0] * (count + 2)
    for t, start in first.items():
        lasting = tensors[t].is_variable
        change[0 if lasting else start] += size[t]
        change[(count if lasting else last[t]) + 1] -= size[t]
    alive_bytes = peak_bytes = 0
    for step in change:
        alive_bytes += step
        peak_bytes = max(peak_bytes, alive_bytes)
    return FusionSide(count, traffic_bytes, peak_bytes)
