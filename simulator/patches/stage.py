"""Where may patches end? The ops from the graph's input to a cut that one tensor crosses, or why not."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import PatchesInvalid
from ...graphs.ir import OPTIONAL, ModelGraph, Op, Subgraph
from .fields import PICTURE, Axes, activation_inputs, input_axes, why_whole

_LONGEST = 200  # ops of a stage


@dataclass(frozen=True, eq=False)
class Stage:
    """The first ops of the main subgraph, in order.

    Args:
        inputs: graph inputs that the stage reads.
        cut: the tensor that the last op makes, the only one that crosses.
        axes: tensor -> where it has rows and columns.
    """

    subgraph: Subgraph
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    cut: int
    axes: dict[int, Axes]

    @property
    def tensors(self) -> tuple[int, ...]:
        """The stage's activations: inputs first, then in the order they are made; the cut is the last."""
        return (*self.inputs, *(op.outputs[0] for op in self.ops))

    @property
    def last(self) -> int:
        """The index of the op that makes the cut tensor."""
        return self.ops[-1].index


@dataclass(frozen=True, slots=True)
class Cuts:
    """The legal stages, shortest first, and why there are no more.

    Args:
        ended: why the ops after the last one looked at cannot run on patches; "" if all of them can.
        refused: (op, reason) for each op in between after which no cut is legal.
    """

    stages: tuple[Stage, ...]
    ended: str
    refused: tuple[tuple[int, str], ...]


def find_cuts(graph: ModelGraph) -> Cuts:
    """Every legal stage of the main subgraph."""
    main, stages, refused, ended = graph.main, [], [], ""
    if len(main.ops) > _LONGEST:
        ended = f"stages of more than {_LONGEST} ops are not looked at"
    open_tensors: dict[int, int] = {}  # activation -> readers that still come, itself as an output included
    for op in main.ops[:_LONGEST]:
        why = why_whole(main, op)
        if why:
            ended = f"{op.label} {op.index} {why}"
            break
        _advance(main, op, open_tensors)
        stage = _stage(main, op, open_tensors)
        if isinstance(stage, Stage):
            stages.append(stage)
        else:
            refused.append((op.index, stage))
    return Cuts(tuple(stages), ended, tuple(refused))


def stage_at(graph: ModelGraph, cut: int) -> Stage:
    """The stage that ends with this op.

    Raises:
        PatchesInvalid: patches cannot end there.
    """
    cuts = find_cuts(graph)
    for stage in cuts.stages:
        if stage.last == cut:
            return stage
    why = dict(cuts.refused).get(cut, cuts.ended or "there is no such op")
    legal = ", ".join(str(stage.last) for stage in cuts.stages)
    fix = f"ops after which they can: {legal}" if legal else "no op of this model ends a stage of patches"
    raise PatchesInvalid(f"patches cannot end after op {cut}: {why}", where=graph.name, fix=fix)


def _advance(main: Subgraph, op: Op, open_tensors: dict[int, int]) -> None:
    """Run one op: its output opens, its inputs lose a reader."""
    for n in set(activation_inputs(main, op)):
        t = op.inputs[n]
        open_tensors.setdefault(t, _readers(main, t))
    for t in {op.inputs[n] for n in activation_inputs(main, op)}:
        open_tensors[t] -= 1
        if not open_tensors[t]:
            del open_tensors[t]
    open_tensors[op.outputs[0]] = max(1, _readers(main, op.outputs[0]))  # a dead end stays open


def _readers(main: Subgraph, tensor: int) -> int:
    return len(main.consumers_of.get(tensor, ())) + (tensor in main.outputs)


def _stage(main: Subgraph, last: Op, open_tensors: dict[int, int]) -> Stage | str:
    """The stage up to this op, or why it is none."""
    if len(open_tensors) > 1:
        makers = [main.producer_of.get(t, -1) for t in open_tensors]
        named = ["an input" if maker < 0 else f"{main.ops[maker].label} {maker}" for maker in makers]
        return f"{len(named)} tensors cross: of {', '.join(named[:4])}" + (", ..." if named[4:] else "")
    ops = main.ops[: last.index + 1]
    made = {op.outputs[0] for op in ops}
    read = dict.fromkeys(op.inputs[n] for op in ops for n in activation_inputs(main, op))
    inputs = tuple(t for t in read if t not in made)
    if any(t == OPTIONAL or t not in main.inputs for t in inputs):
        return "it reads a tensor that nobody makes"
    axes = _axes(main, ops)
    if axes is None:
        return "rows and columns of a tensor lie differently for two of its readers"
    return Stage(main, ops, inputs, last.outputs[0], axes)


def _axes(main: Subgraph, ops: tuple[Op, ...]) -> dict[int, Axes] | None:
    """Rows and columns of every activation, from those of the cut backwards; None where they contradict."""
    axes: dict[int, Axes] = {ops[-1].outputs[0]: PICTURE}
    for op in reversed(ops):
        source = input_axes(main, op, axes[op.outputs[0]])
        if source is None:
            return None
        for n in activation_inputs(main, op):
            if axes.setdefault(op.inputs[n], source) != source:
                return None
    return axes
