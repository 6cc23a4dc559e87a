"""How does a need stand against its budget? The one rule behind every verdict, for one need or many."""

from __future__ import annotations

from typing import Any

import numpy as np

from .columns import Floats
from .estimate import Word

BY_SEVERITY = tuple(sorted(Word, key=lambda word: word.severity))
_TIGHT, _RISKY, _UNKNOWN, _NO = (
    word.severity for word in (Word.TIGHT, Word.RISKY, Word.UNKNOWN, Word.NO)
)  # FITS is 0


def severities(value: Any, lo: Any, hi: Any, *, budget: float, tight_headroom: float) -> Any:
    """Positions in BY_SEVERITY, of floats or arrays of them; nan is unknown.

    NO if lo > budget; UNKNOWN if there is no value; RISKY if hi > budget;
    TIGHT if value > budget * (1 - tight_headroom); FITS otherwise.
    """
    fits_not, lost, risky = lo > budget, (value != value) | (hi != hi), hi > budget
    tight = value > budget * (1 - tight_headroom)
    known = (1 - risky) * (_TIGHT * tight) + _RISKY * risky
    return (1 - fits_not) * ((1 - lost) * known + _UNKNOWN * lost) + _NO * fits_not


def headrooms(value: Floats, budget: float) -> Floats:
    """1 - value / budget; nan where the value is unknown or there is no budget."""
    return 1 - value / budget if budget > 0 else np.full(len(value), np.nan)
