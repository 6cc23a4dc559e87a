"""What can be asked of the process that runs models: outputs, kept tensors, how two models differ."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from .messages import Message, as_bytes
from .sessions import LiteRtSession, session

Array = npt.NDArray[Any]
Told = Callable[[int, int], None]

_FASTER = 0.8  # a batch is taken if a sample in it needs less than this part of the time


@dataclass
class Desk:
    """What the process keeps between requests: arrays by name, and the last loaded model."""

    is_memory_limited: bool
    held: dict[str, tuple[Array, ...]] = field(default_factory=dict)
    loaded: tuple[str, LiteRtSession] | None = None

    def model(self, key: str) -> bytes:
        return as_bytes(self.held[key][0])

    def kept_session(self, key: str, kernels: str) -> LiteRtSession:
        """The model with all tensors kept; the last one stays loaded."""
        name = f"{key} {kernels}"
        if self.loaded is None or self.loaded[0] != name:
            self.loaded = (name, LiteRtSession(self.model(key), kernels, restart="variables", keep_all=True))
        return self.loaded[1]


def run(desk: Desk, request: Message, tell: Told) -> Message:
    """The outputs of all samples: (samples, *shape of the output) per output."""
    words = request.words
    model, samples, kernels = desk.model(words["model"]), desk.held[words["samples"]], words["kernels"]
    one = session(model, kernels, outputs=words["outputs"], restart=words["restart"])
    count, at_once = len(samples[0]), int(words["batch"])
    found: list[list[Array]] = []
    start = time.monotonic()
    for i in range(min(count, at_once) if at_once > 1 else count):
        found.append(one.run([a[i] for a in samples]))
        tell(i + 1, count)
    batched = None
    if at_once > 1 and len(found) < count:
        each_s = (time.monotonic() - start) / len(found)
        batched = _batched(model, kernels, [a[:at_once] for a in samples], found, each_s)
    while batched is not None and len(found) + at_once <= count:
        part = batched.run([_joined(a[len(found) : len(found) + at_once]) for a in samples])
        found += _apart(part, found[0], at_once)
        tell(len(found), count)
    for i in range(len(found), count):
        found.append(one.run([a[i] for a in samples]))
        tell(i + 1, count)
    says = {"package": one.package, "is_delegated": one.is_delegated,
            "batch": at_once if batched else 1}  # fmt: skip
    return Message(says, tuple(_stacked([outputs[i] for outputs in found]) for i in range(len(found[0]))))


def tensors(desk: Desk, request: Message, _tell: Told) -> Message:
    """The values of the named tensors for one sample, as stored."""
    kept = desk.kept_session(request.words["model"], request.words["kernels"])
    kept.run(request.arrays)
    return Message({}, tuple(kept.tensor(index) for index in request.words["tensors"]))


def diverge(desk: Desk, request: Message, tell: Told) -> Message:
    """Per pair of tensors, over all samples: squares of the second and of the difference added, its peak."""
    words = request.words
    pairs = words["pairs"]  # [first, second, scale, zero, scale, zero]
    firsts, seconds = desk.held[words["samples"]], desk.held[words["baseline_samples"]]
    one, other = (
        LiteRtSession(desk.model(words[m]), words["kernels"], restart="variables", keep_all=True)
        for m in ("model", "baseline")
    )
    sums = np.zeros((3, len(pairs)))
    for i in range(len(firsts[0])):
        one.run([a[i] for a in firsts])
        other.run([a[i] for a in seconds])
        for place, (a, b, scale_a, zero_a, scale_b, zero_b) in enumerate(pairs):
            x = (one.tensor(a).astype(np.float64).reshape(-1) - zero_a) * scale_a
            y = (other.tensor(b).astype(np.float64).reshape(-1) - zero_b) * scale_b
            if x.size != y.size or not x.size:
                sums[:, place] = np.nan
                continue
            d = x - y
            sums[0, place] += y @ y
            sums[1, place] += d @ d
            sums[2, place] = max(sums[2, place], float(np.abs(d).max()))
        tell(i + 1, len(firsts[0]))
    return Message({}, (sums,))


def _batched(
    model: bytes, kernels: str, samples: Sequence[Array], single: Sequence[Sequence[Array]], each_s: float
) -> LiteRtSession | None:
    """The model with many samples at once; None where it gives other outputs, refuses, or is no faster."""
    count = len(single)
    try:
        many = LiteRtSession(model, kernels, batch=count)
        inputs = [_joined(a) for a in samples]
        found = _apart(many.run(inputs), single[0], count)
        start = time.monotonic()
        many.run(inputs)
        took_s = (time.monotonic() - start) / count
    except (ModelError, ValueError, MemoryError):
        return None
    same = all(
        a.tobytes() == b.tobytes()
        for x, y in zip(found, single, strict=True)
        for a, b in zip(x, y, strict=True)
    )
    return many if same and took_s < _FASTER * each_s else None


def _joined(array: Array) -> Array:
    """(samples, 1, ...) -> (samples, ...)."""
    return array.reshape(len(array), *array.shape[2:])


def _apart(outputs: Sequence[Array], like: Sequence[Array], count: int) -> list[list[Array]]:
    """Per sample the outputs of its own; ValueError where a batch has another size than its samples."""
    parts = [a.reshape(count, *b.shape) for a, b in zip(outputs, like, strict=True)]
    return [[part[i] for part in parts] for i in range(count)]


def _stacked(outputs: Sequence[Array]) -> Array:
    if len({a.shape for a in outputs}) > 1:
        raise ModelError("the output's shape changes from sample to sample", fix="give it a fixed shape")
    return np.stack(outputs)
