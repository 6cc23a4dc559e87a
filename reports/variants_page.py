"""How does a study of variants read as one self-contained page?"""

from __future__ import annotations

from typing import Any

from ..simulator.variant_study import VariantStudy
from .html import assets, rendered
from .output import utc_now
from .variants_chart import cost_charts
from .variants_data import study_blocks


def render_page(study: VariantStudy, *, command: str, data: str) -> str:
    """The page; it carries the JSON result."""
    context: dict[str, Any] = {
        "study": study,
        "command": command,
        "created": utc_now(),
        "json": data,
        "charts": cost_charts(study),
        "blocks": study_blocks(study),
        "numbers": {variant.name: number for number, variant in enumerate(study.variants)},
        "made": sum(not variant.error for variant in study.variants),
    }
    return rendered("variants.html", assets(), **context)
