"""Make devices/calibrations/shipped.toml from simulator/data/measured/: `make calibrate`.

usage: calibrate.py [--check]      (--check: exit 1 if the file differs from what the rows make)
"""

from __future__ import annotations

import sys

from preflash.devices.calibration import SHIPPED
from preflash.simulator.calibrate.shipped import fit_shipped


def main(check: bool) -> int:
    text = fit_shipped().text
    if check:
        same = SHIPPED.read_text(encoding="utf-8") == text
        print(f"{SHIPPED.name}: {'as the rows make it' if same else 'differs: run make calibrate'}")
        return 0 if same else 1
    SHIPPED.write_text(text, encoding="utf-8")
    print(f"{SHIPPED.name}: {len(text)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
