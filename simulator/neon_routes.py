"""Which kernel do the NEON libraries of LiteRT run an op with: product, depthwise or vector?"""

from __future__ import annotations

LIBRARIES = frozenset({"xnnpack", "ruy", "eigen", "gemmlowp"})
# What is not listed runs element by element.
_ROUTES = {
    "CONV_2D": "gemm", "TRANSPOSE_CONV": "gemm", "FULLY_CONNECTED": "gemm", "BATCH_MATMUL": "gemm",
    "DEPTHWISE_CONV_2D": "depthwise",
}  # fmt: skip


def neon_route(kind: str) -> str:
    """The route's name."""
    return _ROUTES.get(kind, "vector")
