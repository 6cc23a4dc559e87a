"""The judge finds every fault of a graph at once, and none in sound ones."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from preflash.errors import GraphInvalid, PreflashError
from preflash.graphs.build import GraphBuilder
from preflash.graphs.check import check, faults_of
from preflash.graphs.ir import DType, ModelGraph, Op, Quantization, Subgraph, wire
from preflash.graphs.ops import IfAttributes
from preflash.graphs.passes.fold import FoldBatchNorms, FoldConstants
from preflash.graphs.passes.fusion import RULES as FUSION_RULES
from preflash.graphs.passes.fusion import fuse
from preflash.graphs.passes.pad_fold import FoldPads
from preflash.graphs.shapes import RULES
from preflash.graphs.tflite.read import read_tflite
from preflash.graphs.zoo import build
from shared_data import shared_models

DEMO = build("conv-add-pool-relu")  # tensors: 0 input, 1 weights, 2 bias, 3 conv, 4 sum, 5 pooled, 6 result


def _with_op(position: int, **changes: object) -> ModelGraph:
    """The demo with one op changed and everything wired anew."""
    ops = list(DEMO.ops)
    ops[position] = replace(ops[position], **changes)  # type: ignore[arg-type]
    return DEMO.with_main(wire(DEMO.tensors, ops, inputs=DEMO.inputs, outputs=DEMO.outputs))


def _with_tensor(position: int, **changes: object) -> ModelGraph:
    tensors = list(DEMO.tensors)
    tensors[position] = replace(tensors[position], **changes)  # type: ignore[arg-type]
    return DEMO.with_main(wire(tensors, DEMO.ops, inputs=DEMO.inputs, outputs=DEMO.outputs))


def _main(**changes: object) -> ModelGraph:
    return DEMO.with_main(replace(DEMO.main, **changes))  # type: ignore[arg-type]


def _reordered(*order: int) -> ModelGraph:
    ops = [DEMO.ops[i] for i in order]
    return DEMO.with_main(wire(DEMO.tensors, ops, inputs=DEMO.inputs, outputs=DEMO.outputs))


def _fused_but_read_elsewhere() -> ModelGraph:
    """The whole chain as one kernel, and one more op that reads the sum inside it."""
    fused = fuse(DEMO, ["conv-add-pool-relu"]).graph
    tensors = [*DEMO.tensors, replace(DEMO.tensors[4], index=7)]
    ops = [*fused.ops, Op(1, "RELU", (4,), (7,))]
    return DEMO.with_main(wire(tensors, ops, inputs=(0, 4), outputs=(6, 7)))


def _fused_without_its_residual() -> ModelGraph:
    kernel = fuse(DEMO, ["conv-add-pool-relu"]).graph.ops[0]
    bare = replace(kernel, inputs=(1, 2))
    return DEMO.with_main(wire(DEMO.tensors, [bare], inputs=DEMO.inputs, outputs=DEMO.outputs))


_SCALES = Quantization(np.ones(3, np.float32), np.zeros(3, np.int64), 0)
_TWO_ZEROS = Quantization(np.ones(8, np.float32), np.zeros(2, np.int64), 0)
_NOT_A_NUMBER = Quantization(np.array([np.nan], np.float32), np.zeros(1, np.int64))

FAULTS: dict[str, tuple[Callable[[], ModelGraph], str]] = {
    "no subgraph": (lambda: ModelGraph(()), "there is no subgraph"),
    "input index": (lambda: _with_op(3, inputs=(99,)), "op 3 RELU reads tensor 99 of 7"),
    "negative index": (lambda: _with_op(3, inputs=(-2,)), "op 3 RELU reads tensor -2 of 7"),
    "output index": (lambda: _with_op(3, outputs=(-1,)), "op 3 RELU makes tensor -1 of 7"),
    "graph output index": (lambda: _main(outputs=(7,)), "graph output 7 of 7 tensors"),
    "tensor number": (lambda: _with_tensor(5, index=4), "tensor 5 says it is tensor 4"),
    "op number": (lambda: _main(ops=DEMO.ops[::-1]), "op 0 says it is op 3"),
    "input twice": (lambda: _main(inputs=(0, 0)), "a tensor is a graph input twice"),
    "made twice": (lambda: _with_op(3, outputs=(5,)), "op 3 RELU makes tensor 5, which exists already"),
    "makes an input": (lambda: _with_op(3, outputs=(0,)), "op 3 RELU makes tensor 0, which exists already"),
    "makes a constant": (lambda: _with_op(3, outputs=(1,)), "op 3 RELU makes tensor 1, a constant"),
    "read too early": (lambda: _reordered(0, 2, 1, 3), "op 1 MAX_POOL_2D reads tensor 4, made later by op 2"),
    "made by nobody": (lambda: _main(inputs=()), "op 0 CONV_2D reads tensor 0, made by no op"),
    "unmade output": (lambda: _with_op(3, outputs=(5,)), "graph output 6 is made by no op"),
    "shape": (lambda: _with_tensor(5, shape=(1, 7, 8, 8)), "records the shape ((1, 7, 8, 8),)"),
    "contradiction": (lambda: _with_tensor(3, shape=(1, 16, 16, 7)), "do not broadcast"),
    "extent": (lambda: _with_tensor(5, shape=(1, -8, 8, 8)), "has the shape (1, -8, 8, 8)"),
    "constant bytes": (lambda: _with_tensor(2, data=b"1234"), "stores 4 bytes for 32"),
    "scales": (lambda: _with_tensor(1, quantization=_SCALES), "has 3 scales along axis 0 of (8, 3, 3, 8)"),
    "zero points": (lambda: _with_tensor(1, quantization=_TWO_ZEROS), "has 8 scales and 2 zero points"),
    "no number": (
        lambda: _with_tensor(0, quantization=_NOT_A_NUMBER),
        "a scale that is negative or no number",
    ),
    "subgraph": (lambda: _with_op(3, attributes=IfAttributes(1, 0)), "calls subgraph 1 of 1"),
    "producers": (
        lambda: _main(ops=(*DEMO.ops[:3], replace(DEMO.ops[3], producers=(0,)))),
        "op 3 RELU names producers (0,), they are (2,)",
    ),
    "consumers": (
        lambda: _main(ops=(replace(DEMO.ops[0], consumers=()), *DEMO.ops[1:])),
        "op 0 CONV_2D names consumers (), they are (1,)",
    ),
    "swallowed but read": (_fused_but_read_elsewhere, "keeps tensor 4 inside, but it is read elsewhere"),
    "fused alone": (_fused_without_its_residual, "reads tensor 0 that the kernel neither"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_named(name: str) -> None:
    make, sentence = FAULTS[name]
    assert any(sentence in fault for fault in faults_of(make())), list(faults_of(make()))


def test_all_faults_are_reported_at_once() -> None:
    graph = _with_op(3, inputs=(99,), outputs=(98,))
    with pytest.raises(GraphInvalid) as caught:
        check(replace(graph, name="demo"))
    assert len(caught.value.faults) == 2
    assert str(caught.value).startswith("demo: the graph has 2 faults")


def test_a_sound_graph_passes_before_and_after_fusion() -> None:
    check(DEMO)
    check(fuse(DEMO, ["conv-add-pool-relu"]).graph)


def test_variables_and_workspaces_of_custom_ops_need_no_maker() -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    x, state, scratch = b.input((1, 4)), b.tensor((1, 4)), b.tensor((16,))
    y = b.add(x, state)
    b.op("CUSTOM", (y, scratch), outputs=[b.tensor((1, 4))])
    graph = b.finish([4])
    assert list(faults_of(graph)) == [f"op 0 ADD reads tensor {state}, made by no op"]
    tensors = [replace(t, is_variable=t.index == state) for t in graph.tensors]
    check(graph.with_main(replace(graph.main, tensors=tuple(tensors))))


def test_faults_name_their_subgraph_where_there_are_several() -> None:
    broken = Subgraph((), (Op(0, "RELU", (5,), ()),), (), ())
    faults = list(faults_of(replace(DEMO, subgraphs=(DEMO.main, broken))))
    assert faults == ["subgraph 1: op 0 RELU reads tensor 5 of 0"]


@pytest.mark.parametrize("path", shared_models(), ids=lambda p: p.stem)
def test_every_shared_model_that_reads_is_sound(path: Path) -> None:
    graph = read_tflite(path)
    assert list(faults_of(graph)) == []


def _mutant(graph: ModelGraph, random: Random) -> ModelGraph:
    """The graph with some ops reading, making or being something else, and some shapes changed."""
    count, ops = len(graph.tensors), []
    for op in graph.ops:
        kind = random.choice(
            [op.kind, op.kind, op.kind, "PAD", "ADD", "MUL", "RELU", "MAX_POOL_2D", *sorted(RULES)]
        )
        reads = tuple(
            random.choice([i, i, random.randrange(-1, count)]) for i in op.inputs[: random.randrange(1, 5)]
        )
        changed = random.choice([op, op, op, replace(op, kind=kind), replace(op, inputs=reads)])
        ops.append(replace(changed, attributes=random.choice([op.attributes] * 5 + [None])))
    tensors = list(graph.tensors)
    odd = random.randrange(count)
    tensors[odd] = replace(tensors[odd], shape=tuple(random.choice([d, d, 3]) for d in tensors[odd].shape))
    return graph.with_main(wire(tensors, ops, inputs=graph.inputs, outputs=graph.outputs))


@pytest.mark.parametrize("seed", range(60))
def test_a_broken_graph_never_ends_in_anything_but_a_named_error(seed: int) -> None:
    random, rules = Random(seed), tuple(rule.name for rule in FUSION_RULES)
    graph = _mutant(
        build(random.choice(["ic01", "conv-add-pool-relu"]), dtype=random.choice(["int8", "float32"])), random
    )
    sound = not list(faults_of(graph))
    fused = fuse(graph, rules).graph
    if sound:
        check(fused)
    for one in (FoldConstants(), FoldBatchNorms(), FoldPads()):
        with suppress(PreflashError):
            folded = one.apply(graph).graph
            if sound:
                check(folded)
