"""Published float models become integer: as large as their published int8 twins, as right, and they run.

Figures are printed with `-s`.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from ai_edge_oracle import (
    MODELS,
    grid_rows,
    need_ai_edge_quantizer,
    noise,
    quantized_by_ai_edge,
)
from kernels_oracle import computed, need_kernels
from preflash.graphs.evaluate import dequantize, evaluate, quantize
from preflash.graphs.ir import DType, ModelGraph, wire
from preflash.graphs.tflite.read import parse_tflite, read_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.integer_constants import sqnr_db
from preflash.graphs.variants.quantize import Quantize, Quantized, quantized
from preflash.simulator.interpreter import interpreter_label, load_interpreter
from shared_data import shared_dir

FLOATS = ("model_ToyCar", "pretrainedResnet", "vww_96_float", "kws_ref_model_float32")
# float model, integer twin, whether the twin's ends are float
TWINS = [
    ("model_ToyCar", "model_ToyCar_quant_fullint", "float"),
    ("model_ToyCar", "model_ToyCar_quant_fullint_micro_intio", "int8"),
    ("pretrainedResnet", "pretrainedResnet_quant", "int8"),
    ("vww_96_float", "vww_96_int8", "int8"),
]
_CALIBRATED = 100  # the first samples give the ranges, the others the accuracy
_POINTS = 0.5


def shared(name: str) -> ModelGraph:
    return read_tflite(shared_dir() / "models" / f"{name}.tflite")


@cache
def converted(name: str, step: Quantize) -> Quantized:
    given = Given(samples=(keywords()[0][:_CALIBRATED],)) if name.startswith("kws") else Given()
    return quantized(shared(name), step, given)


@cache
def keywords() -> tuple[np.ndarray, np.ndarray]:
    """1000 keywords as real numbers, through the official model's input grid, and their labels."""
    held = np.load(shared_dir() / "data" / "kws01_eval1000.npz")
    official = shared("kws_ref_model")
    given = official.tensors[official.inputs[0]]
    return dequantize(given, held["x"]).astype(np.float32), held["y"]


def integers(graph: ModelGraph, reals: np.ndarray) -> np.ndarray:
    """Real numbers as the model's input takes them, one model input per first axis."""
    given = graph.tensors[graph.inputs[0]]
    shaped = reals.reshape(len(reals), *given.shape)
    return shaped.astype(np.float32) if given.dtype.is_float else quantize(given, shaped.astype(np.float64))


def bare_bytes(graph: ModelGraph, *, ranges: bool) -> int:
    """Length of the file without metadata entries, and without the ranges that converters record or with."""
    tensors = graph.tensors
    if not ranges:
        tensors = tuple(
            replace(t, recorded=None, quantization=t.quantization and replace(
                t.quantization, minimum=None, maximum=None)) for t in tensors
        )  # fmt: skip
    bare = replace(graph.with_main(replace(graph.main, tensors=tensors)), metadata=())
    return len(write_tflite(bare))


@pytest.mark.parametrize(("name", "twin", "io"), TWINS)
def test_the_integer_model_has_the_ops_and_the_size_of_its_published_twin(
    name: str, twin: str, io: str
) -> None:
    """Size: within 5 %, metadata left out; that is also what vww_96_int8 records per channel."""
    ours = converted(name, Quantize(random_samples=16, io=io)).graph
    theirs = shared(twin)
    assert [(op.kind, op.version) for op in ours.ops] == [(op.kind, op.version) for op in theirs.ops]
    types = [[graph.tensors[t].dtype for op in graph.ops for t in op.inputs] for graph in (ours, theirs)]
    assert types[0] == types[1]
    a, b, recorded = (
        bare_bytes(ours, ranges=False),
        bare_bytes(theirs, ranges=False),
        bare_bytes(theirs, ranges=True),
    )
    print(f"{name} -> {a:,} B; {twin} {b:,} B ({a / b - 1:+.2%}), or {recorded:,} B with recorded ranges")
    assert a == pytest.approx(b, rel=0.05)
    assert a == pytest.approx(recorded, rel=0.08)


VARIANTS = {
    **{ranges: Quantize(ranges=ranges) for ranges in ("minmax", "percentile", "mse", "kl")},
    "per tensor": Quantize(per_channel=False), "int16": Quantize("int16"), "weights alone": Quantize("float"),
}  # fmt: skip


@cache
def correct_pct(name: str, kernels: str) -> float:
    """Keywords told rightly, of the 900 that gave no ranges."""
    reals, labels = keywords()
    official = shared("kws_ref_model")
    if name == "official":
        graph = official
    elif name == "again":
        graph = again().graph
    else:
        graph = converted("kws_ref_model_float32", VARIANTS[name]).graph
    answer = computed({"one": (write_tflite(graph), [integers(graph, reals[_CALIBRATED:])])}, kernels)["one"]
    assert not isinstance(answer, str), answer
    return 100 * float((answer.reshape(900, -1).argmax(axis=1) == labels[_CALIBRATED:]).mean())


@cache
def again() -> Quantized:
    """The official integer model, its ranges found anew."""
    official = shared("kws_ref_model")
    return quantized(official, Quantize(), Given(samples=(integers(official, keywords()[0][:_CALIBRATED]),)))


@pytest.mark.parametrize(
    ("name", "kernels"),
    [*((name, "default") for name in (*VARIANTS, "again")), ("minmax", "reference"), ("minmax", "micro")],
)
def test_keywords_are_told_as_well_as_by_the_official_model(name: str, kernels: str) -> None:
    """kws_ref_model_float32 has hybrid int8 weights; ranges from 100 samples, accuracy of the other 900."""
    need_kernels(kernels)
    ours, official = correct_pct(name, kernels), correct_pct("official", kernels)
    print(f"{name}, {kernels} kernels: {ours:.2f} %, official {official:.2f} %")
    assert ours >= official - _POINTS


def test_an_integer_model_is_quantized_again_without_a_loss_of_weights() -> None:
    """Its integers are kept; float32 between them rounds 120 dB below."""
    assert all(loss.sqnr_db > 120 for loss in again().losses)


@pytest.mark.parametrize("activations", ["int8", "int16"])
def test_tflite_micro_computes_what_the_reference_kernels_do(activations: str) -> None:
    """int8: every integer the same; int16: tables of SOFTMAX differ by one step.

    ai-edge-litert, which stands in for tflite-runtime from Python 3.12 on, rounds dense layers otherwise.
    """
    need_kernels("micro")
    models = {}
    for name in FLOATS:
        step = Quantize(activations, random_samples=0 if name.startswith("kws") else 16)
        graph = converted(name, step).graph
        shape = graph.tensors[graph.inputs[0]].shape
        reals = np.random.default_rng(1).uniform(-1, 1, (4, *shape)).astype(np.float32)
        models[name] = (write_tflite(graph), [integers(graph, reals)])
    reference, micro = computed(models, "reference"), computed(models, "micro")
    for name in FLOATS:
        off = np.abs(reference[name].astype(int) - micro[name].astype(int)).max()
        same, other = {"int8": (0, 3), "int16": (1, 6)}[activations]
        assert off <= (same if interpreter_label().startswith("tflite_runtime") else other), name


@pytest.mark.parametrize("name", FLOATS)
def test_every_op_of_the_integer_models_agrees_with_tflite_within_one_step(name: str) -> None:
    """Each op alone, on what this evaluation gives it, so that roundings cannot add up."""
    graph = converted(name, Quantize(random_samples=0 if name.startswith("kws") else 16)).graph
    main = graph.main
    shape = graph.tensors[graph.inputs[0]].shape
    values = {graph.inputs[0]: np.random.default_rng(0).integers(-128, 128, shape).astype(np.int8)}
    models, ours = {}, {}
    for op in main.ops:
        flowing = [t for t in dict.fromkeys(op.inputs) if t in values]
        alone = graph.with_main(wire(main.tensors, [op], inputs=flowing, outputs=op.outputs))
        ours[f"{op.index:03}"] = evaluate(alone, [values[t] for t in flowing])[0]
        models[f"{op.index:03}"] = (write_tflite(alone), [values[t][None] for t in flowing])
        values[op.outputs[0]] = ours[f"{op.index:03}"]
    for kernels in ("reference", "default"):
        answers = computed(models, kernels)
        for key, answer in answers.items():
            assert not isinstance(answer, str), (main.ops[int(key)].kind, answer)
            assert np.abs(ours[key].astype(int) - answer[0].astype(int)).max() <= 1, main.ops[int(key)].kind


def recorded() -> dict[tuple[str, str], dict[str, str]]:
    path = Path(__file__).with_name("ai_edge_grids.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {(row["model"], row["tensor"]): row for row in rows}


@pytest.mark.parametrize("name", MODELS)
def test_grids_and_weights_are_those_of_ai_edge_quantizer(name: str) -> None:
    """Recorded: scales to 1e-5, zero points, and every int8 value; its dense op alone is per channel."""
    graph = quantized(shared(name), Quantize(), Given(samples=(noise(name),))).graph
    theirs, compared = recorded(), 0
    for row in grid_rows(name, graph):
        other = theirs[name, row["tensor"]]
        if row["channels"] != other["channels"]:
            assert "dense" in row["tensor"] and row["channels"] == "1"
            continue
        compared += 1
        assert float(row["scale"]) == pytest.approx(float(other["scale"]), rel=1e-5), row["tensor"]
        assert (row["zero_point"], row["values_sha256"]) == (other["zero_point"], other["values_sha256"])
    assert compared == sum(1 for key in theirs if key[0] == name) - 1


@pytest.mark.parametrize("name", MODELS)
def test_outputs_agree_with_those_of_ai_edge_quantizers_file(name: str) -> None:
    """SQNR of outputs at least 25 dB, and no further from the float model than its file is by 1 dB."""
    need_ai_edge_quantizer()
    samples = noise(name)
    ours = write_tflite(quantized(shared(name), Quantize(), Given(samples=(samples,))).graph)
    theirs = quantized_by_ai_edge(shared(name), samples)
    real, one, two = (_outputs(data, samples) for data in (write_tflite(shared(name)), ours, theirs))
    between, from_float = sqnr_db(two, one), (sqnr_db(real, one), sqnr_db(real, two))
    print(f"{name}: {between:.1f} dB between them; from float {from_float[0]:.1f} and {from_float[1]:.1f} dB")
    assert between >= 25
    assert from_float[0] >= from_float[1] - 1.5


def _outputs(data: bytes, samples: np.ndarray) -> np.ndarray:
    interpreter, graph = load_interpreter(data), parse_tflite(data)
    given, output = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    found = []
    for one in samples:
        value = one if given.dtype is DType.FLOAT32 else quantize(given, one.astype(np.float64))
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], value)
        interpreter.invoke()
        raw = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        found.append(dequantize(output, raw))
    return np.stack(found)
