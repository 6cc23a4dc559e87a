"""How does a study of fragility read as one self-contained page?"""

from __future__ import annotations

from typing import Any

from ..simulator.fragility import Fragility
from .fragility_chart import tornadoes
from .fragility_data import FIRST, by_words, fragility_blocks, lead, verdict_line
from .html import assets, rendered
from .output import utc_now
from .sections import model_line, target_line


def render_page(found: Fragility, *, command: str, data: str) -> str:
    """The page; it carries the JSON result."""
    context: dict[str, Any] = {
        "found": found,
        "command": command,
        "created": utc_now(),
        "json": data,
        "first": FIRST,
        "by": by_words(found),
        "lead": lead(found),
        "sentence": verdict_line(found.base.verdict),
        "model_line": model_line(found),
        "target_line": target_line(found),
        "charts": tornadoes(found),
        "blocks": fragility_blocks(found),
    }
    return rendered("fragility.html", assets(), **context)
