"""What do fitted coefficients and held-out residuals look like as a calibration?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import mode
from typing import cast

import numpy as np

from ...devices.calibration import (
    BoardFit,
    BuildFit,
    Calibration,
    CoreFit,
    FetchFit,
    Given,
    KernelFit,
    SpreadFit,
)
from ...devices.spec import CoreName
from .features import SPLIT, Features
from .fit import Fit
from .holdout import HeldOut
from .priors import Key, fitted_labels

_DIGITS = 4  # figures that reproduce bit for bit wherever they are fitted
_FEW = 10  # rows below which a library's residuals are pooled with all others


def assembled(
    rows: Sequence[Features], fit: Fit, fixed: Mapping[Key, float], *, spreads: Sequence[SpreadFit],
    date: str,
) -> Calibration:  # fmt: skip
    """The calibration that these rows make."""
    sources = tuple(dict.fromkeys(one.row.source.split(":")[0] for one in rows if one.row.source))
    return Calibration.model_construct(
        date=date, sources=sources, cores=_cores(rows, fit), boards=_boards(rows, fit),
        builds=_builds(rows, fit),
        kernels=(*_kernels(rows, fit), *_fixed_kernels(fixed)), fetches=_fetches(rows, fit),
        spreads=tuple(spreads),
    )  # fmt: skip


def spreads_of(board_out: Sequence[HeldOut], one_given: Sequence[HeldOut]) -> tuple[SpreadFit, ...]:
    """p10, p50 and p90 of measured / predicted, per library and over all; every board weighs the same."""
    spreads = []
    cases: tuple[tuple[Given, Sequence[HeldOut]], ...] = (("core", board_out), ("board", one_given))
    for given, rows in cases:
        for library in ("", *sorted({row.features.library for row in rows})):
            chosen = [row for row in rows if library in ("", row.features.library)]
            if len(chosen) >= _FEW or (chosen and not library):
                spreads.append(_spread(library, given, chosen))
    return tuple(spreads)


def _spread(library: str, given: Given, rows: Sequence[HeldOut]) -> SpreadFit:
    low, middle, high = (rounded(ratio) for ratio in quantiles(rows, (0.1, 0.5, 0.9)))
    return SpreadFit(library=library, given=given, p10=low, p50=middle, p90=high, rows=len(rows))


def quantiles(rows: Sequence[HeldOut], fractions: Sequence[float]) -> list[float]:
    """Quantiles of measured / predicted where every board weighs the same, however many rows it has."""
    on_board = Counter(row.features.device for row in rows)
    ordered = sorted((row.ratio, 1 / on_board[row.features.device]) for row in rows)
    reached = np.cumsum([weight for _, weight in ordered]) / len(on_board)
    places = np.minimum(np.searchsorted(reached, fractions), len(ordered) - 1)
    return [ordered[place][0] for place in places.tolist()]


def rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _cores(rows: Sequence[Features], fit: Fit) -> tuple[CoreFit, ...]:
    found = []
    for core in sorted({one.core for one in rows}):
        own = [one for one in rows if one.core == core]
        found.append(CoreFit(
            core=cast("CoreName", core), cpi=rounded(fit.coefficient("cpi", core)),
            cycles_per_byte=rounded(fit.coefficient("per_byte", core)), rows=len(own),
            boards=len({one.device for one in own}),
        ))  # fmt: skip
    return tuple(found)


def _boards(rows: Sequence[Features], fit: Fit) -> tuple[BoardFit, ...]:
    found = []
    for device in sorted({one.device for one in rows}):
        own = [one for one in rows if one.device == device]
        found.append(BoardFit.model_construct(
            device=device, factor=rounded(fit.coefficient("board", device)),
            stall_factor=rounded(fit.coefficient("stall", device)),
            at_clock_hz=mode(one.target.clock_hz for one in own),
            libraries=tuple(sorted({one.library for one in own})), rows=len(own),
        ))  # fmt: skip
    return tuple(found)


def _builds(rows: Sequence[Features], fit: Fit) -> tuple[BuildFit, ...]:
    counts = Counter((one.device, one.label) for one in rows)
    return tuple(
        BuildFit(
            device=device, runtime=label, factor=rounded(fit.coefficient("build", device, label)), rows=count
        )
        for (device, label), count in sorted(counts.items())
    )


def _kernels(rows: Sequence[Features], fit: Fit) -> tuple[KernelFit, ...]:
    classes = sorted({part[0] for one in rows if one.label in fitted_labels() for part in one.instructions})
    found = []
    for label in fitted_labels():
        count = sum(one.label == label for one in rows)
        source = f"fitted to {count} rows of this release and to those that it resembles"
        for name in classes:
            parts = ("loops", "rest") if name in SPLIT else ("all", "all")
            inner, rest = (rounded(fit.coefficient("kernel", label, name, part)) for part in parts)
            found.append(
                KernelFit(runtime=label, kernels=name, factor=inner, rest_factor=rest, source=source)
            )
    return tuple(found)


def _fixed_kernels(fixed: Mapping[Key, float]) -> tuple[KernelFit, ...]:
    source = "instructions counted for the release's own sources (cpi_check.csv), not fitted to latencies"
    each = ((key[1], key[2], rounded(value)) for key, value in sorted(fixed.items()))
    return tuple(
        KernelFit(runtime=label, kernels=name, factor=value, rest_factor=value, source=source)
        for label, name, value in each
    )


def _fetches(rows: Sequence[Features], fit: Fit) -> tuple[FetchFit, ...]:
    libraries = sorted({one.library for one in rows} - {"cmsis-nn"})
    return tuple(FetchFit(library=one, factor=rounded(fit.coefficient("fetch", one))) for one in libraries)
