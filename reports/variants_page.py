"""How does a study of variants read as one self-contained page?"""

from __future__ import annotations

from typing import Any

from .. import __version__
from ..simulator.variant_study import VariantStudy
from .blocks import cell_text
from .html import assets, environment, policy
from .output import utc_now
from .variants_chart import cost_charts
from .variants_data import study_blocks


def render_page(study: VariantStudy, *, command: str, data: str) -> str:
    """The page; it carries the JSON result."""
    parts = assets()
    context: dict[str, Any] = {
        "study": study,
        "version": __version__,
        "command": command,
        "created": utc_now(),
        "json": data,
        "policy": policy(parts),
        "cell_text": cell_text,
        "charts": cost_charts(study),
        "blocks": study_blocks(study),
        "numbers": {variant.name: number for number, variant in enumerate(study.variants)},
        "made": sum(not variant.error for variant in study.variants),
    }
    return environment().get_template("variants.html").render(context, **parts)
