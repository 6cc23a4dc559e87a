"""What is known of a constant beyond its stored values: true bits, zeros that were pruned, shared values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class WeightForm:
    """What variants made of one constant.

    Args:
        bits: bits that one value needs where that is less than its type's, e.g. 4 for int8 within -8..7;
            None is the type's own.
        mask: bool, the tensor's shape; False where a weight was pruned and stays zero.
        pattern: how the zeros are arranged: "" is anyhow, else "1x4" (block), "2:4", "stride 2", ...
        codebook: real values that weights share: shape (codes,), or (channels, codes) with one table per
            channel of `axis`; unused places repeat the last value.
        assignment: the tensor's shape: which value of the codebook.
        axis: the dimension of the codebooks' channels, and of the grids of few bits of a float constant.
    """

    bits: int | None = None
    mask: npt.NDArray[np.bool_] | None = None
    pattern: str = ""
    codebook: npt.NDArray[np.float64] | None = None
    assignment: npt.NDArray[np.uint16] | None = None
    axis: int = 0

    @property
    def code_count(self) -> int:
        """Values per codebook; 0 where weights share none."""
        return 0 if self.codebook is None else int(self.codebook.shape[-1])
