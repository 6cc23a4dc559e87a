"""Make data/*.npz from scikit-learn's copy of the digits (needs scikit-learn; the files are committed).

usage: make_data.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

OUT = Path(__file__).parent / "data"
SEED = 2024
COUNTS = {"train": 1000, "calibration": 197, "test": 600}


def main() -> None:
    digits = load_digits()
    order = np.random.default_rng(SEED).permutation(len(digits.target))
    OUT.mkdir(exist_ok=True)
    start = 0
    for name, count in COUNTS.items():
        rows = order[start : start + count]
        pictures = (digits.images[rows, :, :, None] / 16).astype(np.float32)  # 0 to 1, exact in binary
        np.savez_compressed(OUT / f"{name}.npz", x=pictures, y=digits.target[rows].astype(np.int64))
        start += count


if __name__ == "__main__":
    main()
