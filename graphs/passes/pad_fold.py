"""When is a PAD in front of a convolution the same as SAME padding, and how is it folded away."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..geometry import Padding, slide
from ..ir import OPTIONAL, ModelGraph, Op, Quantization, Subgraph, wire
from ..ops import Conv2DAttributes, DepthwiseConv2DAttributes
from ..reading import Reading
from .base import PassResult


def unpadded(subgraph: Subgraph, pad: Op, conv: Op) -> Op | None:
    """The convolution that reads what PAD reads, with SAME padding and the same result; None if none does.

    Holds for a VALID convolution where (before, after) of PAD equal (pad_before, pad_total - pad_before) of
    geometry.slide on both axes. PAD fills with the zero point, as SAME padding does.
    """
    amounts, a = _amounts(subgraph, pad, conv), conv.attributes
    if amounts is None or not isinstance(a, Conv2DAttributes | DepthwiseConv2DAttributes):
        return None
    data, weight = (subgraph.tensors[t] for t in (pad.inputs[0], conv.inputs[1]))
    rows = slide(
        data.shape[1],
        kernel=weight.shape[1],
        stride=a.stride_h,
        dilation=a.dilation_h_factor,
        padding=Padding.SAME,
    )
    cols = slide(
        data.shape[2],
        kernel=weight.shape[2],
        stride=a.stride_w,
        dilation=a.dilation_w_factor,
        padding=Padding.SAME,
    )
    same = tuple(p for w in (rows, cols) for p in (w.pad_before, w.pad_total - w.pad_before))
    if amounts != same:
        return None
    return replace(
        conv, inputs=(pad.inputs[0], *conv.inputs[1:]), attributes=replace(a, padding=Padding.SAME)
    )


def padding_itself(subgraph: Subgraph, pad: Op, conv: Op) -> Op | None:
    """The convolution that reads what PAD reads and pads by as much itself; None if it cannot.

    With SAME padding where that is the same, else with amounts that no file can state.
    """
    same = unpadded(subgraph, pad, conv)
    amounts = _amounts(subgraph, pad, conv)
    if same is not None or amounts is None:
        return same
    return replace(conv, inputs=(pad.inputs[0], *conv.inputs[1:]), pads=amounts)


def _amounts(subgraph: Subgraph, pad: Op, conv: Op) -> tuple[int, int, int, int] | None:
    """(top, bottom, left, right) of a constant PAD in front of a VALID convolution; None for any other."""
    a = conv.attributes
    if not isinstance(a, Conv2DAttributes | DepthwiseConv2DAttributes) or a.padding is not Padding.VALID:
        return None
    if pad.kind != "PAD" or len(pad.inputs) != 2 or len(conv.inputs) < 2 or conv.inputs[0] != pad.outputs[0]:
        return None
    if OPTIONAL in (*pad.inputs, *conv.inputs[:2]) or conv.pads is not None:
        return None
    found = Reading(subgraph, pad).integers(1)
    data, padded, weight = (subgraph.tensors[t] for t in (pad.inputs[0], pad.outputs[0], conv.inputs[1]))
    if found is None or len(found) != 8 or len(data.shape) != 4 or len(weight.shape) != 4:
        return None
    if any(found[:2]) or any(found[6:]) or not _same_grid(data.quantization, padded.quantization):
        return None
    top, bottom, left, right = found[2:6]
    return None if min(top, bottom, left, right) < 0 else (top, bottom, left, right)


def _same_grid(a: Quantization | None, b: Quantization | None) -> bool:
    """Whether two per-tensor quantizations have the same scale and zero point, or both are absent."""
    if a is None or b is None:
        return a is b
    scales, zero_points = a.scales.tolist(), a.zero_points.tolist()
    return bool(scales == b.scales.tolist() and zero_points == b.zero_points.tolist())


@dataclass(frozen=True, slots=True)
class FoldPads:
    """Every PAD that only convolutions read, all with equal SAME padding, disappears."""

    name: str = "fold-pads"

    def apply(self, graph: ModelGraph) -> PassResult:
        main = graph.main
        replaced: dict[int, Op] = {}
        gone: set[int] = set()
        for pad in main.ops:
            if pad.kind != "PAD" or pad.outputs[0] in main.outputs or not pad.consumers:
                continue
            readers = [unpadded(main, pad, main.ops[i]) for i in pad.consumers]
            folded = [r for r in readers if r is not None]
            if len(folded) == len(readers):
                replaced.update((r.index, r) for r in folded)
                gone.add(pad.index)
        if not gone:
            return PassResult(graph)
        ops = [replaced.get(op.index, op) for op in main.ops if op.index not in gone]
        wired = wire(main.tensors, ops, inputs=main.inputs, outputs=main.outputs, name=main.name)
        notes = tuple(f"PAD (op {i}) became SAME padding" for i in sorted(gone))
        return PassResult(graph.with_main(wired), True, notes)
