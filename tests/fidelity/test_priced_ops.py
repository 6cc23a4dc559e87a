"""Every op of the shared models has a price, or a reason of a short list why nobody can name one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from preflash.devices.catalog import load_target
from preflash.errors import PreflashError
from preflash.graphs.tflite.read import read_tflite
from preflash.simulator.columns import UNSIZED
from preflash.simulator.kernels.reference import UNPRICED
from preflash.simulator.latency import kernel_cycles
from preflash.simulator.workload import compile_table
from shared_data import shared_models


def test_only_open_shapes_control_flow_and_custom_ops_are_without_a_price() -> None:
    models = shared_models()
    if not models:
        pytest.skip("no shared models; set PREFLASH_SHARED")
    target = load_target("nucleo-l4r5zi", runtime="tflm-cmsis-nn")
    named = {UNSIZED, *UNPRICED.values()}
    count, silent = 0, Counter[str]()
    for path in models:
        try:
            graph = read_tflite(path)
        except PreflashError:  # some of the files are broken on purpose
            continue
        table = compile_table(graph, target.kernels)
        cycles = kernel_cycles(table, target)
        count += len(table)
        for row in np.flatnonzero(np.isnan(cycles.value)):
            if table.ops[row].kind != "CUSTOM" and cycles.reason[row] not in named:
                silent[f"{table.ops[row].kind}: {cycles.reason[row]}"] += 1
    assert count > 3000
    assert not silent
