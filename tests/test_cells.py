"""Generated cells: what they consist of, and that TFLite runs them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from preflash.graphs.cells import branches_by_breadth, darts_cells, nasnet_cells, randomly_wired
from preflash.graphs.check import check
from preflash.graphs.ir import ModelGraph
from preflash.graphs.tflite.write import write_tflite
from preflash.simulator.interpreter import run_tflite

CELLS = [branches_by_breadth(3), darts_cells(1), nasnet_cells(1), randomly_wired(8)]


@pytest.mark.parametrize("graph", CELLS, ids=lambda graph: graph.name)
def test_they_are_valid_and_tflite_runs_them(graph: ModelGraph) -> None:
    check(graph)
    rng = np.random.default_rng(0)
    (found,) = run_tflite(write_tflite(graph), [rng.integers(-128, 128, (1, 16, 16, 3)).astype(np.int8)])
    assert found.shape == (1, 10)
    assert found.astype(int).sum() + 128 * 10 == pytest.approx(256, abs=10)  # softmax: 1 in steps of 1/256


def test_a_nasnet_cell_has_five_sums_and_joins_six_parts() -> None:
    """Separable convolutions: 3 of 3 x 3 and 2 of 5 x 5; 3 average pools; the identities cost no op."""
    graph = nasnet_cells(1)
    kinds = Counter(op.kind for op in graph.ops)
    assert (kinds["ADD"], kinds["DEPTHWISE_CONV_2D"], kinds["CONCATENATION"]) == (5, 5, 1)
    assert kinds["AVERAGE_POOL_2D"] == 3 + 1  # and the head's


def test_a_darts_cell_has_four_sums_and_joins_four_parts() -> None:
    """Five separable convolutions of two depthwise each, and one of one (dilated in the paper)."""
    kinds = Counter(op.kind for op in darts_cells(1).ops)
    assert (kinds["ADD"], kinds["DEPTHWISE_CONV_2D"], kinds["CONCATENATION"]) == (4, 11, 1)


def test_the_wiring_follows_from_the_seed() -> None:
    def kinds(seed: int) -> list[tuple[int, ...]]:
        return [op.producers for op in randomly_wired(10, seed=seed).ops]

    assert kinds(1) == kinds(1) != kinds(2)


def test_branches_are_written_stage_by_stage() -> None:
    kinds = [op.kind for op in branches_by_breadth(2).ops]
    conv, depthwise = "CONV_2D", "DEPTHWISE_CONV_2D"
    assert kinds[:7] == [conv, conv, conv, depthwise, depthwise, conv, conv]
