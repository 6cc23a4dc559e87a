"""Patches of real models: the same outputs, plans that a replay confirms, and the published figure."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from patch_models import ending_at, numbers
from preflash.devices.catalog import load_target
from preflash.errors import PreflashError
from preflash.graphs.evaluate import evaluate
from preflash.graphs.ir import ModelGraph
from preflash.graphs.tflite.read import read_tflite
from preflash.graphs.zoo import build
from preflash.simulator.patches.execute import run_patches
from preflash.simulator.patches.judge import judge_patches
from preflash.simulator.patches.stage import find_cuts
from preflash.simulator.patches.study import auto_patches, study_patches
from preflash.simulator.validate.memory import memory_tables
from preflash.simulator.validate.patches import in_place_peak_bytes, mobilenet_v2
from shared_data import shared_dir, shared_models

CMSIS = load_target("nucleo-h743zi", runtime="tflm-cmsis-nn")
ESP = load_target("esp32-s3")


@cache
def model(name: str) -> ModelGraph:
    return read_tflite(shared_dir() / "models" / f"{name}.tflite")


@pytest.mark.parametrize(
    ("name", "cut", "grid"),
    [
        ("person_detect", 7, (6, 6)),
        ("person_detect", 12, (3, 2)),
        ("vww_96_int8", 3, (8, 8)),
        ("vww", 8, (7, 7)),  # float picture, QUANTIZE, PAD, residuals
        ("vww", 20, (1, 5)),
        ("pretrainedResnet_quant", 11, (4, 4)),
        ("mobilenet_v1_0.25_128_quant", 6, (3, 3)),  # uint8
    ],
)
def test_a_real_model_gives_the_same_bits_patch_by_patch(name: str, cut: int, grid: tuple[int, int]) -> None:
    graph = model(name)
    shown = ending_at(graph, graph.ops[cut].outputs[0])
    inputs = numbers(shown)
    whole = evaluate(shown, inputs)[0]
    assert np.array_equal(whole, run_patches(shown, inputs, cut=cut, grid=grid)[0])
    assert len(np.unique(whole)) > 4  # not all clipped to the same value


@pytest.mark.parametrize("target", [CMSIS, ESP], ids=["cmsis-nn", "esp-nn"])
@pytest.mark.parametrize("name", ["person_detect", "vww", "pretrainedResnet_quant"])
def test_a_replay_confirms_the_plans_of_a_real_model(name: str, target) -> None:
    for plan in auto_patches(model(name), target, 1).front[::3]:
        judge_patches(plan, model(name), target.kernels)


def test_every_shared_model_gets_an_answer_or_a_named_refusal() -> None:
    shared_dir()  # skips where there are no models
    answered = helped = 0
    for path in shared_models():
        try:
            graph = read_tflite(path)
            study = auto_patches(graph, CMSIS, 1024, finest=3)
        except PreflashError as refusal:
            assert refusal.what
            continue
        answered += 1
        helped += bool(study.front)
        assert study.sentence
        if not study.front and study.unpatched_bytes > 1024:
            assert "patches do not help: " in study.sentence
        for plan in study.front:
            assert plan.ram_bytes < study.unpatched_bytes
            if plan.mac_overhead is not None and plan.mac_overhead < 0:  # rows that nobody reads
                judge_patches(plan, graph, CMSIS.kernels)
    assert answered >= 300 and helped >= 60


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ad01", "FULLY_CONNECTED"),
        ("trained_lstm_int8", "UNIDIRECTIONAL_SEQUENCE_LSTM"),
        ("keyword_scrambled_8bit", "QUANTIZE"),
    ],
)
def test_a_model_without_a_legal_cut_says_why(name: str, reason: str) -> None:
    graph = build("ad01") if name == "ad01" else model(name)
    cuts = find_cuts(graph)
    assert not cuts.stages
    assert reason in cuts.ended


def test_mobilenet_v2_reaches_the_published_peak_with_four_by_four_patches() -> None:
    # arXiv 2110.15352, figure 1: 1372 kB -> 172 kB, int8, 224x224; 4x4 patches end at 28x28x32 (op 12).
    # 1372 KiB = 112*112*(16 + 96), 172 KiB ~ 28*28*(32 + 192) = 171.5 KiB
    graph = mobilenet_v2()
    assert in_place_peak_bytes(graph, -1) == 112 * 112 * (16 + 96) == 1372 * 1024
    plan = study_patches(graph, CMSIS, cut=12, patches=(4, 4), input_streamed=True)
    patched = max(plan.ram.stage_bytes, in_place_peak_bytes(graph, 12))
    assert patched == pytest.approx(172 * 1024, rel=0.01)
    assert plan.mac_overhead == pytest.approx(0.093, abs=0.001)


def test_the_table_of_patches_holds() -> None:
    (table,) = memory_tables(shared_dir(), only=("patches",))
    assert not table.is_missed
