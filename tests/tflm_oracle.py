"""What does the tflite-micro interpreter itself allocate? Each model in its own process, for a while."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
from preflash.graphs.ir import ModelGraph
from preflash.graphs.tflite.write import write_tflite

_SECONDS = 30
_CHILD = """
import sys
from tflite_micro.python.tflite_micro import runtime
data = open(sys.argv[1], "rb").read()
one = runtime.Interpreter.from_bytes(data, arena_size=int(sys.argv[2]))
one.print_allocations()
"""
_LINE = re.compile(r"\] (.+?) used (\d+) bytes .*requested (\d+) bytes for (\d+)")
_WHOLE = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")


@dataclass(frozen=True, slots=True)
class Recording:
    """What the recording allocator prints: whole parts, and (used, requested, how many) per category."""

    head_bytes: int
    tail_bytes: int
    categories: dict[str, tuple[int, int, int]]
    refusal: str = ""

    def requested_bytes(self, category: str) -> int:
        return self.categories.get(category, (0, 0, 0))[1]


def need_oracle() -> None:
    """Skip where there is no tflite-micro wheel."""
    if find_spec("tflite_micro") is None:
        pytest.skip("tflite-micro is not installed: it is the oracle, a wheel for Linux on x86-64")


def record(graphs: Sequence[ModelGraph], arena_bytes: int = 1 << 20) -> list[Recording]:
    """Load every graph in a process of its own, two at a time."""
    need_oracle()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        paths = [Path(folder) / f"{i}.tflite" for i in range(len(graphs))]
        for graph, path in zip(graphs, paths, strict=True):
            write_tflite(graph, path)
        return list(pool.map(lambda path: _run(path, arena_bytes), paths))


def _run(path: Path, arena_bytes: int) -> Recording:
    command = [sys.executable, "-c", _CHILD, str(path), str(arena_bytes)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Recording(0, 0, {}, f"no answer within {_SECONDS} s")
    if run.returncode:
        return Recording(0, 0, {}, run.stderr[-400:] or f"ended with {run.returncode}")
    printed = run.stdout + run.stderr
    whole = {name: int(size) for name, size in _WHOLE.findall(printed)}
    found = {name.strip("'"): (int(u), int(r), int(n)) for name, u, r, n in _LINE.findall(printed)}
    return Recording(whole["head"], whole["tail"], found)
