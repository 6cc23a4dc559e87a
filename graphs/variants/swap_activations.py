"""Other activation functions: cheaper or dearer ones in place of those that a model has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from ...errors import RecipeInvalid, VariantInvalid
from ..attributes_arithmetic import LeakyReluAttributes
from ..grids import version_of
from ..ir import ModelGraph, Op, Tensor
from ..ops import Activation, OpAttributes
from ..quantities import affine
from .activations import WORDS, Found, activations
from .given import SHAPE_ONLY, Given
from .rewiring import Rewiring

_SLOPE = 0.1  # of leaky-relu where it is put in
_FUSED = {"none": Activation.NONE, "relu": Activation.RELU, "relu6": Activation.RELU6}
_OPS: dict[str, tuple[str, OpAttributes | None]] = {
    "relu": ("RELU", None), "relu6": ("RELU6", None), "hard-swish": ("HARD_SWISH", None),
    "leaky-relu": ("LEAKY_RELU", LeakyReluAttributes(_SLOPE)), "none": ("QUANTIZE", None),
}  # fmt: skip


@dataclass(frozen=True)
class SwapActivations:
    """Puts one activation function in place of others, also of those written in several simple ops.

    What can be fused into the op before it is, as TFLite's converter does. Weights stay as they are, but no
    longer fit what they feed: the model has to be trained.

    Args:
        of: relu, relu6, hard-swish, hard-sigmoid, gelu, swish, sigmoid, tanh, elu, leaky-relu, prelu.
        to: what comes in their place; "none" removes them.
    """

    word: ClassVar[str] = "swap-activations"
    retrain: ClassVar[bool] = True
    of: tuple[str, ...]
    to: Literal["none", "relu", "relu6", "leaky-relu", "hard-swish"]

    def __post_init__(self) -> None:
        faults = [
            f"of: {w[:40]!r} is not known; known: {', '.join(WORDS)}" for w in self.of if w not in WORDS
        ]
        faults += ["of: name what to swap"] * (not self.of)
        faults += [f"of and to are both {self.to}"] * (self.to in self.of)
        if faults:
            raise RecipeInvalid("recipe with faults", faults=faults, fix="preflash schema recipe")

    def apply(self, graph: ModelGraph, given: Given) -> ModelGraph:
        """The model with other activations.

        Raises:
            VariantInvalid: it has none of these; says which it has.
        """
        found = activations(graph)
        meant = [one for one in found if one.word in self.of]
        if not meant:
            raise _has_none(graph, self.of, found)
        work = Rewiring(graph)
        for one in meant:
            _swap(work, one, self.to)
        count = Counter(one.word for one in meant)
        for word, times in count.items():
            given.note(f"{times} x {word} becomes {self.to}: {SHAPE_ONLY}")
        return work.finished()


def _swap(work: Rewiring, found: Found, to: str) -> None:
    region = found.region
    if region is None:
        _unfuse(work, found.fused, to)
        return
    last = work.op(region.ops[-1])
    source = _source_now(work, region.source, region.ops)
    last_type = work.tensors[region.end].dtype
    work.remove(region.ops)
    if to in _FUSED and work.fuse(source, region.end, _FUSED[to]):
        return
    same_grid = _grid(work.tensors[source]) == _grid(work.tensors[region.end])
    if to == "none" and same_grid and work.read_instead(region.end, source):
        return
    if to == "none" and last_type.is_float:
        raise VariantInvalid(
            f"op {last.index} {last.label} is all that lies between an input and an output",
            where=work.graph.name, fix="name a function in its place: to=relu",
        )  # fmt: skip
    work.put(region.ops[-1], [_op(last, to, source, work.tensors[region.end])])


def _source_now(work: Rewiring, source: int, ops: Sequence[int]) -> int:
    """The source, or what its readers were given in its place by a swap before."""
    read = {t for index in ops for t in work.op(index).inputs}
    made = {t for index in ops for t in work.op(index).outputs}
    left = [t for t in read - made if t >= 0 and not work.tensors[t].is_constant]
    return source if source in left or len(left) != 1 else left[0]


def _unfuse(work: Rewiring, index: int, to: str) -> None:
    """The op with another activation, or with one as an op of its own behind it."""
    op = work.op(index)
    fused = _FUSED.get(to, Activation.NONE)
    attributes = replace(op.attributes, fused_activation_function=fused)  # type: ignore[type-var]
    if to in _FUSED:
        work.change(index, replace(op, attributes=attributes))
        return
    end = work.tensors[op.outputs[0]]
    between = work.add(_before(end))
    work.change(index, replace(op, outputs=(between,), attributes=attributes))
    work.put(index, [_op(op, to, between, end)])


def _before(end: Tensor) -> Tensor:
    """What the op makes now: of both signs."""
    grid = end.quantization
    if not end.dtype.is_float and grid is not None and len(grid.scales):
        reach = 255.0 * float(grid.scales[0])
        grid = affine(-reach, reach, end.dtype)
    return replace(end, name=f"{end.name}/before", quantization=grid)


def _op(old: Op, to: str, source: int, end: Tensor) -> Op:
    kind, attributes = _OPS[to]
    return Op(old.index, kind, (source,), (end.index,), attributes, version_of(kind, end.dtype))


def _grid(tensor: Tensor) -> tuple[bytes, bytes] | None:
    q = tensor.quantization
    return None if q is None or tensor.dtype.is_float else (q.scales.tobytes(), q.zero_points.tobytes())


def _has_none(graph: ModelGraph, of: Sequence[str], found: Sequence[Found]) -> VariantInvalid:
    has = ", ".join(f"{n} x {word}" for word, n in Counter(one.word for one in found).items()) or "none"
    return VariantInvalid(
        f"the model has no {' or '.join(of)}", where=graph.name, fix=f"its activations: {has}; skip this step"
    )
