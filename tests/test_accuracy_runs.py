"""Models run in a process of their own: right, batched, stateless, limited, and nothing they do hurts."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from accuracy_models import classifier, crashing, endless, huge, inputs
from preflash.errors import DataInvalid, InterpreterEnded, LimitExceeded, ModelError, PreflashError
from preflash.graphs.build import GraphBuilder
from preflash.graphs.dtype import DType
from preflash.graphs.ir import ModelGraph, Op, wire
from preflash.simulator import interpreter
from preflash.simulator.accuracy import outputs as room
from preflash.simulator.accuracy.activations import activations
from preflash.simulator.accuracy.child import Child, Limits
from preflash.simulator.accuracy.feeding import fed
from preflash.simulator.accuracy.messages import Message, read_message, write_message
from preflash.simulator.accuracy.outputs import Way, model_of, outputs_of, restart_of
from preflash.simulator.accuracy.samples import Samples
from preflash.simulator.interpreter import interpreter_label, load_interpreter, run_tflite
from preflash.simulator.micro_interpreter import micro_label
from stateful_models import called_once, svdf

FRESH = Way(use_cache=False)
QUICK = Limits(time_s=30, memory_bytes=1 << 30)


@pytest.fixture
def child() -> Iterator[Child]:
    one = Child(QUICK)
    yield one
    one.close()


def samples_of(graph: ModelGraph, count: int) -> Samples:
    shape = graph.tensors[graph.inputs[0]].shape
    return Samples((np.random.default_rng(4).standard_normal((count, *shape)).astype(np.float32),))


def one_by_one(graph: ModelGraph, samples: Samples) -> np.ndarray:
    content = model_of(graph).content
    return np.concatenate([run_tflite(content, [x])[0] for x in fed(samples, graph)[0]])


@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT8])
@pytest.mark.parametrize("kernels", ["reference", "builtin", "xnnpack"])
def test_outputs_are_those_of_the_interpreter(dtype: DType, kernels: str) -> None:
    graph = classifier(dtype)
    samples = samples_of(graph, 70)  # two batches of 32, and six more
    found = outputs_of(model_of(graph), samples, replace(FRESH, kernels=kernels))
    wanted = one_by_one(graph, samples).astype(np.float64)
    if dtype is DType.INT8:
        q = graph.tensors[graph.outputs[0]].quantization
        assert q is not None
        wanted = (wanted - q.zero_points[0]) * float(q.scales[0])
    assert found.reals[0].shape == (70, 1, 4)
    step = 1e-5 if dtype is DType.FLOAT32 else 3 / 256  # kernel sets round apart
    np.testing.assert_allclose(found.reals[0].reshape(70, 4), wanted, atol=step)
    assert found.package == interpreter_label(kernels)


def test_a_batch_gives_the_outputs_of_its_samples_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = classifier(DType.INT8)
    samples = samples_of(graph, 70)
    many = outputs_of(model_of(graph), samples, FRESH)
    monkeypatch.setattr(room, "_BATCH", 1)
    single = outputs_of(model_of(graph), samples, FRESH)
    assert single.batch == 1
    np.testing.assert_array_equal(many.reals[0], single.reals[0])


def test_a_model_whose_shapes_hold_one_sample_runs_one_by_one() -> None:
    b = GraphBuilder("fixed", dtype=DType.FLOAT32)
    x = b.reshape(b.input((1, 4, 4)), (2, 8))  # 32 samples do not fit into (2, 8)
    graph = b.finish([x])
    samples = samples_of(graph, 40)
    found = outputs_of(model_of(graph), samples, FRESH)
    assert found.batch == 1
    np.testing.assert_array_equal(found.reals[0].reshape(40, 16), samples.inputs[0].reshape(40, 16))


def test_an_op_over_all_samples_is_noticed() -> None:
    b = GraphBuilder("mixed", dtype=DType.FLOAT32)
    graph = b.finish([b.sub(x := b.input((1, 4)), b.mean(x, (0,)))])  # 0 for one sample, not for a batch
    found = outputs_of(model_of(graph), samples_of(graph, 40), FRESH)
    assert found.batch == 1 and not found.reals[0].any()


def remembering(word: str) -> ModelGraph:
    """A model whose output depends on what it saw before."""
    if word == "variables":
        graph = svdf(quantized=False)
        ones = [
            replace(t, data=np.ones(t.shape, np.float32).tobytes()) if t.is_constant else t
            for t in graph.tensors
        ]
        return graph.with_main(wire(ones, graph.ops, inputs=graph.inputs, outputs=graph.outputs))
    once = called_once()
    ops = [*once.ops, Op(4, "ASSIGN_VARIABLE", (1, 3), ())]  # what was read, plus the input, is stored back
    return once.with_main(wire(once.tensors, ops, inputs=once.inputs, outputs=once.outputs))


@pytest.mark.parametrize("word", ["variables", "load"])
def test_every_sample_starts_afresh(word: str) -> None:
    graph = remembering(word)
    assert restart_of(graph) == word
    shape = graph.tensors[graph.inputs[0]].shape
    a, b = np.full(shape, 1, np.float32), np.full(shape, 5, np.float32)
    one = load_interpreter(model_of(graph).content)
    for _ in range(2):  # without a fresh start the second run gives something else
        one.set_tensor(one.get_input_details()[0]["index"], a)
        one.invoke()
    twice = one.get_tensor(one.get_output_details()[0]["index"])
    found = outputs_of(model_of(graph), Samples((np.stack([a, b, a, a]),)), FRESH).reals[0]
    np.testing.assert_array_equal(found[0], found[2])
    np.testing.assert_array_equal(found[0], found[3])
    assert not np.array_equal(found[0], twice)


@pytest.mark.skipif(not micro_label(), reason="tflite-micro is not installed")
def test_tflms_own_interpreter_runs_it_too() -> None:
    graph = classifier(DType.INT8)
    samples = samples_of(graph, 20)
    found = outputs_of(model_of(graph), samples, replace(FRESH, kernels="tflm"))
    assert found.package.startswith("tflite_micro")
    reference = outputs_of(model_of(graph), samples, FRESH)
    np.testing.assert_allclose(found.reals[0], reference.reals[0], atol=1 / 256 + 1e-9)


def test_a_crash_is_a_named_error_and_the_next_model_runs() -> None:
    samples = Samples((np.full((3, 1), 1_000_000_000, np.int32),))
    with pytest.raises(ModelError) as caught:  # newer interpreters refuse it
        outputs_of(model_of(crashing()), samples, FRESH)
    if "tflite_runtime 2.14" in interpreter_label("reference"):
        assert isinstance(caught.value, InterpreterEnded) and "SIGSEGV" in str(caught.value)
    fine = outputs_of(model_of(crashing()), Samples((np.array([[2]], np.int32),)), FRESH)
    assert fine.reals[0].tolist() == [[0, 0, 1, 0]]


@pytest.mark.skipif(sys.platform == "win32", reason="no signals there")
def test_a_process_that_is_killed_from_outside_is_a_named_error() -> None:
    graph = endless()
    way = replace(FRESH, limits=Limits(time_s=29))
    outputs_of(model_of(classifier()), samples_of(classifier(), 1), way)  # the process is there
    number = way.child.process_id
    assert number is not None
    threading.Timer(0.3, lambda: os.kill(number, signal.SIGABRT)).start()
    with pytest.raises(InterpreterEnded, match="SIGABRT"):
        outputs_of(model_of(graph), Samples((np.ones((1, 1), np.float32),)), way)


def test_a_model_that_never_ends_is_stopped() -> None:
    for limit_s in (1e-4, 0.01):  # over before the process is there
        way = replace(FRESH, limits=Limits(time_s=limit_s))
        with pytest.raises(LimitExceeded):
            outputs_of(model_of(endless()), Samples((np.ones((1, 1), np.float32),)), way)
    way = replace(FRESH, limits=Limits(time_s=1.5))
    start = time.monotonic()
    with pytest.raises(LimitExceeded, match=r"more than 1\.5 s"):
        outputs_of(model_of(endless()), Samples((np.ones((1, 1), np.float32),)), way)
    assert time.monotonic() - start < 20


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is limited on Linux only")
def test_a_model_that_wants_more_memory_than_allowed_is_stopped() -> None:
    way = replace(FRESH, limits=QUICK)
    with pytest.raises(LimitExceeded, match="1024 MiB"):
        outputs_of(model_of(huge()), Samples((np.ones((1, 1, 4), np.float32),)), way)
    outputs_of(model_of(classifier()), samples_of(classifier(), 1), way)


def test_a_model_that_is_refused_leaves_the_process_there(child: Child) -> None:
    words = {"do": "run", "model": "m", "samples": "s", "kernels": "reference", "outputs": 1, "restart": "",
             "batch": 1}  # fmt: skip
    held = {"m": [np.frombuffer(b"no model", np.uint8)], "s": [np.zeros((1, 1))]}
    with pytest.raises(ModelError, match="refuses the model"):
        child.ask(words, held)
    number = child.process_id
    with pytest.raises(ModelError, match="refuses the model"):
        child.ask(words, held)
    assert number is not None and child.process_id == number


def test_no_interpreter_is_a_named_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "_PACKAGES", ("no_such_package.interpreter",))
    with pytest.raises(PreflashError, match="no TFLite interpreter") as caught:
        outputs_of(model_of(classifier()), samples_of(classifier(), 1), FRESH)
    assert "pip install" in caught.value.fix


def test_no_samples_are_refused() -> None:
    with pytest.raises(DataInvalid, match="no samples"):
        outputs_of(model_of(classifier()), samples_of(classifier(), 0), FRESH)


def test_somebody_is_told_how_far_it_is() -> None:
    told: list[tuple[int, int, str]] = []
    way = replace(FRESH, progress=lambda *how: told.append(how))
    outputs_of(model_of(classifier()), samples_of(classifier(), 40), way)
    assert told and all(0 < done <= of == 40 and what == "small" for done, of, what in told)


def test_activations_are_the_real_values_of_every_tensor() -> None:
    for dtype in (DType.FLOAT32, DType.INT8):
        graph = classifier(dtype)
        x = inputs(1)[0]
        found = activations(graph, [x])
        assert set(found) == {t.index for t in graph.tensors if not t.is_constant}
        assert all(found[t.index].shape == t.shape for t in graph.tensors if t.index in found)
        content = model_of(graph).content
        stored = fed(Samples((x[None, None],)), graph)[0][0]
        kept = run_tflite(content, [stored], keep_all=True)
        for index, values in found.items():
            q = graph.tensors[index].quantization
            wanted = kept[index].astype(np.float64)
            if q is not None:
                wanted = (wanted - q.zero_points[0]) * float(q.scales[0])
            np.testing.assert_allclose(values, wanted, rtol=1e-5, atol=1e-6)


def test_activations_of_another_sample_are_others() -> None:
    graph = classifier()
    first, second, again = (activations(graph, [x]) for x in (*inputs(2), inputs(1)[0]))
    last = graph.outputs[0]
    assert not np.array_equal(first[last], second[last])
    np.testing.assert_array_equal(first[last], again[last])


@pytest.mark.parametrize("given", [[], [np.zeros((5, 5, 2), np.float32)], [np.zeros((6, 6, 2), np.int8)]])
def test_a_sample_that_does_not_go_with_the_model_is_refused(given: list[np.ndarray]) -> None:
    with pytest.raises(DataInvalid):
        activations(classifier(), given)


def test_messages_arrive_as_they_were_sent() -> None:
    arrays = (np.arange(6, dtype=np.int8).reshape(2, 3), np.float64(3.5) * np.ones(()), np.zeros((0, 4)))
    stream = io.BytesIO()
    write_message(stream, {"do": "x", "n": 3}, arrays)
    stream.seek(0)
    found = read_message(stream)
    assert isinstance(found, Message) and found.words == {"do": "x", "n": 3}
    for a, b in zip(found.arrays, arrays, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_array_equal(a, b)
    assert read_message(stream) is None


@pytest.mark.parametrize("cut", [0, 1, 8, 20, -1])
def test_half_a_message_is_none(cut: int) -> None:
    stream = io.BytesIO()
    write_message(stream, {"do": "x"}, [np.arange(10)])
    assert read_message(io.BytesIO(stream.getvalue()[:cut])) is None


@pytest.mark.parametrize(
    "heading", [b"{}", b'{"words": 3, "arrays": []}', b'{"words": {}, "arrays": [["O", [1]]]}', b"\xff",
                b'{"words": {}, "arrays": [["<f4", [99999999, 99999999]]]}']
)  # fmt: skip
def test_what_is_no_message_is_none(heading: bytes) -> None:
    assert read_message(io.BytesIO(len(heading).to_bytes(8, "little") + heading + bytes(64))) is None
