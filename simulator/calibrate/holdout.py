"""How far are predictions of rows that no fit has seen: unseen boards, boards with one network known?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .features import Features
from .fit import Fit, fit_rows, predicted_cycles
from .priors import Key


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One row predicted by a fit that did not see it.

    Args:
        ratio: measured / predicted.
        proportional_ratio: measured / predicted of a MAC-proportional model fitted to the same rows.
        given: the network of this board that the fit did see; "" for none.
    """

    features: Features
    ratio: float
    proportional_ratio: float
    given: str = ""

    @property
    def error(self) -> float:
        """|predicted / measured - 1|."""
        return abs(1 / self.ratio - 1)

    @property
    def proportional_error(self) -> float:
        return abs(1 / self.proportional_ratio - 1)


def without_board(rows: Sequence[Features], fixed: Mapping[Key, float]) -> tuple[HeldOut, ...]:
    """Every row predicted with all rows of its board left out."""
    found = []
    for device in sorted({one.device for one in rows}):
        seen = [one for one in rows if one.device != device]
        fit = fit_rows(seen, fixed)
        found += [_held_out(one, fit, seen, fixed) for one in rows if one.device == device]
    return tuple(found)


def with_one_network(rows: Sequence[Features], fixed: Mapping[Key, float]) -> tuple[HeldOut, ...]:
    """Every row predicted with one network of its board known and the rest of the board left out.

    For each choice of the network once.
    """
    found = []
    for device in sorted({one.device for one in rows}):
        others = [one for one in rows if one.device != device]
        own = [one for one in rows if one.device == device]
        networks = sorted({one.row.network for one in own})
        for network in networks if len(networks) > 1 else ():
            seen = [*others, *(one for one in own if one.row.network == network)]
            fit = fit_rows(seen, fixed)
            found += [
                _held_out(one, fit, seen, fixed, given=network) for one in own if one.row.network != network
            ]
    return tuple(found)


def median_of_choices(rows: Sequence[HeldOut], percentile: float) -> float | None:
    """The median, over all choices of (board, network given), of this percentile of the others' errors."""
    choices: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        choices.setdefault((row.features.device, row.given), []).append(row.error)
    if not choices:
        return None
    return float(np.median([np.percentile(errors, percentile) for errors in choices.values()]))


def _held_out(
    one: Features, fit: Fit, seen: Sequence[Features], fixed: Mapping[Key, float], *, given: str = ""
) -> HeldOut:
    ratio = one.measured_cycles / predicted_cycles(one, fit, fixed)
    return HeldOut(one, ratio, one.measured_cycles / _proportional_cycles(one, seen), given)


def _proportional_cycles(one: Features, seen: Sequence[Features]) -> float:
    """MACs x the median cycles per MAC of the rows most alike: same board, core and library, core, any."""
    alike = (
        [s for s in seen if s.device == one.device and s.library == one.library],
        [s for s in seen if s.core == one.core and s.library == one.library],
        [s for s in seen if s.core == one.core],
        list(seen),
    )
    rows = next(group for group in alike if group)
    return one.macs * float(np.median([s.measured_cycles / s.macs for s in rows]))
