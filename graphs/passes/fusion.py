"""How ops become the kernels that a runtime really runs: matching the rules on a graph's chains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..ir import OPTIONAL, ModelGraph, Op, Subgraph, wire
from ..kept import kept
from ..ops import Activation
from .base import PassResult
from .effect import FusionEffect
from .footprint import footprint
from .rules import LINK_KINDS, RULES, FusionRule, rules_named

__all__ = ["RULES", "FusionResult", "FusionRule", "fuse"]


@dataclass(frozen=True, slots=True)
class FusionResult:
    """The graph of kernels, and what the rules changed."""

    graph: ModelGraph
    effect: FusionEffect


def fuse(graph: ModelGraph, rules: Sequence[str]) -> FusionResult:
    """The main subgraph with every chain of these rules as one op; the same graph where nothing matches.

    A tensor is swallowed only if one op reads it, once, and it is no graph output. Anchors are visited from
    the last op to the first and take the longest chain; the kernel stands where the last of its ops stood.
    Swallowed tensors stay in the list, unused; so do the file's length and hash: it is what is flashed.
    Kept with the graph, so that plan and table of the kernels are kept with theirs.
    """
    names = tuple(dict.fromkeys(rules))
    return kept(graph, f"fused:{names}", lambda one: _fused(one, names))


def _fused(graph: ModelGraph, names: tuple[str, ...]) -> FusionResult:
    active = rules_named(names)
    before = footprint(graph.main)
    if not active:
        return FusionResult(graph, FusionEffect(names, {}, before, before))
    matching = _Matching(graph.main, active)
    kernels = matching.run()
    if not kernels:
        return FusionResult(graph, FusionEffect(names, {}, before, before))
    main = graph.main
    swallowed = matching.taken
    ops = [kernels.get(op.index, op) for op in main.ops if op.index in kernels or op.index not in swallowed]
    wired = wire(main.tensors, ops, inputs=main.inputs, outputs=main.outputs, name=main.name)
    fused = replace(graph.with_main(wired), file_bytes=graph.file_bytes, sha256=graph.sha256)
    return FusionResult(fused, FusionEffect(names, matching.applied, before, footprint(wired)))


@dataclass(frozen=True, slots=True)
class Fusion:
    """`fuse` as a pass."""

    rules: tuple[str, ...]
    name: str = "fusion"

    def apply(self, graph: ModelGraph) -> PassResult:
        result = fuse(graph, self.rules)
        notes = tuple(f"{rule} applied {times} times" for rule, times in result.effect.applied.items())
        return PassResult(result.graph, result.graph is not graph, notes)


@dataclass(slots=True)
class _Matching:
    """One walk over a subgraph: which ops are taken, and the kernels by the index of their last op."""

    subgraph: Subgraph
    rules: tuple[FusionRule, ...]
    taken: set[int] = field(default_factory=set)
    applied: dict[str, int] = field(default_factory=dict)

    def run(self) -> dict[int, Op]:
        kernels: dict[int, Op] = {}
        for op in reversed(self.subgraph.ops):
            if op.index in self.taken or op.fused or not self._movable(op):
                continue
            parts, used = self._grow(op)
            if len(parts) > 1:
                self.taken.update(part.index for part in parts)
                kernels[parts[-1].index] = self._kernel(op, parts)
                for rule in used:
                    self.applied[rule.name] = self.applied.get(rule.name, 0) + 1
        return kernels

    def _movable(self, op: Op) -> bool:
        """Whether the op may run later than it stands: it reads and keeps no variable."""
        tensors = self.subgraph.tensors
        return len(op.outputs) == 1 and not any(tensors[i].is_variable for i in op.inputs if i != OPTIONAL)

    def _grow(self, anchor: Op) -> tuple[list[Op], list[FusionRule]]:
        """The ops of the anchor's kernel in execution order, and the rules used: per stage the longest."""
        parts, used = [anchor], []
        for stage in sorted({rule.stage for rule in self.rules}):
            best, longest = None, list[Op]()
            for rule in (r for r in self.rules if r.stage == stage and anchor.kind in r.anchors):
                is_front = rule.chain[0].what == "pad"
                found = self._front(rule, anchor) if is_front else self._follow(rule, parts[-1])
                if len(found) > len(longest):
                    best, longest = rule, found
            if best is not None:
                parts = [*longest, *parts] if best.chain[0].what == "pad" else [*parts, *longest]
                used.append(best)
        return parts, used

    def _front(self, rule: FusionRule, anchor: Op) -> list[Op]:
        from .pad_fold import padding_itself, unpadded  # a plain check without rules does not need it

        producer = anchor.producers[0] if anchor.producers else -1
        if producer < 0 or producer in self.taken:
            return []
        pad = self.subgraph.ops[producer]
        fits = pad.kind in LINK_KINDS["pad"] and self._only_reader(pad) is anchor
        folded = padding_itself if rule.name == "any-pad-conv" else unpadded
        return [pad] if fits and folded(self.subgraph, pad, anchor) is not None else []

    def _follow(self, rule: FusionRule, start: Op) -> list[Op]:
        """The ops after `start` that match the whole chain; [] where a required link is missing."""
        found: list[Op] = []
        last = start
        for link in rule.chain:
            following = self._only_reader(last)
            if following is not None and self._is_link(link.what, last, following):
                found.append(following)
                last = following
            elif not link.optional:
                return []
        return found

    def _only_reader(self, op: Op) -> Op | None:
        """The op that alone reads the result of `op`, once; None if the result is wanted elsewhere too."""
        if len(op.outputs) != 1 or len(op.consumers) != 1 or op.outputs[0] in self.subgraph.outputs:
            return None
        reader = self.subgraph.ops[op.consumers[0]]
        free = reader.index not in self.taken and not reader.fused and len(reader.outputs) == 1
        return reader if free and reader.inputs.count(op.outputs[0]) == 1 else None

    def _is_link(self, what: str, last: Op, op: Op) -> bool:
        if op.kind not in LINK_KINDS[what]:
            return False
        if what != "pool" and _ends_in_activation(last):
            return False  # an epilogue works on the accumulator; after an activation only pooling commutes
        if what in ("pool", "activation"):
            return op.inputs[0] == last.outputs[0]
        tensors, result = self.subgraph.tensors, self.subgraph.tensors[op.outputs[0]].shape
        if tensors[last.outputs[0]].shape != result:
            return False
        others = [i for i in op.inputs if i != last.outputs[0]]
        if len(others) != 1 or others[0] == OPTIONAL:
            return False
        other = tensors[others[0]]
        if what == "add":
            return not other.is_constant and not other.is_variable and other.shape == result
        if op.kind == "SUB" and op.inputs[0] != last.outputs[0]:
            return False
        per_channel = other.element_count == 1 or (other.shape[-1:] == result[-1:] == (other.element_count,))
        return other.is_constant and per_channel

    def _kernel(self, anchor: Op, parts: list[Op]) -> Op:
        """The anchor with all data that its parts read from outside, writing what the last part writes."""
        kernel = anchor
        if parts[0] is not anchor:
            from .pad_fold import padding_itself

            kernel = padding_itself(self.subgraph, parts[0], anchor) or anchor
        made = {t for part in parts for t in part.outputs}
        later = parts[parts.index(anchor) + 1 :]
        extra = tuple(i for part in later for i in part.inputs if i not in made and i != OPTIONAL)
        return replace(kernel, inputs=(*kernel.inputs, *extra), outputs=parts[-1].outputs, fused=tuple(parts))


def _ends_in_activation(op: Op) -> bool:
    fused = getattr(op.attributes, "fused_activation_function", Activation.NONE)
    return op.kind in LINK_KINDS["activation"] or fused != Activation.NONE
