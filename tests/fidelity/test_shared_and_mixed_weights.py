"""SA-22, SA-23 and SA-25: published figures of mixed precision and of weight sharing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from preflash.graphs.tflite.read import read_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.bit_widths import average_bits, bits_of, packed_weight_bytes
from preflash.graphs.variants.cluster import Cluster, clustered_bits
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.quantize_weights import QuantizeWeights
from preflash.graphs.zoo.catalogue import build
from shared_data import shared_dir


def test_mobilenet_v2_of_four_and_a_half_bits_is_1_95_mb_and_0_5625_of_int8() -> None:
    """SA-22 within 1 %: the largest tensors, first to choose, get 4 bits until the average is 4.5."""
    graph = build("mobilenet-v2")
    whole = packed_weight_bytes(graph)
    assert whole == pytest.approx(3.47e6, rel=0.01)
    widths = sorted(bits_of(graph), key=lambda one: -one.weight.count)
    reached = np.cumsum([one.weight.count for one in widths])
    few = int(np.argmin(np.abs(reached - 0.875 * whole))) + 1  # (8 - 4.5) / (8 - 4) of the weights
    chosen = tuple(str(one.weight.op) for one in widths[:few])
    result = QuantizeWeights(4, only=chosen).apply(graph, Given())
    assert average_bits(result) == pytest.approx(4.5, rel=0.01)
    assert packed_weight_bytes(result) == pytest.approx(1.95e6, rel=0.01)
    assert packed_weight_bytes(result) / whole == pytest.approx(4.5 / 8, rel=0.01)


def test_sixteen_weights_in_four_clusters_of_floats_are_3_2_times_smaller() -> None:
    """SA-23, Deep Compression's example (arXiv 1510.00149, figure 3), exact."""
    assert 16 * 32 / clustered_bits(16, 4, value_bits=32) == 3.2


@pytest.mark.parametrize("name", ["kws_ref_model", "vww_96_int8", "vww_96_float", "pretrainedResnet_quant"])
def test_a_clustered_model_is_as_long_as_before(name: str) -> None:
    """SA-25, exact, leaving out our own entry that says which weights are clustered."""
    graph = read_tflite(shared_dir() / "models" / f"{name}.tflite")
    result = Cluster(16).apply(graph, Given())
    main = result.main
    bare = result.with_main(replace(main, tensors=tuple(replace(t, form=None) for t in main.tensors)))
    assert len(write_tflite(bare)) == len(write_tflite(graph))
