"""How does a study of fragility read as one self-contained page?"""

from __future__ import annotations

from typing import Any

from .. import __version__
from ..simulator.fragility import Fragility
from .blocks import cell_text
from .fragility_chart import tornadoes
from .fragility_data import FIRST, by_words, fragility_blocks, lead, verdict_line
from .html import assets, environment, policy
from .output import utc_now
from .sections import model_line, target_line


def render_page(found: Fragility, *, command: str, data: str) -> str:
    """The page; it carries the JSON result."""
    parts = assets()
    context: dict[str, Any] = {
        "found": found,
        "version": __version__,
        "command": command,
        "created": utc_now(),
        "json": data,
        "policy": policy(parts),
        "cell_text": cell_text,
        "first": FIRST,
        "by": by_words(found),
        "lead": lead(found),
        "sentence": verdict_line(found.base.verdict),
        "model_line": model_line(found),
        "target_line": target_line(found),
        "charts": tornadoes(found),
        "blocks": fragility_blocks(found),
    }
    return environment().get_template("fragility.html").render(context, **parts)
