"""What do published latencies say NEON kernels cost? The fit behind fit_xnnpack.py.

All coefficients at once: least squares on log(predicted / measured) with Cauchy weights, each held near a
prior by a penalty. A group of rows (one runtime, board, type, threads and family of networks) weighs as the
square root of its rows. Beside them what ncnn gains by threads on the same boards: it tells the arithmetic
that threads share from the memory they do not, where XNNPACK was measured with all cores only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from preflash.simulator.kernels.xnnpack import neon_terms
from preflash.simulator.kernels.xnnpack_data import CLASSES
from preflash.simulator.validate.phone_rows import PhoneRow, all_phone_rows
from preflash.simulator.workload import compile_table

ERROR, CAUCHY = 0.05, 0.1  # a published latency is taken as good to 5 %; beyond 10 % it counts less and less
# name -> (prior, its relative spread). MACs per cycle and equivalent MACs: orders of magnitude of NEON code.
PRIORS = {
    "rate float32": (3.0, 0.5), "rate int8": (5.0, 0.5), "core": (1.0, 1.0), "deviation": (1.0, 0.12),
    "window float32": (1.2, 0.3), "window int8": (1.3, 0.3), "depthwise float32": (3.0, 0.5),
    "depthwise int8": (6.0, 0.5), "dense float32": (2.0, 0.5), "dense int8": (2.0, 0.5),
    "outputs float32": (5.0, 0.7), "outputs int8": (10.0, 0.7), "elements float32": (5.0, 0.5),
    "elements int8": (10.0, 0.5), "activations float32": (15.0, 0.5), "activations int8": (15.0, 0.5),
    "overhead_cycles": (3000.0, 1.0), "sync_s": (5e-6, 0.7), "thread_efficiency": (0.9, 0.2),
    "bytes_factor": (1.0, 0.3), "stream_bytes_per_s": (0.4, 0.5),  # a fraction of the memory's peak
    "ncnn_gain": (0.9, 0.1),  # what ncnn gains by threads / what XNNPACK gains
}  # fmt: skip
NCNN = "ncnn"
HALF_PRECISION = frozenset({"cortex-a76"})  # ncnn computes in 16 bits there, XNNPACK's float32 does not
_NCNN_KEY = ("ncnn_gain", "", "", "")
Key = tuple[str, str, str, str]


class Point(NamedTuple):
    row: PhoneRow
    library: str
    core: str
    terms: dict[str, float]
    kernels: int
    clock_hz: float
    peak_bytes_per_s: float

    @property
    def cell(self) -> tuple[str, str, str]:
        return self.library, self.core, self.row.dtype

    @property
    def cell_and_threads(self) -> tuple[tuple[str, str, str], bool]:
        return self.cell, self.row.threads > 1


def point_of(row: PhoneRow) -> Point:
    target = row.target
    terms = neon_terms(compile_table(row.graph, target.kernels), row.dtype)
    access = target.device.home_of("arena").access
    assert access is not None
    return Point(
        row, target.kernels.library, target.device.core.name,
        {name: float(column.sum()) for name, column in terms._asdict().items()},
        int((terms.streamed_bytes > 0).sum()), target.clock_hz, access.bandwidth_at(target.clock_hz),
    )  # fmt: skip


class Model:
    """The coefficients that these points can say something about, as logarithms."""

    def __init__(self, seen: Sequence[Point]) -> None:
        self.seen = {p.cell_and_threads for p in seen}
        self.index: dict[Key, int] = {}
        self.prior: list[float] = []
        self.spread: list[float] = []
        for p in seen:
            peak = p.peak_bytes_per_s
            for key, prior in keys(p):
                if key not in self.index:
                    value, spread = PRIORS[prior]
                    self.index[key] = len(self.index)
                    self.prior.append(np.log(value * (peak if key[0] == "stream_bytes_per_s" else 1.0)))
                    self.spread.append(spread)
        self.index[_NCNN_KEY] = len(self.index)
        self.prior.append(np.log(PRIORS["ncnn_gain"][0]))
        self.spread.append(PRIORS["ncnn_gain"][1])
        self.x = np.array(self.prior)

    def predictor(self, of: Sequence[Point]) -> Callable[[np.ndarray], np.ndarray]:
        """x -> seconds of these points; a coefficient that nobody saw is at its prior."""
        extra: dict[Key, int] = {}
        unseen: list[float] = []

        def at(key: Key, prior: str, point: Point) -> int:
            if key in self.index:
                return self.index[key]
            if key not in extra:
                extra[key] = len(self.index) + len(extra)
                scale = 2.5 * point.peak_bytes_per_s if key[0] == "stream_bytes_per_s" else 1.0  # the peak
                unseen.append(np.log(PRIORS[prior][0] * scale))
            return extra[key]

        places = np.array([[at(key, prior, p) for key, prior in keys(p)] for p in of]).T
        term = {name: np.array([p.terms[name] for p in of]) for name in of[0].terms}
        threads = np.array([p.row.threads for p in of])
        clock = np.array([p.clock_hz for p in of])
        peak = np.array([p.peak_bytes_per_s for p in of])
        kernels = np.array([p.kernels for p in of])
        cores = [place for key, place in self.index.items() if key[0] == "rate" and key[2] and not key[1]]
        unknown = np.array([("rate", "", p.core, "") not in self.index for p in of])

        def seconds(x: np.ndarray) -> np.ndarray:
            full = np.concatenate([x, unseen])
            library, core, deviation, overhead, sync, efficiency, factor, stream, *costs = full[places]
            core = np.where(unknown, x[cores].mean(), core)
            work = term["gemm"] + sum(np.exp(c) * term[name] for c, name in zip(costs, CLASSES, strict=True))
            shared = 1 + (threads - 1) * np.minimum(np.exp(efficiency), 1.0)
            per_kernel = np.exp(overhead) / clock + np.where(threads > 1, np.exp(sync), 0.0)
            bandwidth = np.minimum(np.exp(stream), peak)
            return (
                work / (np.exp(library + core + deviation) * shared * clock)
                + kernels * per_kernel + term["streamed_bytes"] * np.exp(factor) / bandwidth
            )  # fmt: skip

        return seconds


def keys(p: Point) -> Iterator[tuple[Key, str]]:
    """The coefficients of one point in the order of `seconds`, each with the name of its prior."""
    library, core, dtype = p.cell
    yield ("rate", library, "", dtype), f"rate {dtype}"
    yield ("rate", "", core, ""), "core"
    yield ("deviation", library, core, dtype), "deviation"
    yield ("overhead_cycles", library, "", ""), "overhead_cycles"
    yield ("sync_s", library, "", ""), "sync_s"
    yield ("thread_efficiency", "", core, ""), "thread_efficiency"
    yield ("bytes_factor", library, "", ""), "bytes_factor"
    yield ("stream_bytes_per_s", "", core, ""), "stream_bytes_per_s"
    for name in CLASSES:
        yield (name, library, "", dtype), f"{name} {dtype}"


class Gain(NamedTuple):
    """XNNPACK with one thread and with several where ncnn was measured with both, and what ncnn gained."""

    one: Point
    several: Point
    measured: float


def ncnn_gains() -> list[Gain]:
    ncnn = [row for row in all_phone_rows() if row.runtime == NCNN]
    times = {(row.device, row.network, row.dtype, row.threads): row.latency_s for row in ncnn}
    found = []
    for (device, network, dtype, threads), several_s in times.items():
        if threads == 1 or (device, network, dtype, 1) not in times:
            continue
        one, several = (
            point_of(PhoneRow(device, "litert-xnnpack", count, "", network, dtype, 1.0, "", ""))
            for count in (1, threads)
        )
        if one.core not in HALF_PRECISION:
            found.append(Gain(one, several, times[device, network, dtype, 1] / several_s))
    return found


def fit(seen: Sequence[Point], gains: Sequence[Gain]) -> Model:
    """From plain least squares to Cauchy weights in steps: a start far off does not choose the outliers."""
    model = Model(seen)
    known = [gain for gain in gains if all(key in model.index for key, _ in keys(gain.one))]
    error, weight = residuals(model, seen, known)
    for width in (16 * CAUCHY, 4 * CAUCHY, CAUCHY):
        descend(model, error, weight, width=width)
    return model


def residuals(
    model: Model, seen: Sequence[Point], gains: Sequence[Gain]
) -> tuple[Callable[[np.ndarray], np.ndarray], np.ndarray]:
    """x -> log errors of the rows and of the gains; what each weighs."""
    predict, wanted = model.predictor(seen), np.log([p.row.latency_s for p in seen])
    groups = Counter((*p.cell_and_threads, p.row.device, p.row.family) for p in seen)
    weight = [groups[*p.cell_and_threads, p.row.device, p.row.family] ** -0.5 for p in seen]
    if not gains:
        return lambda x: np.log(predict(x)) - wanted, np.array(weight)
    one, several = (model.predictor([gain[n] for gain in gains]) for n in (0, 1))
    gained, at = np.log([gain.measured for gain in gains]), model.index[_NCNN_KEY]
    boards = Counter((gain.one.row.device, gain.one.row.dtype) for gain in gains)
    weight += [boards[gain.one.row.device, gain.one.row.dtype] ** -0.5 for gain in gains]

    def error(x: np.ndarray) -> np.ndarray:
        ours = np.log(one(x) / several(x)) + x[at] - gained
        return np.concatenate([np.log(predict(x)) - wanted, ours])

    return error, np.array(weight)


def descend(
    model: Model, error: Callable[[np.ndarray], np.ndarray], weight: np.ndarray, *, width: float
) -> None:
    """Levenberg-Marquardt with Cauchy weights and the priors as a penalty; moves `model.x`."""
    prior, spread = np.array(model.prior), np.array(model.spread)

    def loss(x: np.ndarray) -> float:
        pull = ERROR**2 * (((x - prior) / spread) ** 2).sum()
        return float((weight * np.log1p((error(x) / width) ** 2)).sum() * width**2 + pull)

    x, damping, best = model.x, 1e-2, loss(model.x)
    for _ in range(25):
        off = error(x)
        slope = np.stack([(error(x + step) - off) / 1e-5 for step in np.eye(len(x)) * 1e-5], axis=1)
        w = weight / (1 + (off / width) ** 2)
        curve = (slope * w[:, None]).T @ slope + np.diag(ERROR**2 / spread**2)
        down = (slope * w[:, None]).T @ off + ERROR**2 * (x - prior) / spread**2
        for _ in range(12):
            tried = x - np.linalg.solve(curve + damping * np.diag(np.diag(curve)), down)
            if loss(tried) < best:
                x, best, damping = tried, loss(tried), damping / 3
                break
            damping *= 3
        else:
            break
    model.x = x
