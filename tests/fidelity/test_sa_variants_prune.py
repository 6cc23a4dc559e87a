"""Do pruning, schedules and spread bear out SA-01 to SA-05, SA-09, SA-10, SA-25 of specs/techniques.md?"""

from __future__ import annotations

from dataclasses import replace
from math import log, log2, log10

import numpy as np
import pytest
from preflash.graphs.ir import ModelGraph
from preflash.graphs.tflite.read import parse_tflite, read_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.prune import Prune
from preflash.graphs.variants.prune_masks import granularity_of, kept_mask
from preflash.graphs.variants.prune_shares import heuristic_alpha, heuristic_shares
from preflash.graphs.variants.published import PUBLISHED_SPARSITY, PUBLISHED_SPARSITY_SOURCE
from preflash.graphs.variants.schedules import Schedule, sparsity_at
from preflash.graphs.variants.weights import with_tensors
from preflash.graphs.variants.zeros import sparsity_of
from preflash.graphs.zoo import build
from shared_data import shared_dir

COUNTS = [864, 2048, 8192, 131072, 1048576]


@pytest.fixture(scope="module")
def mobilenet() -> ModelGraph:
    """MobileNetV1 1.0, 224, ImageNet."""
    return build("mobilenet-v1", dtype="float32")


# SA-01, SA-02: Zhu and Gupta's schedule ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("final", "values"),
    [
        (0.8, (0, 0.2168, 0.4625, 0.7, 0.7875, 0.7992, 0.8)),
        (0.5, (0, 0.1355, 0.2891, 0.4375, 0.4922, 0.4995, 0.5)),
    ],
)  # fmt: skip
def test_sa01_the_cubic_schedule_has_the_published_values(final: float, values: tuple[float, ...]) -> None:
    schedule = Schedule(final, begin=1000, end=2000)
    steps = (1000, 1100, 1250, 1500, 1750, 1900, 2000)
    assert [schedule.at(step) for step in steps] == pytest.approx(values, abs=1e-4)


def test_sa02_it_rises_from_the_initial_sparsity_and_arrives_flat() -> None:
    xs = np.linspace(0, 1, 1001)
    values = np.array([sparsity_at(0.1, 0.8, x=float(x)) for x in xs])
    assert values[0] == 0.1 and values[-1] == 0.8
    assert (np.diff(values) >= 0).all()
    assert (0.8 - sparsity_at(0.1, 0.8, x=1 - 1e-4)) / 1e-4 < 1e-6


# SA-03: what stays of MobileNetV1 ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sparsity", "computed", "printed"),
    [(0.5, 2.127, 2.13), (0.75, 1.086, 1.09), (0.9, 0.461, 0.46), (0.95, 0.253, 0.25)],
)
def test_sa03_non_zero_weights_of_mobilenet_v1(
    mobilenet: ModelGraph, sparsity: float, computed: float, printed: float
) -> None:
    """All but depthwise weights are pruned: 0.0447 M + 4.165 M x (1 - s), within 1 % and to print."""
    zeros = sparsity_of(Prune(sparsity, first=True).apply(mobilenet, Given()))
    left = (zeros.count - zeros.zeros) / 1e6
    assert left == pytest.approx(computed, rel=0.01)
    assert round(left, 2) == pytest.approx(printed, abs=0.005)


def test_sa03_the_heuristic_prunes_as_many_weights_as_the_uniform_rule(mobilenet: ModelGraph) -> None:
    uniform, heuristic = (
        sparsity_of(Prune(0.9, distribution=rule, first=True).apply(mobilenet, Given())).zeros
        for rule in ("uniform", "heuristic")
    )
    assert abs(uniform - heuristic) <= 15  # one weight per tensor of rounding


# SA-04, SA-05: PocketFlow's heuristic ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mean", "shares"),
    [(0.5, (0.2489, 0.2806, 0.3317, 0.4337, 0.5102)), (0.95, (0.4728, 0.5332, 0.6301, 0.8240, 0.9695))],
)
def test_sa04_heuristic_shares_as_worked_in_the_specification(mean: float, shares: tuple[float, ...]) -> None:
    found = heuristic_shares(COUNTS, mean)
    assert found == pytest.approx(shares, abs=1e-4)
    assert np.dot(found, COUNTS) / sum(COUNTS) == pytest.approx(mean, abs=1e-9)


def test_sa04_alpha() -> None:
    assert heuristic_alpha(COUNTS, 0.5) == pytest.approx(0.036806, abs=1e-6)


def test_sa04_above_one_the_rest_goes_to_the_others() -> None:
    """At 0.99 alpha would take 1.0102 of the largest tensor."""
    assert heuristic_alpha(COUNTS, 0.99) * log(COUNTS[-1]) > 1
    found = heuristic_shares(COUNTS, 0.99)
    assert found[-1] == 1.0 and max(found[:-1]) < 1
    assert np.dot(found, COUNTS) / sum(COUNTS) == pytest.approx(0.99, abs=1e-9)


def test_sa05_any_base_of_the_logarithm_gives_the_same() -> None:
    for logarithm in (log2, log10):
        alpha = 0.5 * sum(COUNTS) / sum(n * logarithm(n) for n in COUNTS)
        assert heuristic_shares(COUNTS, 0.5) == pytest.approx(
            [alpha * logarithm(n) for n in COUNTS], abs=1e-12
        )


# SA-09: quoted, never predicted ------------------------------------------------------------------------


def test_sa09_published_accuracies_fall_from_dense_to_half_to_two_of_four() -> None:
    assert len(PUBLISHED_SPARSITY) == 4 and "tensorflow.org" in PUBLISHED_SPARSITY_SOURCE
    assert all(1 > row.dense >= row.half_anywhere >= row.two_of_four > 0.5 for row in PUBLISHED_SPARSITY)


# SA-10: strides within kernels -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kernel", "stride", "sparsity"),
    [((4, 4), 2, 0.5), ((4, 4), 4, 0.75), ((2, 4), 2, 0.5), ((2, 4), 4, 0.75)],
)
def test_sa10_a_stride_that_divides_the_kernel_leaves_one_in_so_many(
    kernel: tuple[int, int], stride: int, sparsity: float
) -> None:
    weights = np.random.default_rng(0).random((16, *kernel, 8), np.float32)
    kept = kept_mask(weights, granularity_of(f"stride-{stride}"))
    assert 1 - kept.mean() == sparsity


def test_sa10_of_25_taps_at_stride_2_offset_0_leaves_48_percent_zeros() -> None:
    """1 - ceil((25 - offset) / 2) / 25: 0.48 at offset 0, 0.52 at offset 1."""
    for offset, sparsity in ((0, 0.48), (1, 0.52)):
        weights = np.full((1, 25, 4), 0.01, np.float32)
        weights[:, offset::2] = 1
        kept = kept_mask(weights.reshape(1, 5, 5, 4), granularity_of("stride-2"))
        assert 1 - kept.mean() == pytest.approx(sparsity, abs=1e-12)


# SA-25: a raw file does not shrink ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["kws_ref_model", "vww_96_int8", "pretrainedResnet_quant", "mobilenet_v1_0.25_128_quant"]
)
def test_sa25_a_pruned_file_is_as_long_as_the_model_it_came_from(name: str) -> None:
    """Every constant takes as many bytes as before; the file grows by our own metadata entry alone."""
    path = shared_dir() / "models" / f"{name}.tflite"
    if not path.is_file():
        pytest.skip(f"no {path.name}")
    graph = read_tflite(path)
    pruned = Prune(0.5, skip=()).apply(graph, Given())
    plain = with_tensors(pruned, [replace(t, form=None) for t in pruned.tensors])
    assert [t.stored_bytes for t in pruned.tensors] == [t.stored_bytes for t in graph.tensors]
    assert len(write_tflite(plain)) == len(write_tflite(graph))
    again = parse_tflite(write_tflite(pruned))
    assert sparsity_of(again) == sparsity_of(pruned)
    assert again.metadata == graph.metadata
