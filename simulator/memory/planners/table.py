"""Which planners are there? One visible table."""

from __future__ import annotations

from . import exact, hill_climb
from .best import GREEDY
from .problem import Planner

PLANNERS: dict[str, Planner] = {
    **GREEDY,
    "hill-climb": hill_climb.place,
    "exact": exact.place,
}
