"""The zoo's networks make the kernel table of the published files: rows are fitted with them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from preflash.devices.catalog import load_target
from preflash.graphs.ir import ModelGraph
from preflash.graphs.passes.live_channels import without_dead_channels
from preflash.graphs.tflite.read import read_tflite
from preflash.graphs.zoo import build
from preflash.simulator.work_graph import work_graph
from preflash.simulator.workload import compile_table
from shared_data import shared_dir

EXTENTS = ("batch", "in_h", "in_w", "in_c", "out_h", "out_w", "out_c", "k_h", "k_w", "filter_c", "row_taps",
           "col_taps")  # fmt: skip


def as_it_is(graph: ModelGraph) -> ModelGraph:
    return graph


@pytest.mark.parametrize("runtime", ["tflm-cmsis-nn", "x-cube-ai@7.3"])
@pytest.mark.parametrize(
    ("name", "file", "changed"),
    [
        ("kws01", "kws_ref_model", as_it_is),
        ("vww01", "vww_96_int8", as_it_is),
        ("vww01-live", "vww_96_int8", without_dead_channels),
        ("ic01", "pretrainedResnet_quant", as_it_is),
        ("ad01", "model_ToyCar_quant_fullint_micro_intio", as_it_is),
        ("sww01", "str_ww_ref_model", as_it_is),
        ("person-detect", "person_detect", as_it_is),
    ],
)
def test_a_network_of_the_zoo_has_the_kernel_table_of_the_published_file(
    name: str, file: str, changed: Callable[[ModelGraph], ModelGraph], runtime: str
) -> None:
    target = load_target("nucleo-l4r5zi", runtime)
    published = changed(read_tflite(shared_dir() / "models" / f"{file}.tflite"))
    made, read = (
        compile_table(work_graph(graph, target), target.kernels) for graph in (build(name), published)
    )
    assert [op.kind for op in made.ops] == [op.kind for op in read.ops]
    assert made.choices == read.choices
    np.testing.assert_array_equal(made.macs, read.macs)
    np.testing.assert_array_equal(made.filter_bytes, read.filter_bytes)
    np.testing.assert_array_equal(made.weight_bytes, read.weight_bytes)
    single = (read.extents.out_h == 1) & (read.extents.out_w == 1)  # no second position to stride to
    for strides in ("stride_h", "stride_w"):
        own, theirs = getattr(made.extents, strides), getattr(read.extents, strides)
        np.testing.assert_array_equal(own[~single], theirs[~single], strides)
    for extent in EXTENTS:
        np.testing.assert_array_equal(getattr(made.extents, extent), getattr(read.extents, extent), extent)
