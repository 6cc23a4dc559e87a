"""What starts and ends a command: python -m preflash, and the console script."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress

# No thread pool for arrays of a hundred numbers; no search for pydantic plugins among all installed packages.
_QUICK_START = {"OPENBLAS_NUM_THREADS": "1", "PYDANTIC_DISABLE_PLUGINS": "__all__"}


def main() -> None:
    """Runs the command line; a check is short, so it goes without what only long runs need.

    The process ends at once: taking the interpreter down in order costs a sixth of a check.
    """
    gc.disable()
    for name, value in _QUICK_START.items():
        os.environ.setdefault(name, value)
    from .cli import run

    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # a closed stream is None
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
