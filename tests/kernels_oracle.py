"""What do the interpreters' own kernels compute? Every model in a fork: a crash is an answer too."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

_SECONDS = 120
# kernels -> what they are
KERNELS = {"reference": "BUILTIN_REF", "default": "AUTO", "micro": ""}
_CHILD = """
import os, sys
import numpy as np
folder, kernels, resolver = sys.argv[1:4]
if resolver:
    try:
        from tflite_runtime import interpreter as lite
    except ImportError:
        from ai_edge_litert import interpreter as lite
else:
    from tflite_micro.python.tflite_micro import runtime

def runner(data):
    if not resolver:
        one = runtime.Interpreter.from_bytes(data, arena_size=1 << 22)
        def run(inputs):
            for n, x in enumerate(inputs):
                one.set_input(x, n)
            one.invoke()
            return one.get_output(0)
        return run
    one = lite.Interpreter(model_content=data, num_threads=1,
        experimental_op_resolver_type=lite.OpResolverType[resolver])
    one.allocate_tensors()
    places = [detail["index"] for detail in one.get_input_details()]
    end = one.get_output_details()[0]["index"]
    def run(inputs):
        for place, x in zip(places, inputs):
            one.set_tensor(place, x)
        one.invoke()
        return one.get_tensor(end)
    return run

for name in sorted(n[:-7] for n in os.listdir(folder) if n.endswith(".tflite")):
    if os.fork() == 0:
        base = os.path.join(folder, name)
        try:
            given = np.load(base + ".npz")
            batches = [given[f"x{n}"] for n in range(len(given.files))]
            run = runner(open(base + ".tflite", "rb").read())
            np.save(f"{base}.{kernels}.npy", np.stack([np.array(run(one)) for one in zip(*batches)]))
        except Exception as error:
            open(f"{base}.{kernels}.txt", "w").write(str(error)[:300])
        os._exit(0)
    os.wait()
"""

Samples = Sequence[np.ndarray]  # per model input (samples, *shape)


def need_kernels(kernels: str) -> None:
    if kernels == "micro" and find_spec("tflite_micro") is None:
        pytest.skip("tflite-micro is not installed: it is the oracle, a wheel for Linux on x86-64")


def computed(models: Mapping[str, tuple[bytes, Samples]], kernels: str) -> dict[str, np.ndarray | str]:
    """Name -> the first output for every sample; or what the interpreter said where it refused or crashed."""
    need_kernels(kernels)
    with tempfile.TemporaryDirectory() as folder:
        for name, (data, samples) in models.items():
            Path(folder, f"{name}.tflite").write_bytes(data)
            np.savez(Path(folder, f"{name}.npz"), **{f"x{n}": one for n, one in enumerate(samples)})
        command = [sys.executable, "-c", _CHILD, folder, kernels, KERNELS[kernels]]
        run = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        assert run.returncode == 0, run.stderr[-400:]
        return {name: _answer(Path(folder, f"{name}.{kernels}")) for name in models}


def _answer(base: Path) -> np.ndarray | str:
    found, said = base.with_name(base.name + ".npy"), base.with_name(base.name + ".txt")
    if found.exists():
        answer: np.ndarray = np.load(found)
        return answer
    return said.read_text() if said.exists() else "the process ended"
