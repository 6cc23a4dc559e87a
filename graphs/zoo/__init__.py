"""Which reference networks can be built by name: one file per family, one table of them all."""

from __future__ import annotations

from .catalogue import ZOO, build, options_of
from .mobilenet_v2 import rounded_channels

__all__ = ["ZOO", "build", "options_of", "rounded_channels"]
