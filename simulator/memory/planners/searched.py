"""Which buffers has the search looked at already? Each set once, unless there is more time for it."""

from __future__ import annotations

from collections.abc import Sequence

from .exact import optimal_layout
from .problem import Layout, Request


class Searches:
    """The layouts that `optimal_layout` found for this study."""

    def __init__(self) -> None:
        self._known: dict[tuple[Request, ...], tuple[float, Layout]] = {}

    def layout(self, requests: Sequence[Request], *, seconds: float, hint: Layout | None = None) -> Layout:
        """As `optimal_layout`; what is proven, or was looked for as long, is not looked for again."""
        key = tuple(requests)
        had_s, known = self._known.get(key, (0.0, None))
        if known is not None and (known.is_optimal or had_s >= seconds):
            return known
        found = optimal_layout(requests, seconds=seconds, hint=hint)
        self._known[key] = seconds, found
        return found
