"""What does the command line offer: words in, one library call, a report out, an exit code by the verdict."""

from __future__ import annotations

from .app import run as run
