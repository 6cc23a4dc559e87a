"""Which coefficients make the measured rows most likely? Robust least squares on log cycles, with priors.

    cycles = cpi(core) board(device) build(device, runtime) sum(factor(runtime, class) instructions)
           + per_byte(core) stall(device) fetch(library) bytes + waits

minimises sum huber((log measured - log predicted) / noise) + sum ((log coefficient - prior) / spread)^2 by
Gauss-Newton steps. The priors keep what no row speaks of where it was: an unmeasured board is its core.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import erf, exp, pi, sqrt

import numpy as np
import numpy.typing as npt

from .features import Features, Part
from .priors import Floats, Key, Spreads, chosen_spreads, fitted_labels, is_fitted_label, precision_of, prior

_HUBER = 1.5
_STEPS = 60
# The integral of e^-huber: what makes it a density.
_MASS = sqrt(2 * pi) * erf(_HUBER / sqrt(2)) + 2 * exp(-(_HUBER**2) / 2) / _HUBER


@dataclass(frozen=True, slots=True)
class Fit:
    """The coefficients; `logs` holds those that rows speak of."""

    logs: Mapping[Key, float]
    spreads: Spreads

    def coefficient(self, *key: str) -> float:
        """e to the fitted log; the prior's for a key that no row speaks of."""
        return float(np.exp(self.logs.get(key, prior(key, self.spreads).log)))


def fit_rows(rows: Sequence[Features], fixed: Mapping[Key, float], spreads: Spreads | None = None) -> Fit:
    """The coefficients for these rows.

    Args:
        fixed: factors of kernels that are not fitted: ("kernel", label, class) -> factor; others of that
            label are 1.
        spreads: None is those that ship.
    """
    problem = _Problem.of(rows, fixed, spreads or chosen_spreads())
    return Fit(dict(zip(problem.keys, problem.solved().tolist(), strict=True)), problem.spreads)


def log_evidence(rows: Sequence[Features], fixed: Mapping[Key, float], spreads: Spreads) -> float:
    """The log of the probability of these rows under these spreads, by Laplace's approximation.

    log p = - sum huber - n log(noise mass) - d'Pd / 2 + log|P| / 2 - log|J'WJ + P| / 2, d = logs - prior.
    """
    problem = _Problem.of(rows, fixed, spreads)
    logs = problem.solved()
    predicted, jacobian = problem.predicted(logs)
    residual = np.abs(problem.measured_log - np.log(predicted)) / spreads.noise
    loss = np.where(residual <= _HUBER, residual**2 / 2, _HUBER * residual - _HUBER**2 / 2).sum()
    scaled = jacobian / predicted[:, None] / spreads.noise
    curvature = (scaled / np.maximum(1.0, residual / _HUBER)[:, None]).T @ scaled + problem.precision
    off = logs - problem.start
    volume = (np.linalg.slogdet(problem.precision)[1] - np.linalg.slogdet(curvature)[1]) / 2
    noise = len(residual) * np.log(spreads.noise * _MASS)
    return float(volume - loss - noise - off @ problem.precision @ off / 2)


def predicted_cycles(features: Features, fit: Fit, fixed: Mapping[Key, float]) -> float:
    """The formula above, for one row."""
    work = sum(count * _factor(fit, features, part, fixed) for part, count in features.instructions.items())
    device, core = features.device, features.core
    per_byte = fit.coefficient("per_byte", core) * fit.coefficient("stall", device)
    per_byte *= fit.coefficient("fetch", features.library)
    cpi = fit.coefficient("cpi", core) * fit.coefficient("board", device)
    cpi *= fit.coefficient("build", device, features.label)
    return cpi * work + per_byte * features.fetched_bytes + features.waits_cycles


def _factor(fit: Fit, features: Features, part: Part, fixed: Mapping[Key, float]) -> float:
    key = ("kernel", features.label, *part)
    return fit.coefficient(*key) if is_fitted_label(features.label) else fixed.get(key[:3], 1.0)


@dataclass(frozen=True, slots=True)
class _Problem:
    """The rows as arrays over the unknowns.

    Args:
        work: rows x kernels: instructions; fixed_work: those of kernels with a fixed factor.
        places: rows x (cpi, board, build, per byte, stall, fetch): where each of a row's unknowns is.
    """

    keys: tuple[Key, ...]
    spreads: Spreads
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
    def of(rows: Sequence[Features], fixed: Mapping[Key, float], spreads: Spreads) -> _Problem:
        parts = sorted({part for one in rows if is_fitted_label(one.label) for part in one.instructions})
        kernels = [("kernel", label, *part) for part in parts for label in fitted_labels()]
        keys: tuple[Key, ...] = (*sorted({key for one in rows for key in _row_keys(one)}), *kernels)
        place = {key: index for index, key in enumerate(keys)}
        first = len(keys) - len(kernels)
        work, fixed_work = np.zeros((len(rows), len(kernels))), np.zeros(len(rows))
        for index, one in enumerate(rows):
            for part, count in one.instructions.items():
                key = ("kernel", one.label, *part)
                if is_fitted_label(one.label):
                    work[index, place[key] - first] = count
                else:
                    fixed_work[index] += count * fixed.get(key[:3], 1.0)
        return _Problem(
            keys, spreads, np.array([prior(key, spreads).log for key in keys]),
            precision_of(keys, place, spreads), np.log([one.measured_cycles for one in rows]), work,
            fixed_work, np.array([one.fetched_bytes for one in rows]),
            np.array([one.waits_cycles for one in rows]), first,
            np.array([[place[key] for key in _row_keys(one)] for one in rows], dtype=np.int64),
        )  # fmt: skip

    def solved(self) -> Floats:
        """The logs of the coefficients, after as many steps as it takes."""
        logs = self.start.copy()
        for _ in range(_STEPS):
            step = self.step(logs)
            logs += np.clip(step, -0.5, 0.5)
            if np.abs(step).max(initial=0.0) < 1e-9:
                break
        return logs

    def step(self, logs: Floats) -> Floats:
        """One Gauss-Newton step: (J'WJ + P) step = J'W residual - P (logs - prior)."""
        predicted, jacobian = self.predicted(logs)
        residual = (self.measured_log - np.log(predicted)) / self.spreads.noise
        weight = 1 / np.maximum(1.0, np.abs(residual) / _HUBER)
        scaled = jacobian / predicted[:, None] / self.spreads.noise
        curvature = (scaled * weight[:, None]).T @ scaled + self.precision
        slope = (scaled * weight[:, None]).T @ residual - self.precision @ (logs - self.start)
        return np.linalg.solve(curvature, slope)

    def predicted(self, logs: Floats) -> tuple[Floats, Floats]:
        """Cycles per row, and their derivative by the log of every unknown."""
        cpi, board, build, per_byte, stall, fetch = self.places.T
        rate = np.exp(logs[cpi] + logs[board] + logs[build])
        by_kernel = rate[:, None] * self.work * np.exp(logs[self.kernels_at :])
        compute = by_kernel.sum(axis=1) + rate * self.fixed_work
        stalled = np.exp(logs[per_byte] + logs[stall] + logs[fetch]) * self.fetched
        jacobian = np.zeros((len(compute), len(logs)))
        row = np.arange(len(compute))
        jacobian[row, cpi] = jacobian[row, board] = jacobian[row, build] = compute
        jacobian[row, per_byte] = jacobian[row, stall] = jacobian[row, fetch] = stalled
        jacobian[:, self.kernels_at :] = by_kernel
        return compute + stalled + self.waits, jacobian


def _row_keys(one: Features) -> tuple[Key, ...]:
    """The unknowns of a row beside its kernels, in the order of `places`."""
    return (
        ("cpi", one.core), ("board", one.device), ("build", one.device, one.label), ("per_byte", one.core),
        ("stall", one.device), ("fetch", one.library),
    )  # fmt: skip
