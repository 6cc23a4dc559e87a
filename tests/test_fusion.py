"""Fusion: what each rule takes, what it must not take, and that the result stays the same to the bit."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from preflash.devices.catalog import load_runtime
from preflash.errors import UnsupportedOp
from preflash.graphs.build import GraphBuilder
from preflash.graphs.check import check
from preflash.graphs.dims import op_dims
from preflash.graphs.evaluate import evaluate
from preflash.graphs.ir import DType, ModelGraph
from preflash.graphs.ops import Activation, Conv2DAttributes, Padding, Pool2DAttributes
from preflash.graphs.passes.effect import FusionSide
from preflash.graphs.passes.footprint import footprint
from preflash.graphs.passes.fusion import RULES, Fusion, fuse
from preflash.graphs.tflite.read import read_tflite
from preflash.graphs.zoo import build
from shared_data import shared_dir

NAMES = tuple(rule.name for rule in RULES)
X_CUBE_AI = ("bias-activation", "conv-batch-norm", "conv-pool", "pad-conv")
RUNTIMES = {"tflm": (), "x-cube-ai": X_CUBE_AI, "example-accelerator": NAMES}
HALVE = Pool2DAttributes(stride_w=2, stride_h=2, filter_width=2, filter_height=2)


def _values(graph: ModelGraph) -> np.ndarray:
    tensor, random = graph.tensors[graph.inputs[0]], np.random.default_rng(11)
    if tensor.dtype is DType.INT8:
        return random.integers(-128, 128, tensor.shape).astype(np.int8)
    return random.uniform(-1, 1, tensor.shape).astype(np.float32)


def _kernels(graph: ModelGraph) -> list[str]:
    """Per kernel the kinds of its parts, joined."""
    return ["+".join(part.kind for part in op.fused or (op,)) for op in graph.ops]


def _start(dtype: DType = DType.INT8) -> tuple[GraphBuilder, int]:
    b = GraphBuilder("chain", dtype=dtype)
    return b, b.input((1, 8, 8, 4))


def _bias(b: GraphBuilder) -> int:
    return b.activation_constant(np.array([0.1, -0.2, 0.3, 0.4]))


def test_the_rules_have_the_names_that_runtime_files_use() -> None:
    assert set(NAMES) == {
        "bias-activation", "conv-batch-norm", "conv-add", "conv-pool", "conv-add-pool-relu", "pad-conv",
        "any-pad-conv",
    }  # fmt: skip
    assert all(rule.evidence and rule.holds_for for rule in RULES)


def test_no_rule_holds_for_tflm() -> None:
    assert not [r.name for r in RULES for runtime in r.holds_for if runtime.startswith("tflm")]


@pytest.mark.parametrize(
    "runtime",
    ["tflm-reference", "tflm-cmsis-nn", "tflm-esp-nn", "x-cube-ai", "example-accelerator", "cmsis-nn-uint8",
     "executorch-cmsis-nn", "litert-xnnpack"],
)
def test_a_runtime_file_lists_exactly_the_rules_that_hold_for_it(runtime: str) -> None:
    listed = load_runtime(runtime).fusion
    assert set(listed) == {rule.name for rule in RULES if runtime in rule.holds_for}


def test_st_is_credited_with_everything_but_the_residual() -> None:
    assert {r.name for r in RULES if "x-cube-ai" in r.holds_for} == set(X_CUBE_AI)


@pytest.mark.parametrize("name", ["ic01", "kws01", "conv-add-pool-relu"])
def test_without_rules_the_very_same_graph_comes_back(name: str) -> None:
    graph = build(name)
    result = fuse(graph, [])
    assert result.graph is graph
    assert result.effect.before == result.effect.after
    assert not result.effect.applied


def test_an_unknown_rule_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnsupportedOp, match=r"conv-everything.*known rules: pad-conv"):
        fuse(build("ic01"), ["conv-add", "conv-everything"])


def test_the_demo_chain_becomes_one_kernel_with_hand_worked_figures() -> None:
    """int8, 16x16x8: input x, convolution c and sum a are 2048 B each, pooled p and result r 8*8*8 = 512 B.

    Traffic: conv x + c, add c + x + a, pool a + p, relu p + r = 4096 + 6144 + 2560 + 1024 = 13824.
    Fused: x for the convolution, x again for the residual, r = 4608.
    Peak: at the ADD x + c + a = 6144; fused x + r = 2560.
    """
    effect = fuse(build("conv-add-pool-relu"), ["conv-add-pool-relu"]).effect
    assert effect.before == FusionSide(4, 13824, 6144)
    assert effect.after == FusionSide(1, 4608, 2560)
    assert effect.applied == {"conv-add-pool-relu": 1}


def test_the_kernel_keeps_kind_attributes_and_extents_of_its_anchor() -> None:
    graph = build("conv-add-pool-relu")
    kernel = fuse(graph, NAMES).graph.ops[0]
    assert kernel.kind == "CONV_2D"
    assert kernel.attributes == graph.ops[0].attributes
    assert kernel.inputs == (*graph.ops[0].inputs, graph.inputs[0])  # the residual is one more input
    assert kernel.outputs == graph.outputs
    assert [part.kind for part in kernel.fused] == ["CONV_2D", "ADD", "MAX_POOL_2D", "RELU"]
    dims = op_dims(fuse(graph, NAMES).graph.main, kernel)
    assert dims is not None
    assert (dims.out_h, dims.out_w, dims.out_c) == (16, 16, 8)


@pytest.mark.parametrize(
    ("runtime", "kernels"),
    [("tflm", 16), ("x-cube-ai", 16), ("example-accelerator", 12)],
)
def test_resnet_loses_its_residual_adds_only_where_the_runtime_fuses_them(runtime: str, kernels: int) -> None:
    """Three ADDs and the pool behind the last one disappear; TFLM and ST run them."""
    result = fuse(build("ic01"), RUNTIMES[runtime])
    assert result.effect.after.op_count == len(result.graph.ops) == kernels
    # ADD 1..3 no longer writes and re-reads the convolution: 2 * (16384 + 8192 + 4096) B; the pool no longer
    # re-reads the sum of 8*8*64 = 4096 B that is no longer written
    saved = 2 * (16384 + 8192 + 4096) + 2 * 4096 if runtime == "example-accelerator" else 0
    assert result.effect.before.traffic_bytes - result.effect.after.traffic_bytes == saved


def test_the_real_resnet_fuses_like_the_built_one() -> None:
    graph = read_tflite(shared_dir() / "models" / "pretrainedResnet_quant.tflite")
    built = build("ic01")
    for rules in RUNTIMES.values():
        assert _kernels(fuse(graph, rules).graph) == _kernels(fuse(built, rules).graph)
        assert fuse(graph, rules).effect == fuse(built, rules).effect
    assert fuse(graph, NAMES).graph.file_bytes == graph.file_bytes


@pytest.mark.parametrize("dtype", ["int8", "float32"])
@pytest.mark.parametrize("name", ["ic01", "conv-add-pool-relu", "kws01"])
def test_fused_equals_unfused_for_every_set_of_rules(name: str, dtype: str) -> None:
    graph = build(name, dtype=dtype)
    values = _values(graph)
    expected = evaluate(graph, [values])[0]
    seen = set()
    for count in range(len(NAMES) + 1):
        for rules in combinations(NAMES, count):
            fused = fuse(graph, rules).graph
            shape = tuple(_kernels(fused))
            if shape not in seen:
                seen.add(shape)
                check(fused)
                np.testing.assert_array_equal(evaluate(fused, [values])[0], expected)
    assert len(seen) > 1


# (rule set, chain, kernels): each chain is built after a convolution of 8x8x4 without activation.
CHAINS = [
    (["bias-activation"], ["bias", "RELU"], ["CONV_2D+ADD+RELU"]),
    (["bias-activation"], ["RELU6"], ["CONV_2D+RELU6"]),
    (["bias-activation"], ["bias"], ["CONV_2D+ADD"]),
    (["bias-activation"], ["RELU", "TANH"], ["CONV_2D+RELU", "TANH"]),
    (["bias-activation"], ["residual", "RELU"], ["CONV_2D", "ADD", "RELU"]),
    (["conv-batch-norm"], ["scale", "bias"], ["CONV_2D+MUL+ADD"]),
    (["conv-batch-norm"], ["bias", "scale", "bias", "RELU"], ["CONV_2D+ADD+MUL+ADD", "RELU"]),
    (["conv-batch-norm"], ["bias", "RELU"], ["CONV_2D", "ADD", "RELU"]),
    (["conv-batch-norm", "bias-activation"], ["scale", "bias", "RELU"], ["CONV_2D+MUL+ADD+RELU"]),
    (["conv-add"], ["residual"], ["CONV_2D+ADD"]),
    (["conv-add"], ["bias", "residual", "RELU"], ["CONV_2D+ADD+ADD+RELU"]),
    (["conv-add"], ["RELU", "residual"], ["CONV_2D", "RELU", "ADD"]),
    (["conv-pool"], ["pool"], ["CONV_2D+MAX_POOL_2D"]),
    (["conv-pool"], ["RELU", "pool"], ["CONV_2D+RELU+MAX_POOL_2D"]),
    (["conv-pool"], ["pool", "RELU"], ["CONV_2D+MAX_POOL_2D+RELU"]),
    (["conv-pool"], ["residual", "pool"], ["CONV_2D", "ADD", "MAX_POOL_2D"]),
    (["conv-add-pool-relu"], ["residual", "RELU", "pool"], ["CONV_2D+ADD+RELU+MAX_POOL_2D"]),
    (["conv-add-pool-relu"], ["residual", "RELU"], ["CONV_2D", "ADD", "RELU"]),
    (["conv-add", "conv-add-pool-relu"], ["residual", "RELU"], ["CONV_2D+ADD+RELU"]),
    (["conv-add", "conv-add-pool-relu"], ["residual", "pool", "RELU"], ["CONV_2D+ADD+MAX_POOL_2D+RELU"]),
]  # fmt: skip


@pytest.mark.parametrize("dtype", [DType.INT8, DType.FLOAT32])
@pytest.mark.parametrize(("rules", "chain", "kernels"), CHAINS, ids=lambda v: "+".join(v))
def test_a_rule_takes_its_chain_and_no_more(
    rules: list[str], chain: list[str], kernels: list[str], dtype: DType
) -> None:
    b, x = _start(dtype)
    y = b.conv(x, 4, (3, 3))
    for link in chain:
        y = {
            "bias": lambda y=y: b.add(y, _bias(b)),
            "scale": lambda y=y: b.mul(y, _bias(b)),
            "residual": lambda y=y: b.add(y, x),
            "pool": lambda y=y: b.pool("MAX_POOL_2D", y, HALVE),
        }.get(link, lambda y=y, link=link: b.unary(link, y))()
    graph = b.finish([y])
    fused = fuse(graph, rules).graph
    check(fused)
    assert _kernels(fused) == kernels
    np.testing.assert_array_equal(evaluate(fused, [_values(graph)])[0], evaluate(graph, [_values(graph)])[0])


def _append(b: GraphBuilder, link: str, y: int, x: int) -> int:
    """One more op on y; `x` is the graph's input, 8x8x4."""
    whole = b._tensors[y].shape == b._tensors[x].shape
    match link:
        case "bias":
            return b.add(y, _bias(b))
        case "scale":
            return b.mul(y, _bias(b))
        case "residual":
            return b.add(y, x) if whole else b.add(y, b.conv(y, 4))
        case "pool":
            return b.pool("MAX_POOL_2D", y, HALVE) if whole else b.unary("TANH", y)
        case "pad":
            return b.conv(
                b.pad(y, [(0, 0), (1, 1), (1, 1), (0, 0)]), 4, (3, 3), Conv2DAttributes(Padding.VALID)
            )
        case "conv":
            return b.conv(y, 4, (3, 3))
        case _:
            return b.unary(link, y)


LINKS = ["bias", "scale", "residual", "pool", "pad", "conv", "RELU", "RELU6", "TANH"]


@given(
    links=st.lists(st.sampled_from(LINKS), min_size=1, max_size=9),
    rules=st.sets(st.sampled_from(NAMES)),
    kept=st.integers(0, 8),
)
@settings(max_examples=80, deadline=None)
def test_any_chain_under_any_rules_stays_sound_and_the_same(
    links: list[str], rules: set[str], kept: int
) -> None:
    """One tensor on the way, the `kept`-th, is a graph output too."""
    b, x = _start()
    made = [b.conv(x, 4)]
    for link in links:
        made.append(_append(b, link, made[-1], x))
    graph = b.finish(list(dict.fromkeys([made[-1], made[kept % len(made)]])))
    result = fuse(graph, sorted(rules))
    check(result.graph)
    assert result.effect.after.traffic_bytes <= result.effect.before.traffic_bytes
    assert result.effect.after.op_count == len(result.graph.ops)
    assert sum(len(op.fused or (op,)) for op in result.graph.ops) == len(graph.ops)
    for ours, expected in zip(
        evaluate(result.graph, [_values(graph)]), evaluate(graph, [_values(graph)]), strict=True
    ):
        np.testing.assert_array_equal(ours, expected)


def test_what_a_second_op_reads_or_the_graph_gives_is_not_swallowed() -> None:
    b, x = _start()
    y = b.conv(x, 4)
    shared = b.finish([b.unary("RELU", y), b.unary("TANH", y)])
    assert fuse(shared, NAMES).graph is shared
    b, x = _start()
    y = b.conv(x, 4)
    given_out = b.finish([b.unary("RELU", y), y])
    assert fuse(given_out, NAMES).graph is given_out
    b, x = _start()
    y = b.conv(x, 4)
    doubled = b.finish([b.add(y, y)])
    assert fuse(doubled, NAMES).graph is doubled


def test_an_activation_inside_the_convolution_bars_a_residual_but_not_a_pool() -> None:
    b, x = _start()
    y = b.conv(x, 4, (1, 1), Conv2DAttributes(fused_activation_function=Activation.RELU))
    graph = b.finish([b.pool("MAX_POOL_2D", b.add(y, x), HALVE)])
    assert fuse(graph, NAMES).graph is graph
    b, x = _start()
    y = b.conv(x, 4, (1, 1), Conv2DAttributes(fused_activation_function=Activation.RELU))
    assert _kernels(fuse(b.finish([b.pool("MAX_POOL_2D", y, HALVE)]), NAMES).graph) == ["CONV_2D+MAX_POOL_2D"]


def test_a_broadcast_add_is_no_residual() -> None:
    b, x = _start()
    graph = b.finish([b.add(b.conv(x, 4), b.pool("AVERAGE_POOL_2D", x))])
    assert fuse(graph, ["conv-add"]).graph is graph


def test_of_two_convolutions_that_are_added_the_later_one_takes_the_add() -> None:
    """The kernel stands where the ADD stood, so that the other operand exists already."""
    b, x = _start()
    graph = b.finish([b.add(b.conv(x, 4), b.conv(x, 4, (3, 3)))])
    fused = fuse(graph, NAMES).graph
    check(fused)
    assert _kernels(fused) == ["CONV_2D", "CONV_2D+ADD"]
    assert fused.ops[1].inputs[-1] == fused.ops[0].outputs[0]


@pytest.mark.parametrize("dtype", [DType.INT8, DType.FLOAT32])
def test_a_pad_is_taken_where_it_equals_same_padding_and_any_by_the_rule_for_any(dtype: DType) -> None:
    taken, left = ["PAD+CONV_2D+RELU"], ["PAD", "CONV_2D+RELU"]
    without = tuple(name for name in NAMES if name != "any-pad-conv")
    cases = (((0, 1), without, taken), ((1, 1), without, left), ((0, 1), NAMES, taken),
             ((1, 1), NAMES, taken))  # fmt: skip
    for pads, names, kernels in cases:
        b, x = _start(dtype)
        y = b.conv(b.pad(x, [(0, 0), pads, pads, (0, 0)]), 4, (3, 3), Conv2DAttributes(Padding.VALID, 2, 2))
        graph = b.finish([b.unary("RELU", y)])
        fused = fuse(graph, names).graph
        check(fused)
        assert _kernels(fused) == kernels
        dims = op_dims(fused.main, fused.ops[-1])
        assert dims is not None
        assert (dims.out_h, dims.out_w) == (4, 4)
        np.testing.assert_array_equal(
            evaluate(fused, [_values(graph)])[0], evaluate(graph, [_values(graph)])[0]
        )


def test_a_convolution_that_reads_a_variable_stays_where_it_is() -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    b.input((1, 8, 8, 4))
    graph = b.finish([b.unary("RELU", b.conv(0, 4))])
    tensors = (replace(graph.tensors[0], is_variable=True), *graph.tensors[1:])
    held = graph.with_main(replace(graph.main, tensors=tensors))
    assert fuse(graph, NAMES).graph is not graph
    assert fuse(held, NAMES).graph is held


def test_fusion_is_a_pass_too() -> None:
    result = Fusion(NAMES).apply(build("conv-add-pool-relu"))
    assert result.changed
    assert result.notes == ("conv-add-pool-relu applied 1 times",)


def test_fusing_a_fused_graph_changes_nothing() -> None:
    once = fuse(build("ic01"), NAMES).graph
    assert fuse(once, NAMES).graph is once


def test_peak_counts_outputs_to_the_end_and_inputs_from_the_start() -> None:
    b = GraphBuilder(dtype=DType.FLOAT32)
    x, late = b.input((10,)), b.input((100,), name="late")
    y = b.unary("RELU", x)
    z = b.unary("RELU", late)
    side = footprint(b.finish([y, z]).main)
    # float: x 40, late 400, y 40, z 400 B; at the second op late, y and z are alive
    assert side == FusionSide(2, 40 + 40 + 400 + 400, 840)


def test_no_rules_cost_next_to_nothing() -> None:
    graph = build("vww01")
    fuse(graph, [])
    best = min(_seconds(graph) for _ in range(5))
    assert best < 0.005  # a guard five times above the wish of 1 ms


def _seconds(graph: ModelGraph) -> float:
    start = time.perf_counter()
    fuse(graph, [])
    return time.perf_counter() - start
