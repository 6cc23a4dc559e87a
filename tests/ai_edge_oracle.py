"""What does ai-edge-quantizer make of a float model for the recipe of step `quantize`?

`python tests/ai_edge_oracle.py` where it is installed prints tests/fidelity/ai_edge_grids.csv anew.
"""

from __future__ import annotations

import csv
import hashlib
import sys
import tempfile
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from preflash.graphs.ir import DType, ModelGraph, Signature, Tensor
from preflash.graphs.tflite.read import parse_tflite, read_tflite
from preflash.graphs.tflite.write import write_tflite
from shared_data import shared_dir

# Float models, and the range of the noise that calibrates them. model_ToyCar is left out: version 0.10.0
# writes int8 biases for its dense ops, which LiteRT refuses.
MODELS = {
    "pretrainedResnet": (0.0, 255.0), "pretrainedResnet_large_float": (0.0, 255.0),
    "vww_96_float": (0.0, 1.0),
}  # fmt: skip
COLUMNS = ("model", "tensor", "channels", "scale", "zero_point", "values_sha256")


def noise(name: str, count: int = 16) -> np.ndarray:
    """Seeded samples for a model, (samples, *shape)."""
    graph = read_tflite(shared_dir() / "models" / f"{name}.tflite")
    low, high = MODELS[name]
    shape = (count, *graph.tensors[graph.inputs[0]].shape)
    return np.random.default_rng(7).uniform(low, high, shape).astype(np.float32)


def need_ai_edge_quantizer() -> None:
    if find_spec("ai_edge_quantizer") is None:
        pytest.skip("ai-edge-quantizer is not installed: pip install ai-edge-quantizer ai-edge-litert")


def quantized_by_ai_edge(graph: ModelGraph, samples: np.ndarray) -> bytes:
    """Static int8 (wi8_ai8), ranges from the lowest and highest value of all samples."""
    from ai_edge_quantizer import calibrator, quantizer, recipe, recipe_manager
    from ai_edge_quantizer.utils import qsv_utils

    inputs = tuple((f"x{n}", t) for n, t in enumerate(graph.inputs))
    outputs = tuple((f"y{n}", t) for n, t in enumerate(graph.outputs))
    signed = replace(graph, signatures=(Signature("serving_default", 0, inputs, outputs),))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.tflite"
        path.write_bytes(write_tflite(signed))
        whole = quantizer.Quantizer(str(path), recipe.static_wi8_ai8())
        manager = recipe_manager.RecipeManager()
        manager.load_quantization_recipe(whole.get_quantization_recipe())
        seen = calibrator.Calibrator(str(path), qsv_update_func=qsv_utils.min_max_update)
        seen.calibrate({"serving_default": [{"x0": one} for one in samples]}, manager)
        result = whole.quantize(seen.get_model_qsvs(), enable_progress_report=False)
        return bytes(result.quantized_model)


def grid_rows(model: str, graph: ModelGraph) -> list[dict[str, str]]:
    """Per int8 tensor: channels, largest scale, zero point, and a hash of the values of constants."""
    return [_row(model, t) for t in graph.tensors if t.dtype is DType.INT8 and t.quantization is not None]


def _row(model: str, tensor: Tensor) -> dict[str, str]:
    q = tensor.quantization
    assert q is not None
    stored = "" if tensor.data is None else hashlib.sha256(bytes(tensor.data)).hexdigest()[:16]
    live = q.scales[q.scales < 0.5 * np.finfo(np.float32).max]
    values = (model, tensor.name, str(len(q.scales)), f"{live.max():.9g}", str(int(q.zero_points[0])), stored)
    return dict(zip(COLUMNS, values, strict=True))


def _print_recorded() -> None:
    tool = f"ai-edge-quantizer {version('ai-edge-quantizer')}"
    print(f"# {tool}, static_wi8_ai8, min and max of 16 samples of noise")
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for name in MODELS:
        graph = read_tflite(shared_dir() / "models" / f"{name}.tflite")
        writer.writerows(grid_rows(name, parse_tflite(quantized_by_ai_edge(graph, noise(name)))))


if __name__ == "__main__":
    _print_recorded()
