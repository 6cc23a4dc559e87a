"""Which coefficients make the measured rows most likely? Robust least squares on log cycles, with priors.

    cycles = cpi(core) board(device) sum(factor(runtime, class) instructions)
           + per_byte(core) stall(device) fetch(library) bytes + waits

minimises sum huber((log measured - log predicted) / 0.03) + sum ((log coefficient - prior) / spread)^2 by
Gauss-Newton steps. The priors keep what no row speaks of where it was: an unmeasured board is its core.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ...devices.catalog import load_runtime
from .features import Features, Part

Floats = npt.NDArray[np.float64]
# ("cpi", core), ("per_byte", core), ("board", device), ("stall", device), ("fetch", library),
# ("kernel", label, class, part)
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of the log of a coefficient before any row: its middle and its standard deviation."""

    log: float
    spread: float


# Cycles per instruction by how the core issues them: one at a time with loads of two cycles (M4), of one
# (M33), two at a time (M7), one with vectors that take two beats (M55), two with vectors (M85).
_CPI = {
    "cortex-m4": 1.4, "cortex-m33": 1.2, "cortex-m7": 0.8, "cortex-m55": 1.2, "cortex-m85": 0.9,
    "cortex-m3": 1.4, "cortex-m0+": 1.6, "cortex-m0": 1.6, "cortex-m23": 1.6,
}  # fmt: skip
_CPI_SPREAD = 0.25
_PER_BYTE = Prior(np.log(0.6), 0.6)  # a word of flash behind some wait states, half of them hidden
_BOARD = Prior(0.0, 0.06)  # boards of one core differ by a few per cent (mlperf_cross_core_ratio.csv)
_STALL = Prior(0.0, 0.4)
# How often kernels fetch a weight against CMSIS-NN's, whose blocks are known; ST's may keep it longer.
_COUNTED_BLOCKS, _UNKNOWN_BLOCKS = Prior(0.0, 1e-3), Prior(np.log(0.6), 0.7)
# ST's kernels against CMSIS-NN's of the same op, in the oldest release.
_KERNEL = Prior(np.log(0.7), 0.4)
_PLAIN_KERNELS = {
    "pool": Prior(np.log(1.7), 0.5),  # between CMSIS-NN's and plain C's (kernel_coefficients.csv)
    "other": Prior(np.log(0.8), 0.5),
    "reference": Prior(np.log(0.8), 0.4),
}
_RELEASE_SPREAD = 0.3  # of a release against the one it resembles
_NOISE = 0.03  # of the log of one row: what is left between networks on a measured board
_HUBER = 1.5
_STEPS = 60


@dataclass(frozen=True, slots=True)
class Fit:
    """The coefficients; `logs` holds those that rows speak of."""

    logs: Mapping[Key, float]

    def coefficient(self, *key: str) -> float:
        """e to the fitted log; the prior's for a key that no row speaks of."""
        return float(np.exp(self.logs.get(key, _prior(key).log)))


def fit_rows(rows: Sequence[Features], fixed: Mapping[Key, float]) -> Fit:
    """The coefficients for these rows.

    Args:
        fixed: factors of kernels that are not fitted: ("kernel", label, class) -> factor; others of that
            label are 1.
    """
    problem = _Problem.of(rows, fixed)
    logs = problem.start.copy()
    for _ in range(_STEPS):
        step = problem.step(logs)
        logs += np.clip(step, -0.5, 0.5)
        if np.abs(step).max(initial=0.0) < 1e-9:
            break
    return Fit(dict(zip(problem.keys, logs.tolist(), strict=True)))


def predicted_cycles(features: Features, fit: Fit, fixed: Mapping[Key, float]) -> float:
    """The formula above, for one row."""
    work = sum(count * _factor(fit, features, part, fixed) for part, count in features.instructions.items())
    device, core = features.device, features.core
    per_byte = fit.coefficient("per_byte", core) * fit.coefficient("stall", device)
    per_byte *= fit.coefficient("fetch", features.library)
    cpi = fit.coefficient("cpi", core) * fit.coefficient("board", device)
    return cpi * work + per_byte * features.fetched_bytes + features.waits_cycles


@lru_cache(maxsize=1)
def fitted_labels() -> dict[str, str]:
    """The releases whose kernels have factors that rows must tell -> the one each resembles, "" for none."""
    runtime = load_runtime("x-cube-ai")
    found = {}
    for release in runtime.releases:
        like = f"{runtime.name}@{release.kernels_like}" if release.kernels_like else ""
        found[f"{runtime.name}@{release.version}"] = like
    return found


def is_fitted_label(label: str) -> bool:
    """Whether the kernels of this runtime have factors of their own that rows must tell."""
    return label in fitted_labels()


def _factor(fit: Fit, features: Features, part: Part, fixed: Mapping[Key, float]) -> float:
    key = ("kernel", features.label, *part)
    return fit.coefficient(*key) if is_fitted_label(features.label) else fixed.get(key[:3], 1.0)


def _prior(key: Key) -> Prior:
    if key[0] == "cpi":
        return Prior(float(np.log(_CPI.get(key[1], 1.3))), _CPI_SPREAD)
    if key[0] == "fetch":
        return _COUNTED_BLOCKS if key[1] == "cmsis-nn" else _UNKNOWN_BLOCKS
    if key[0] == "kernel":
        return _PLAIN_KERNELS.get(key[2], _KERNEL)
    return {"per_byte": _PER_BYTE, "board": _BOARD, "stall": _STALL}[key[0]]


@dataclass(frozen=True, slots=True)
class _Problem:
    """The rows as arrays over the unknowns.

    Args:
        work: rows x kernels: instructions; fixed_work: those of kernels with a fixed factor.
        kernel_of, cpi_of, ...: for each row or kernel, the place of its unknown.
    """

    keys: tuple[Key, ...]
    start: Floats
    precision: Floats
    measured_log: Floats
    work: Floats
    fixed_work: Floats
    fetched: Floats
    waits: Floats
    kernels_at: int
    places: npt.NDArray[np.int64]

    @staticmethod
    def of(rows: Sequence[Features], fixed: Mapping[Key, float]) -> _Problem:
        parts = sorted({part for one in rows if is_fitted_label(one.label) for part in one.instructions})
        kernels = [("kernel", label, *part) for part in parts for label in fitted_labels()]
        others = {(kind, one.core) for one in rows for kind in ("cpi", "per_byte")}
        others |= {(kind, one.device) for one in rows for kind in ("board", "stall")}
        others |= {("fetch", one.library) for one in rows}
        keys: tuple[Key, ...] = (*sorted(others), *kernels)
        place = {key: index for index, key in enumerate(keys)}
        work, fixed_work = np.zeros((len(rows), len(kernels))), np.zeros(len(rows))
        for index, one in enumerate(rows):
            for part, count in one.instructions.items():
                key = ("kernel", one.label, *part)
                if is_fitted_label(one.label):
                    work[index, place[key] - len(keys) + len(kernels)] = count
                else:
                    fixed_work[index] += count * fixed.get(key[:3], 1.0)
        places = np.array([
            [place["cpi", one.core], place["board", one.device], place["per_byte", one.core],
             place["stall", one.device], place["fetch", one.library]]
            for one in rows
        ], dtype=np.int64)  # fmt: skip
        return _Problem(
            keys, np.array([_prior(key).log for key in keys]), _precision(keys, place),
            np.log([one.measured_cycles for one in rows]), work, fixed_work,
            np.array([one.fetched_bytes for one in rows]), np.array([one.waits_cycles for one in rows]),
            len(keys) - len(kernels), places,
        )  # fmt: skip

    def step(self, logs: Floats) -> Floats:
        """One Gauss-Newton step: (J'WJ + P) step = J'W residual - P (logs - prior)."""
        predicted, jacobian = self.predicted(logs)
        residual = (self.measured_log - np.log(predicted)) / _NOISE
        weight = 1 / np.maximum(1.0, np.abs(residual) / _HUBER)
        scaled = jacobian / predicted[:, None] / _NOISE
        curvature = (scaled * weight[:, None]).T @ scaled + self.precision
        slope = (scaled * weight[:, None]).T @ residual - self.precision @ (logs - self.start)
        return np.linalg.solve(curvature, slope)

    def predicted(self, logs: Floats) -> tuple[Floats, Floats]:
        """Cycles per row, and their derivative by the log of every unknown."""
        cpi, board, per_byte, stall, fetch = self.places.T
        rate = np.exp(logs[cpi] + logs[board])
        by_kernel = rate[:, None] * self.work * np.exp(logs[self.kernels_at :])
        compute = by_kernel.sum(axis=1) + rate * self.fixed_work
        stalled = np.exp(logs[per_byte] + logs[stall] + logs[fetch]) * self.fetched
        jacobian = np.zeros((len(compute), len(logs)))
        row = np.arange(len(compute))
        jacobian[row, cpi] = jacobian[row, board] = compute
        jacobian[row, per_byte] = jacobian[row, stall] = jacobian[row, fetch] = stalled
        jacobian[:, self.kernels_at :] = by_kernel
        return compute + stalled + self.waits, jacobian


def _precision(keys: Sequence[Key], place: Mapping[Key, int]) -> Floats:
    """One over the prior's variance; a release's factor is tied to that of the release it resembles."""
    matrix = np.zeros((len(keys), len(keys)))
    before = fitted_labels()
    for key in keys:
        at = place[key]
        like = before[key[1]] if key[0] == "kernel" else ""
        if not like:
            matrix[at, at] += 1 / _prior(key).spread ** 2
            continue
        other, tie = place["kernel", like, *key[2:]], 1 / _RELEASE_SPREAD**2
        matrix[at, at] += tie
        matrix[other, other] += tie
        matrix[at, other] -= tie
        matrix[other, at] -= tie
    return matrix
