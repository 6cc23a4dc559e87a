"""Shared models lose half of their channels and run as the whole ones without them, or say why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from channel_law import interpreted, random_inputs, silenced
from preflash.errors import VariantInvalid
from preflash.graphs.check import faults_of
from preflash.graphs.tflite.read import read_tflite
from preflash.graphs.variants.channel_groups import channel_notes
from preflash.graphs.variants.channels import PruneChannels, removed_channels
from preflash.graphs.variants.given import Given
from preflash.graphs.variants.weights import WEIGHT_PLACES
from shared_data import shared_models

HALF = PruneChannels(fraction=0.5, first=True)
_LARGEST_BYTES = 600_000  # larger ones take seconds; these are the rule's exceptions
_ALSO = ("mobilenet_v2_1.0_224_quant", "mobilenet_v1_0.75_192_quant", "mcunetv2_large")
_CRASHES = ("keyword_scrambled_8bit",)  # the interpreter ends the process on the given file as well
_WITHOUT_FILTERS = ("add", "leaky_relu", "pad", "quantize", "strided_slice", "sub")  # of a single op each
# what stays whole, by the start of the name: what the step says
_STAYS = {
    "conv": "they are an output of the model",
    "transpose_conv": "TRANSPOSE_CONV 0 has a shape known only when running",
    "trained_lstm": "UNIDIRECTIONAL_SEQUENCE_LSTM 0 keeps a state of them; SOFTMAX 3 mixes them",
    "micro_speech_lstm": "UNIDIRECTIONAL_SEQUENCE_LSTM 0 keeps a state of them; SOFTMAX 3 mixes them",
    "dtln_noise_suppression": "UNIDIRECTIONAL_SEQUENCE_LSTM 0 keeps a state of them",
}


def _models() -> list[Path]:
    return [
        path for path in shared_models()
        if path.parent.name == "models" and not path.stem.startswith(_WITHOUT_FILTERS)
        and (path.stat().st_size < _LARGEST_BYTES or path.stem in _ALSO)
    ]  # fmt: skip


@pytest.mark.parametrize("path", _models(), ids=lambda path: path.stem)
def test_half_of_the_channels_leave(path: Path) -> None:
    graph = read_tflite(path)
    if not any(op.kind in WEIGHT_PLACES for op in graph.ops):
        pytest.skip("no filters")
    reason = next((why for start, why in _STAYS.items() if path.stem.startswith(start)), "")
    if reason:
        with pytest.raises(VariantInvalid) as caught:
            HALF.apply(graph, Given())
        assert reason in caught.value.what
        assert channel_notes(graph)
        return
    small, removed = HALF.apply(graph, Given()), removed_channels(graph, HALF)
    assert len(list(faults_of(small))) <= len(list(faults_of(graph)))
    assert removed
    if path.stem in _CRASHES:
        return
    inputs = random_inputs(graph)
    for whole, left in zip(
        interpreted(silenced(graph, removed), inputs), interpreted(small, inputs), strict=True
    ):
        assert np.isfinite(left.astype(np.float64)).all()
        if left.dtype.kind == "f":
            np.testing.assert_allclose(left, whole, rtol=1e-4, atol=1e-6)
        else:
            np.testing.assert_array_equal(left, whole)
