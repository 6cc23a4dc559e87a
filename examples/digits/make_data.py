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
    pictures = (digits.images[..., None] / 16).astype(np.float32)  # 0 to 1, exact in binary
    order = np.random.default_rng(SEED).permutation(len(digits.target))
    ends = np.cumsum(list(COUNTS.values()))
    parts = dict(zip(COUNTS, np.split(order, ends[:-1]), strict=True))
    parts["held_out"] = np.concatenate([parts["calibration"], parts["test"]])
    OUT.mkdir(exist_ok=True)
    for name, rows in parts.items():
        np.savez_compressed(OUT / f"{name}.npz", x=pictures[rows], y=digits.target[rows].astype(np.int64))


if __name__ == "__main__":
    main()
