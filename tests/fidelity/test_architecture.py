"""Shared models get another resolution, width or activation, or say what stands in the way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from channel_law import interpreted, random_inputs
from preflash.devices.catalog import load_target
from preflash.errors import VariantInvalid
from preflash.graphs.check import faults_of
from preflash.graphs.ir import ModelGraph
from preflash.graphs.tflite.read import parse_tflite, read_tflite
from preflash.graphs.tflite.write import write_tflite
from preflash.graphs.variants.activations import activations
from preflash.graphs.variants.given import Given, Step
from preflash.graphs.variants.resolution import Resolution
from preflash.graphs.variants.swap_activations import SwapActivations
from preflash.graphs.variants.swap_norms import SwapNorms
from preflash.graphs.variants.width import Width
from preflash.simulator.simulate import simulate
from preflash.simulator.workload import op_macs
from shared_data import shared_models

_LARGEST_BYTES = 900_000  # larger ones are changed and judged, but not run
_CRASHES = ("keyword_scrambled_8bit",)  # the interpreter ends the process on the given file as well
_VECTOR = re.compile(
    r"(add|conv|leaky_relu|pad|quantize|strided_slice|sub|transpose_conv)\d+"
)  # of a single op

FLAT = "no input is a picture"
LSTM = "UNIDIRECTIONAL_SEQUENCE_LSTM reads what changes as features"
SMALL = "nothing would be left: the input is too small"
STATE = "keeps a state of them"
# What refuses, by the start of the name: (step, what it says).
REFUSALS: dict[str, list[tuple[str, str]]] = {
    "audio_preprocessor": [("resolution", FLAT), ("width", "it has no filters")],
    "detection": [("resolution 0.5", "ADD has operands that do not broadcast")],  # one branch rounds up
    "dtln_noise_suppression": [("resolution", LSTM), ("width", STATE)],
    "hello_world_int8": [("resolution", FLAT)],
    "keyword_scrambled": [("resolution", FLAT)],
    "micro_speech_lstm": [("resolution", LSTM), ("width", STATE)],
    "model_ToyCar": [("resolution", FLAT)],
    "person_detect_vela": [("resolution", "ethos-u is not understood"), ("width", "it has no filters")],
    "simple_add_model": [("width", "it has no filters")],
    "sine_float": [("resolution", FLAT)],
    "str_ww_ref_model": [("resolution 0.5", SMALL)],
    "traffic_model": [("resolution", "TFLite_Detection_PostProcess is not understood")],
    "trained_lstm": [("resolution", LSTM), ("width", STATE)],
}  # fmt: skip
STEPS: dict[str, Step] = {
    "resolution 0.5": Resolution(scale=0.5),
    "resolution 2": Resolution(scale=2.0),
    "width 0.5": Width(0.5),
    "width 1.5": Width(1.5),
}


def _models(*, vectors: bool = False) -> list[Path]:
    """Networks, or else test vectors of kernels."""
    models = [path for path in shared_models() if path.parent.name == "models"]
    return [path for path in models if bool(_VECTOR.fullmatch(path.stem)) is vectors]


def macs(graph: ModelGraph) -> int:
    return sum(op_macs(graph.main, op) or 0 for op in graph.ops)


def judged(path: Path, graph: ModelGraph, found: ModelGraph) -> None:
    """The variant has no fault that the model lacks, can be written and read, and runs."""
    assert len(list(faults_of(found))) <= len(list(faults_of(graph)))
    written = parse_tflite(write_tflite(found))
    assert [op.kind for op in written.ops] == [op.kind for op in found.ops]
    if path.stat().st_size < _LARGEST_BYTES and path.stem not in _CRASHES:
        interpreted(found, random_inputs(found))


def refusal(path: Path, step: str) -> str:
    stated = next((rows for start, rows in REFUSALS.items() if path.stem.startswith(start)), [])
    return next((reason for start, reason in stated if step.startswith(start)), "")


@pytest.mark.parametrize("step", list(STEPS))
@pytest.mark.parametrize("path", _models(), ids=lambda path: path.stem)
def test_a_shared_model_changes_its_size_or_names_what_does_not_follow(path: Path, step: str) -> None:
    graph, reason = read_tflite(path), refusal(path, step)
    if reason:
        with pytest.raises(VariantInvalid) as caught:
            STEPS[step].apply(graph, Given())
        assert reason in caught.value.what
        assert caught.value.fix
        return
    found = STEPS[step].apply(graph, Given())
    judged(path, graph, found)
    if macs(graph):
        assert macs(found) < macs(graph) if step.endswith("0.5") else macs(found) > macs(graph)


@pytest.mark.parametrize("path", _models(vectors=True), ids=lambda path: path.stem)
def test_a_model_of_a_single_op_is_changed_or_refused(path: Path) -> None:
    graph = read_tflite(path)
    for step in (*STEPS.values(), SwapActivations(("relu", "leaky-relu"), "relu6"), SwapNorms()):
        try:
            found = step.apply(graph, Given())
        except VariantInvalid as error:
            assert error.what and error.fix
        else:
            judged(path, graph, found)


@pytest.mark.parametrize("to", ["none", "relu", "relu6", "leaky-relu", "hard-swish"])
@pytest.mark.parametrize("path", _models(), ids=lambda path: path.stem)
def test_a_shared_model_gets_other_activations(path: Path, to: str) -> None:
    graph = read_tflite(path)
    words = tuple({found.word for found in activations(graph)} - {to})
    if not words:
        with pytest.raises(VariantInvalid, match="the model has no elu"):
            SwapActivations(("elu",), "relu").apply(graph, Given())
        return
    found = SwapActivations(words, to).apply(graph, Given())  # type: ignore[arg-type]
    judged(path, graph, found)
    assert {one.word for one in activations(found)} <= {to}
    assert macs(found) == macs(graph)


@pytest.mark.parametrize("path", _models(), ids=lambda path: path.stem)
def test_no_shared_model_has_a_layer_norm(path: Path) -> None:
    with pytest.raises(VariantInvalid, match="no layer normalisation"):
        SwapNorms().apply(read_tflite(path), Given())


@pytest.mark.parametrize("name", ["kws_ref_model", "vww_96_int8", "pretrainedResnet_quant", "person_detect"])
@pytest.mark.parametrize("step", ["resolution 0.5", "width 0.5"])
def test_a_smaller_variant_of_a_shared_model_is_priced_as_faster(name: str, step: str) -> None:
    path = next((path for path in _models() if path.stem == name), None)
    if path is None:
        pytest.skip("no shared models")
    graph, target = read_tflite(path), load_target("nucleo-l4r5zi")
    whole, part = (
        simulate(g, target).metric("latency_s").value for g in (graph, STEPS[step].apply(graph, Given()))
    )
    assert whole is not None and part is not None and part < whole
