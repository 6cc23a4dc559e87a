"""Which kernel do the NEON libraries of LiteRT run an op with: product, sparse, depthwise or vector?"""

from __future__ import annotations

from ..graphs.ir import Op, Subgraph

LIBRARIES = frozenset({"xnnpack", "ruy", "eigen", "gemmlowp"})
SPARSE = "spmm"
# What is not listed runs element by element.
_ROUTES = {
    "CONV_2D": "gemm", "TRANSPOSE_CONV": "gemm", "FULLY_CONNECTED": "gemm", "BATCH_MATMUL": "gemm",
    "DEPTHWISE_CONV_2D": "depthwise",
}  # fmt: skip


def neon_route(subgraph: Subgraph, op: Op, flavour: str) -> tuple[str, str]:
    """The route's name, and why a 1x1 convolution does not run sparse where the runtime has such kernels."""
    route = _ROUTES.get(op.kind, "vector")
    if flavour != "sparse" or op.kind != "CONV_2D":
        return route, ""
    from .sparse_path import sparse_path  # few runtimes have sparse kernels

    why = sparse_path(subgraph).why_dense.get(op.index)
    return (SPARSE, "") if why == "" else (route, why or "")
