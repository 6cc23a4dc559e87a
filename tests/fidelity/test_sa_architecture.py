"""SA-34: a network with the same products and other element-wise ops is several times as fast on a phone.

MobileBERT on a Pixel 4 (Sun et al. 2020, table 4): 192 ms with LayerNorm and GELU, 62 ms with NoNorm and
RELU, 5.7 GFLOP both. Here: 24 blocks without the embedding, 5.3 GFLOP, float32. Nothing is fitted to these
figures.
"""

from __future__ import annotations

from functools import cache

import pytest
from preflash.devices.catalog import load_target
from preflash.graphs.ir import ModelGraph
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.recipe import parse_recipe
from preflash.simulator.simulate import simulate
from preflash.simulator.workload import op_macs
from transformer_models import Shape, mobilebert

BLOCKS = 24
PUBLISHED_MS = (192.0, 62.0)
RUNTIMES = ("litert-xnnpack", "litert-builtin", "litert-2018")


@cache
def networks() -> tuple[ModelGraph, ModelGraph]:
    """(with LayerNorm and GELU, with NoNorm and RELU)."""
    graph = mobilebert(BLOCKS, Shape())
    return graph, parse_recipe("swap-norms | swap-activations of=gelu to=relu").apply(graph, Given())


def latencies_ms(runtime: str, threads: int) -> tuple[float, float]:
    target = load_target("pixel-4", runtime, threads=threads)
    found = [simulate(graph, target).metric("latency_s").value for graph in networks()]
    assert found[0] is not None and found[1] is not None
    return found[0] * 1e3, found[1] * 1e3


def test_the_products_are_the_same_and_as_many_as_published() -> None:
    before, after = (sum(op_macs(graph.main, op) or 0 for op in graph.ops) for graph in networks())
    assert before == after
    assert 2 * before / 1e9 == pytest.approx(5.7, rel=0.08)  # the rest is the embedding's


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(("threads", "at_least"), [(1, 1.25), (4, 1.6)])
def test_the_element_wise_ops_are_a_large_part_of_the_time(
    runtime: str, threads: int, at_least: float
) -> None:
    """A price of products alone gives 1.00; published is 3.10, of which we predict about half: see below."""
    with_norms, without = latencies_ms(runtime, threads)
    assert at_least < with_norms / without < 3.10


def test_the_slow_form_is_met_and_the_fast_one_priced_too_slow() -> None:
    """TFLite's own kernels, four threads: 202 ms for 192; 115 ms for 62.

    The element-wise term is 87 ms for 130 ms (two thirds); the products are priced at twice their time.
    """
    with_norms, without = latencies_ms("litert-builtin", 4)
    assert with_norms == pytest.approx(PUBLISHED_MS[0], rel=0.15)
    published, ours = PUBLISHED_MS[0] - PUBLISHED_MS[1], with_norms - without
    assert ours == pytest.approx(published, rel=0.4)
    assert without > PUBLISHED_MS[1]
