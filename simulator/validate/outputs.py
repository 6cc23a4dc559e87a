"""Do two models compute the same? Both run on the same inputs, each pair in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ...graphs.ir import Tensor


def compare_outputs(before: bytes, after: bytes) -> str:
    """ "identical", "different", "refused" (the first does not run) or "ended" (the interpreter crashed).

    The process is apart because the interpreter ends it on some models.
    """
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(_compare, before, after).result()
        except BrokenProcessPool:
            return "ended"


def _compare(before: bytes, after: bytes) -> str:
    import numpy as np

    from ...errors import ModelError
    from ...graphs.tflite.read import parse_tflite
    from ..interpreter import run_tflite

    graph = parse_tflite(before)
    random = np.random.default_rng(1)
    inputs = [_values(graph.tensors[i], random) for i in graph.inputs]
    try:
        wanted = run_tflite(before, inputs)
    except ModelError:
        return "refused"
    found = run_tflite(after, inputs)
    same = len(wanted) == len(found) and all(
        a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in zip(wanted, found, strict=True)
    )
    return "identical" if same else "different"


def _values(tensor: Tensor, random: np.random.Generator) -> npt.NDArray[Any]:
    """Seeded values of the tensor's shape and type."""
    import numpy as np

    dtype = np.dtype(tensor.dtype.value)
    if dtype.kind == "f":
        return random.standard_normal(tensor.shape).astype(dtype)
    low, high = {"b": (0, 2), "i": (-100, 100), "u": (0, 200)}.get(dtype.kind, (0, 2))
    return random.integers(low, high, tensor.shape).astype(dtype)
