"""What is known so far of a tile's points: arrays that are filled; what is not said stays unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...budget_words import severities
from ...columns import Floats, Grades
from ...estimate import Word
from ...figures import Figures, Objects
from ...interval import Basis, grade_of
from ...points import Points
from ..asked.specs import TargetSpec
from ..table import FIGURES, WORDS

ERROR = np.int8(WORDS.index("ERROR"))
_UNKNOWN_WORD, _UNKNOWN_GRADE = np.int8(Word.UNKNOWN.severity), np.int8(grade_of(Basis.UNKNOWN))
_PRICED = FIGURES[:-1]  # without accuracy, which is measured
Ends = tuple[Floats, Floats, Floats, Grades]  # value, lo, hi, grade by [variant, target]


class Sheet:
    """The arrays of a tile while they are filled: unknown until something is said of a point."""

    def __init__(self, variants: int, targets: int) -> None:
        shape = variants, targets
        self.figures: dict[str, Ends] = {name: _unknown(shape) for name in FIGURES}
        self.word = np.full(shape, _UNKNOWN_WORD)
        self.limiting, self.reason = np.full(shape, "", dtype=object), np.full(shape, "", dtype=object)

    def fail(self, rows: Any, columns: Any, error: str) -> None:
        """These points have an error in place of figures."""
        self.word[rows, columns] = ERROR
        self.reason[rows, columns] = error
        self.limiting[rows, columns] = ""

    def set_aside(self, column: int, target: TargetSpec) -> bool:
        """Whether nothing can be priced on this target; what failed already stays failed."""
        if target.target is None or target.error:
            self.fail(slice(None), column, target.error or "the target could not be made")
            return True
        if target.npu:
            fine = self.word[:, column] != ERROR
            self.reason[fine, column] = f"no cost model for {target.npu} yet"
            return True
        return False

    def put(self, points: Points, rows: Sequence[int], columns: Sequence[int]) -> None:
        """The figures and verdicts of these points."""
        where = np.ix_(rows, columns)
        for name in _PRICED:
            figures: Figures = getattr(points, name)
            value, lo, hi, grade = self.figures[name]
            value[where], lo[where], hi[where] = figures.value, figures.lo, figures.hi
            grade[where] = figures.grade
        self.word[where] = points.verdicts.severity
        self.limiting[where] = points.verdicts.limiting
        self.reason[where] = points.verdicts.reason

    def hold_accuracy(self, least: float, why: Objects) -> None:
        """The share of errors against the most that is allowed, by the rule of every budget.

        Args:
            why: it is unknown, by [variant, target].
        """
        value, lo, hi, _ = self.figures["accuracy"]
        own = severities(1 - value, 1 - hi, 1 - lo, budget=1 - least, tight_headroom=0.0).astype(np.int8)
        worse: npt.NDArray[np.bool_] = (self.word != ERROR) & (own > self.word)
        self.word[worse] = own[worse]
        self.limiting[worse] = "accuracy"
        silent = worse & np.isnan(value) & (self.reason == "")
        self.reason[silent] = why[silent]


def _unknown(shape: tuple[int, int]) -> Ends:
    value, lo, hi = (np.full(shape, np.nan) for _ in range(3))
    return value, lo, hi, np.full(shape, _UNKNOWN_GRADE)
