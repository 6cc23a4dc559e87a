"""Measured accuracy, comparisons and divergence on small models built in code."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from accuracy_models import autoencoder, classifier, inputs, two_inputs
from preflash.devices.catalog import load_runtime, runtime_names
from preflash.errors import DataInvalid
from preflash.graphs.build import GraphBuilder
from preflash.graphs.dtype import DType
from preflash.graphs.ir import ModelGraph, wire
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.weights import changed, real_values, weights, with_tensors
from preflash.simulator.accuracy.divergence import agreement, divergence, matched, sqnr_db
from preflash.simulator.accuracy.kernels import KERNELS, kernels_for, kernels_that_ran
from preflash.simulator.accuracy.measure import compare, measure, scorer
from preflash.simulator.accuracy.outputs import Way, model_of, outputs_of
from preflash.simulator.accuracy.samples import Samples
from preflash.simulator.interval import Basis

FRESH = Way(use_cache=False)


def labelled(graph: ModelGraph, count: int, wrong: int = 0) -> Samples:
    """Labels are what the model says, but for the first `wrong`."""
    samples = Samples((inputs(count)[:, None],))
    said = outputs_of(model_of(graph), samples, FRESH).reals[0].reshape(count, -1).argmax(axis=1)
    said[:wrong] = (said[:wrong] + 1) % 4
    return replace(samples, labels=said)


def disturbed(graph: ModelGraph, which: int, scale: float) -> ModelGraph:
    """Noise on one of the model's weights."""
    tensor = graph.tensors[weights(graph)[which].tensor]
    noise = np.random.default_rng(2).standard_normal(tensor.shape) * scale
    return with_tensors(graph, [changed(tensor, real_values(tensor) + noise, None)])


@pytest.mark.parametrize("as_bytes", [True, False])
def test_top1_counts_the_hits(as_bytes: bool) -> None:
    graph = classifier(DType.INT8)
    found = measure(write_tflite(graph) if as_bytes else graph, labelled(graph, 50, wrong=5), way=FRESH)
    assert (found.metric.name, found.value, found.n) == ("top1", 0.9, 50)
    # 2 * 45 + 3.8415 ± 1.96 sqrt(3.8415 + 180 (0.1)) over 2 (53.8415)
    assert (found.lo, found.hi) == pytest.approx((0.7864, 0.9565), abs=1e-4)
    assert found.kernels.name == "reference" and "Wilson" in found.method
    assert found.scores.sum() == 45 and len(found.predictions) == 50


def test_the_figure_for_reports_is_p10_to_p90_and_measured() -> None:
    graph = classifier()
    found = measure(graph, labelled(graph, 50, wrong=5), way=FRESH)
    figure = found.figure
    assert figure.value == 0.9 and figure.basis is Basis.MEASURED
    assert figure.lo is not None and figure.hi is not None
    assert found.lo < figure.lo < 0.9 < figure.hi < found.hi
    assumed = measure(graph, labelled(graph, 50), kernels=kernels_for(load_runtime("tflm-esp-nn")), way=FRESH)
    assert assumed.figure.basis is Basis.ANALYTIC


def test_a_worse_model_is_told_from_its_baseline() -> None:
    graph = classifier()
    samples = labelled(graph, 200)
    other = measure(disturbed(graph, 0, 3.0), samples, way=FRESH)
    base = measure(graph, samples, way=FRESH)
    found = compare(other, base)
    assert base.value == 1 and found.value == pytest.approx(other.value - 1) and found.value < -0.1
    assert found.is_significant and found.hi < 0 and found.gained == 0
    assert compare(base, base).p == 1


def test_only_like_is_compared_with_like() -> None:
    graph = classifier()
    a = measure(graph, labelled(graph, 20), way=FRESH)
    b = measure(graph, labelled(graph, 30), way=FRESH)
    with pytest.raises(DataInvalid, match="different metrics or samples"):
        compare(a, b)
    with pytest.raises(DataInvalid, match="different metrics or samples"):
        compare(a, measure(graph, labelled(graph, 20), "top2", way=FRESH))


def test_an_autoencoders_auc_is_of_its_reconstruction_error() -> None:
    x = inputs(40, (6,))
    samples = Samples((x[:, None],), labels=np.arange(40) % 2)
    reals = outputs_of(model_of(autoencoder()), samples, FRESH).reals[0].reshape(40, 6)
    errors = ((reals - x) ** 2).mean(axis=1)
    pairs = errors[1::2][:, None] - errors[::2][None, :]
    found = measure(autoencoder(), samples, "auc-reconstruction", way=FRESH)
    assert found.value == pytest.approx((pairs > 0).mean(), abs=1e-9)
    grouped = replace(samples, groups=np.arange(40) // 4 * 2 + np.arange(40) % 2)
    assert measure(autoencoder(), grouped, "auc-reconstruction", way=FRESH).n == 20


def test_a_mean_square_error_is_better_when_lower() -> None:
    a, b = inputs(30, (1, 4)), inputs(30, (1, 4), seed=2)
    samples = Samples((a, b), labels=(a + b + 0.5).reshape(30, 4))
    found = measure(two_inputs(), samples, way=FRESH)
    assert found.metric.name == "mse" and found.value == pytest.approx(0.25, rel=1e-5)
    assert found.keeps(0.3) and not found.keeps(0.2)


def test_a_scorer_gives_variants_their_accuracy() -> None:
    graph = classifier()
    score = scorer(labelled(graph, 40, wrong=10), way=FRESH)
    assert score(graph) == 0.75
    assert score(disturbed(graph, 0, 5.0)) < 0.75


def test_a_scorer_needs_labels_and_a_metric_where_more_is_better() -> None:
    graph = classifier()
    with pytest.raises(DataInvalid, match="no labels"):
        scorer(Samples((inputs(3)[:, None],)))
    with pytest.raises(DataInvalid, match="better when higher"):
        scorer(labelled(graph, 3), metric="mse")
    with pytest.raises(DataInvalid, match="no class ids"):
        scorer(Samples((inputs(3)[:, None],), labels=np.ones((3, 4)) / 4), way=FRESH)(graph)


def test_without_labels_two_models_agree_or_not() -> None:
    graph = classifier()
    samples = Samples((inputs(100)[:, None],))
    one, other = (outputs_of(model_of(g), samples, FRESH) for g in (graph, disturbed(graph, 0, 0.3)))
    same = agreement(one, one)
    assert (same.value, same.n, same.sqnr_db) == (1.0, 100, (inf,))
    found = agreement(other, one)
    a, b = one.reals[0].reshape(100, 4), other.reals[0].reshape(100, 4)
    assert found.value == (a.argmax(1) == b.argmax(1)).mean()
    assert found.sqnr_db[0] == pytest.approx(10 * np.log10((a**2).sum() / ((a - b) ** 2).sum()))


def test_the_first_op_that_diverges_is_the_one_that_was_disturbed() -> None:
    graph = classifier()
    samples = Samples((inputs(20)[:, None],))
    for which, kind in enumerate(("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")):
        other = disturbed(graph, which, 2.0)
        found = divergence(model_of(other), model_of(graph), samples, FRESH)
        assert found.first is not None and found.first.kind == kind
        assert len(found.tensors) == len(graph.ops) and found.unmatched == ()
        before = [t for t in found.tensors if t.op < found.first.op]
        assert all(t.sqnr_db == inf and t.largest_error == 0 for t in before)


def test_equal_models_do_not_diverge() -> None:
    found = divergence(model_of(classifier()), model_of(classifier()), labelled(classifier(), 5), FRESH)
    assert found.first is None and {t.sqnr_db for t in found.tensors} == {inf}


def test_an_integer_twin_is_matched_op_by_op_and_close() -> None:
    whole, samples = classifier(DType.INT8), Samples((inputs(20)[:, None] / 4,))
    found = divergence(model_of(whole), model_of(classifier()), samples, FRESH)
    assert [t.kind for t in found.tensors] == [op.kind for op in whole.ops]
    assert all(8 < t.sqnr_db < 80 for t in found.tensors)


def test_ops_without_names_are_matched_by_their_order_and_ops_that_only_convert_are_not() -> None:
    def network(*, doubled: bool) -> ModelGraph:
        b = GraphBuilder("n", dtype=DType.FLOAT32)
        x = b.conv(b.input((1, 4, 4, 2)), 3)
        x = b.unary("ABS", x) if doubled else x
        graph = b.finish([b.conv(x, 5)])
        bare = [replace(t, name="") for t in graph.tensors]
        return graph.with_main(wire(bare, graph.ops, inputs=graph.inputs, outputs=graph.outputs))

    one, other = network(doubled=True), network(doubled=False)
    pairs = matched(one, other)
    assert [(one.tensors[a].shape, other.tensors[b].shape) for a, b in pairs] == [
        ((1, 4, 4, 3), (1, 4, 4, 3)), ((1, 4, 4, 5), (1, 4, 4, 5)),
    ]  # fmt: skip
    samples = Samples((inputs(3, (1, 4, 4, 2)),))
    assert divergence(model_of(one), model_of(other), samples, FRESH).unmatched == (1,)


def test_a_ratio_is_in_decibels() -> None:
    assert sqnr_db(1000.0, 1.0) == pytest.approx(30)
    assert sqnr_db(0.0, 1.0) < -200


@pytest.mark.parametrize("name", runtime_names())
def test_every_runtime_has_kernels_that_stand_for_it(name: str) -> None:
    found = kernels_for(load_runtime(name))
    assert found.name in KERNELS and found.why and found.basis in (Basis.MEASURED, Basis.ANALYTIC)


@pytest.mark.parametrize(
    ("runtime", "kernels"),
    [("tflm-cmsis-nn", "reference"), ("tflm-reference", "reference"), ("x-cube-ai@8.1", "xnnpack"),
     ("litert-xnnpack", "xnnpack"), ("litert-builtin", "builtin")],
)  # fmt: skip
def test_the_kernels_are_those_whose_outputs_boards_gave(runtime: str, kernels: str) -> None:
    assert kernels_for(load_runtime(runtime)).name == kernels


def test_xnnpack_that_took_no_op_does_not_stand_for_a_board() -> None:
    asked = kernels_for(load_runtime("x-cube-ai"))
    assert kernels_that_ran(asked, "") is asked and asked.basis is Basis.MEASURED
    ran = kernels_that_ran(asked, "took none of the model's ops")
    assert (ran.name, ran.basis) == ("builtin", Basis.ANALYTIC)


def test_kernels_can_be_asked_for_by_name() -> None:
    assert kernels_for(load_runtime("x-cube-ai"), "tflm").name == "tflm"
    with pytest.raises(DataInvalid, match="known: reference"):
        kernels_for(None, "fast")
