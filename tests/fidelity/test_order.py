"""Reordered models in the runtimes themselves: TFLM's own head and outputs, TFLite's outputs."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from preflash.devices.target import KernelBuild
from preflash.graphs.cells import branches_by_breadth, darts_cells, nasnet_cells, randomly_wired
from preflash.graphs.ir import ModelGraph
from preflash.graphs.reorder import bound_to_order, must_precede, reordered
from preflash.graphs.tflite.read import parse_tflite, read_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.simulator.memory.order.study import study_order
from preflash.simulator.memory.plan import plan_tflm
from preflash.simulator.validate.facts import Facts
from preflash.simulator.validate.order import order_table
from shared_data import shared_csv, shared_dir

HOST = KernelBuild("reference", "", "host64")

# Prints the allocations of each model and a digest of its outputs after two invocations (states show).
_CHILD = """
import hashlib, sys
import numpy as np
from tflite_micro.python.tflite_micro import runtime

for word in sys.argv[1:]:
    path, inputs, outputs = word.rsplit(",", 2)
    interpreter = runtime.Interpreter.from_file(path, arena_size=1 << 27)
    interpreter.print_allocations()
    rng, digest = np.random.default_rng(2), hashlib.sha256()
    for _ in range(2):
        for index in range(int(inputs)):
            detail = interpreter.get_input_details(index)
            dtype, shape = np.dtype(detail["dtype"]), tuple(detail["shape"])
            value = rng.standard_normal(shape) if dtype.kind == "f" else rng.integers(0, 2, shape)
            interpreter.set_input(value.astype(dtype), index)
        interpreter.invoke()
        for index in range(int(outputs)):
            digest.update(np.ascontiguousarray(interpreter.get_output(index)).tobytes())
    print("digest", digest.hexdigest(), flush=True)
"""


def recorded(graphs: list[ModelGraph], folder: Path) -> list[tuple[int, str]]:
    """(head bytes, digest of the outputs) of each model in the tflite-micro interpreter."""
    words = []
    for n, graph in enumerate(graphs):
        write_tflite(graph, folder / f"{n}.tflite")
        words.append(f"{folder / f'{n}.tflite'},{len(graph.inputs)},{len(graph.outputs)}")
    pytest.importorskip("tflite_micro")
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False, errors="replace",
    )  # fmt: skip
    heads = [int(n) for n in re.findall(r"Arena allocation head (\d+) bytes", child.stdout)]
    digests = re.findall(r"^digest (\w+)$", child.stdout, re.M)
    assert len(heads) == len(digests) == len(graphs), child.stdout[-2000:]
    return list(zip(heads, digests, strict=True))


def any_order(graph: ModelGraph, seed: int) -> tuple[int, ...]:
    """A random order that may run."""
    pick, before = random.Random(seed), must_precede(graph)
    order: list[int] = []
    while len(order) < len(before):
        order.append(pick.choice([
            op for op, needs in enumerate(before) if op not in order and all(n in order for n in needs)
        ]))  # fmt: skip
    return tuple(order)


def shuffled_models() -> list[tuple[ModelGraph, ModelGraph]]:
    """Recorded models that load and can run in another order, each with one such order."""
    found = []
    for name in ("tflm_arena.csv", "tflm_arena_synthetic.csv"):
        for row in shared_csv(name):
            if row.get("loads_host", "yes") != "yes":
                continue
            graph = read_tflite(shared_dir() / "models" / row["file"])
            if bound_to_order(graph) or len(graph.ops) > 200:
                continue
            other = reordered(graph, any_order(graph, seed=len(found)))
            if other is not graph:
                found.append((graph, other))
    return found


def test_tflm_plans_shuffled_models_as_predicted_and_computes_the_same(tmp_path: Path) -> None:
    """Random orders: stateful ops, control flow and variables included, as far as the models have them."""
    pairs = shuffled_models()
    assert len(pairs) >= 30
    graphs = [graph for pair in pairs for graph in pair]
    found = recorded(graphs, tmp_path)
    heads = [(graph.name, plan_tflm(graph, HOST).head_bytes) for graph in graphs]
    wrong = [(name, head, wanted) for (name, wanted), (head, _) in zip(heads, found, strict=True)
             if head != wanted]  # fmt: skip
    assert wrong == []
    differ = [pairs[n][0].name for n in range(len(pairs)) if found[2 * n][1] != found[2 * n + 1][1]]
    assert differ == []


@pytest.mark.parametrize(
    "graph", [nasnet_cells(3), darts_cells(3), branches_by_breadth(), randomly_wired(12), randomly_wired(32)],
    ids=lambda graph: graph.name,
)  # fmt: skip
def test_tflm_itself_needs_less_by_what_was_promised(graph: ModelGraph, tmp_path: Path) -> None:
    study = study_order(graph, lambda one: plan_tflm(one, HOST))
    other = reordered(graph, study.order)
    (before, same), (after, found) = recorded([graph, other], tmp_path)
    assert (before, after) == (plan_tflm(graph, HOST).head_bytes, plan_tflm(other, HOST).head_bytes)
    assert plan_tflm(parse_tflite(write_tflite(other)), HOST).min_bytes == study.arena_after_bytes
    assert before - after >= study.gained_bytes - 64 > 0  # the rest is the tail's alignment
    assert found == same


def test_the_table_of_promises_holds() -> None:
    table = order_table(Facts(shared_dir()))
    assert not table.is_missed, [claim for claim in table.claims if claim.is_met is False]
    assert len(table.rows) >= 10
