"""What does ai-edge-quantizer make of a float model? Its file for the recipe of step `quantize`."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from preflash.graphs.ir import ModelGraph, Signature
from preflash.graphs.tflite.write import write_tflite


def need_ai_edge_quantizer() -> None:
    if find_spec("ai_edge_quantizer") is None:
        pytest.skip("ai-edge-quantizer is not installed: pip install ai-edge-quantizer ai-edge-litert")


def quantized_by_ai_edge(graph: ModelGraph, samples: np.ndarray) -> bytes:
    """Static int8: lowest and highest value of all samples; weights per channel, dense ones per tensor."""
    from ai_edge_quantizer import calibrator, qtyping, quantizer, recipe_manager
    from ai_edge_quantizer.utils import qsv_utils

    inputs = tuple((f"x{n}", t) for n, t in enumerate(graph.inputs))
    outputs = tuple((f"y{n}", t) for n, t in enumerate(graph.outputs))
    signed = replace(graph, signatures=(Signature("serving_default", 0, inputs, outputs),))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.tflite"
        path.write_bytes(write_tflite(signed))
        whole = quantizer.Quantizer(str(path))
        whole.add_static_config(".*", qtyping.TFLOperationName.ALL_SUPPORTED, 8, 8)
        manager = recipe_manager.RecipeManager()
        manager.load_quantization_recipe(whole.get_quantization_recipe())
        seen = calibrator.Calibrator(str(path), qsv_update_func=qsv_utils.min_max_update)
        seen.calibrate({"serving_default": [{"x0": one} for one in samples]}, manager)
        return bytes(whole.quantize(seen.get_model_qsvs()).quantized_model)
