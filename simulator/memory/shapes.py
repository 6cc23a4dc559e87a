"""How many bytes does a tensor take in TFLM's arena, with the shape that Prepare leaves behind?

Rules: specs/tflm_memory.md section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import cast

from ...graphs.ir import DType, Op, Subgraph
from ..operands import dims_of, operand

# section 2: TFLM stores an int4 activation unpacked; types that are not here make AllocateTensors fail
ELEMENT_BYTES = {
    DType.BOOL: 1, DType.INT4: 1, DType.INT8: 1, DType.UINT8: 1,
    DType.INT16: 2, DType.UINT16: 2, DType.FLOAT16: 2, DType.BFLOAT16: 2,
    DType.INT32: 4, DType.UINT32: 4, DType.FLOAT32: 4, DType.RESOURCE: 4,
    DType.INT64: 8, DType.UINT64: 8, DType.FLOAT64: 8, DType.COMPLEX64: 8, DType.COMPLEX128: 16,
}  # fmt: skip

Shape = tuple[int, ...]
ShapeRule = Callable[[Subgraph, Op], Shape | None]


def prepared_shape(subgraph: Subgraph, tensor: int) -> Shape:
    """The shape after Prepare: the stored one unless the producing kernel rewrites it."""
    return _rewritten(subgraph).get(tensor, subgraph.tensors[tensor].shape)


def tensor_bytes(subgraph: Subgraph, tensor: int) -> int:
    """bytes = product(prepared shape) x element bytes; a scalar has one element."""
    return prod(prepared_shape(subgraph, tensor)) * ELEMENT_BYTES[subgraph.tensors[tensor].dtype]


def _rewritten(subgraph: Subgraph) -> dict[int, Shape]:
    """tensor index -> the shape its kernel computes, where it differs from the stored one."""
    known = subgraph.__dict__.get("_prepared_shapes")
    if known is None:
        # kept before it is full: a rule reads what earlier ops left behind
        known = subgraph.__dict__["_prepared_shapes"] = {}
        for op in subgraph.ops:
            rule = _RULES.get(op.kind)
            shape = rule(subgraph, op) if rule is not None and op.outputs else None
            if shape is not None and op.outputs[0] >= 0 and shape != subgraph.tensors[op.outputs[0]].shape:
                known[op.outputs[0]] = shape
    return cast("dict[int, Shape]", known)


def _shape(subgraph: Subgraph, op: Op, position: int) -> Shape | None:
    tensor = operand(subgraph, op, position)
    if tensor is None:
        return None
    shape = prepared_shape(subgraph, tensor.index)
    return shape if all(d >= 0 for d in shape) else None


def _reshape(subgraph: Subgraph, op: Op) -> Shape | None:
    """An output dimension of -1 is solved from the input's element count."""
    out, source = subgraph.tensors[op.outputs[0]].shape, _shape(subgraph, op, 0)
    if source is None or out.count(-1) != 1:
        return None
    rest = -prod(out)
    return tuple(prod(source) // rest if d == -1 else d for d in out) if rest > 0 else None


def _batch_matmul(subgraph: Subgraph, op: Op) -> Shape | None:
    """(broadcast batch dims, rows of left, columns of right)."""
    left, right = _shape(subgraph, op, 0), _shape(subgraph, op, 1)
    if left is None or right is None or len(left) < 2 or len(right) < 2:
        return None
    rows = left[-1] if getattr(op.attributes, "adj_x", False) else left[-2]
    columns = right[-2] if getattr(op.attributes, "adj_y", False) else right[-1]
    rank = max(len(left), len(right))
    batch = zip((1,) * (rank - len(left)) + left[:-2], (1,) * (rank - len(right)) + right[:-2], strict=True)
    return (*(b if a == 1 else a for a, b in batch), rows, columns)


def _gather(subgraph: Subgraph, op: Op) -> Shape | None:
    """params[:axis] + indices[batch_dims:] + params[axis+1:]."""
    source, indices = _shape(subgraph, op, 0), _shape(subgraph, op, 1)
    axis = getattr(op.attributes, "axis", 0)
    skipped = getattr(op.attributes, "batch_dims", 0)
    if source is None or indices is None:
        return None
    axis += len(source) if axis < 0 else 0
    skipped += len(indices) if skipped < 0 else 0
    if not 0 <= axis < len(source):
        return None
    return source[:axis] + indices[skipped:] + source[axis + 1 :]


def _gather_nd(subgraph: Subgraph, op: Op) -> Shape | None:
    """indices[:-1] + params[indices[-1]:]."""
    source, indices = _shape(subgraph, op, 0), _shape(subgraph, op, 1)
    return indices[:-1] + source[indices[-1] :] if source is not None and indices else None


def _depth_to_space(subgraph: Subgraph, op: Op) -> Shape | None:
    source, block = _shape(subgraph, op, 0), getattr(op.attributes, "block_size", 0)
    if source is None or len(source) != 4 or block < 1:
        return None
    return source[0], source[1] * block, source[2] * block, source[3] // (block * block)


def _space_to_depth(subgraph: Subgraph, op: Op) -> Shape | None:
    source, block = _shape(subgraph, op, 0), getattr(op.attributes, "block_size", 0)
    if source is None or len(source) != 4 or block < 1:
        return None
    return source[0], source[1] // block, source[2] // block, source[3] * block * block


def _l2_pool(subgraph: Subgraph, op: Op) -> Shape | None:
    dims = dims_of(subgraph, op)
    return None if dims is None else (dims.batch, dims.out_h, dims.out_w, dims.out_c)


def _embedding_lookup(subgraph: Subgraph, op: Op) -> Shape | None:
    """(number of ids,) + rows of the table."""
    ids, table = _shape(subgraph, op, 0), _shape(subgraph, op, 1)
    return (ids[0], *table[1:]) if ids and table else None


_RULES: dict[str, ShapeRule] = {
    "RESHAPE": _reshape,
    "BATCH_MATMUL": _batch_matmul,
    "GATHER": _gather,
    "GATHER_ND": _gather_nd,
    "DEPTH_TO_SPACE": _depth_to_space,
    "SPACE_TO_DEPTH": _space_to_depth,
    "L2_POOL_2D": _l2_pool,
    "EMBEDDING_LOOKUP": _embedding_lookup,
}
