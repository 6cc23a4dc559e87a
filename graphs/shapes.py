"""What shapes come out of an op: one rule per kind, from input shapes, attributes and constants."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from .dims import WINDOWED, op_dims
from .ir import Op, Subgraph
from .reading import Reading, Shapes, broadcast
from .slicing import SLICING

Rule = Callable[[Reading], Shapes | None]


def infer_shapes(subgraph: Subgraph, op: Op) -> Shapes | None:
    """The shapes of the op's outputs; None where no rule exists or the shape is known only when running.

    Ask for the parts of a fused op one by one. Raises ShapeInvalid where the inputs contradict each other.
    """
    rule, reading = RULES.get(op.kind), Reading(subgraph, op)
    if rule is None or op.fused or any(-1 in shape for shape in reading.shapes()):
        return None
    found = rule(reading)
    if found is not None and any(extent < 0 for shape in found for extent in shape):
        raise reading.fault("would give a negative extent")
    return found


_STEPS = ("stride_h", "stride_w", "dilation_h_factor", "dilation_w_factor", "filter_height", "filter_width")


def _same(r: Reading) -> Shapes:
    return (r.shape(),)


def _broadcast_all(r: Reading) -> Shapes:
    common = r.shape()
    for shape in r.shapes()[1:]:
        wider = broadcast(common, shape)
        if wider is None:
            raise r.fault("has operands that do not broadcast")
        common = wider
    return (common,)


def _all_equal(r: Reading) -> Shapes:
    if len(set(r.shapes())) != 1:
        raise r.fault("needs operands of one shape")
    return (r.shape(),)


def _windowed(r: Reading) -> Shapes | None:
    """(batch, out_h, out_w, channels); the window is geometry.slide."""
    for name in (
        "stride_h",
        "stride_w",
        "dilation_h_factor",
        "dilation_w_factor",
        "filter_height",
        "filter_width",
    ):
        if r.attribute(name, 1) < 1:
            raise r.fault(f"has {name} {r.attribute(name, 1)}")
    if len(r.shape()) != 4 and r.op.kind != "TRANSPOSE_CONV":
        raise r.fault("needs a four-dimensional input")
    dims = op_dims(r.subgraph, r.op)
    if dims is None:
        return None
    if r.op.kind == "CONV_2D" and (dims.filter_c < 1 or dims.in_c % dims.filter_c):
        raise r.fault("has a filter whose depth does not divide the input's")
    if r.op.kind == "DEPTHWISE_CONV_2D" and (r.shape(1)[0] != 1 or dims.in_c < 1 or dims.out_c % dims.in_c):
        raise r.fault("has a filter whose channels are no multiple of the input's")
    if r.has(2) and r.op.kind.endswith("CONV_2D") and prod(r.shape(2)) != dims.out_c:
        raise r.fault("has a bias of another length than its filter's channels")
    return ((dims.batch, dims.out_h, dims.out_w, dims.out_c),)


def _transpose_conv(r: Reading) -> Shapes | None:
    """The shape that the first input states."""
    if any(r.attribute(name, 1) < 1 for name in ("stride_h", "stride_w")):
        raise r.fault("has a stride below 1")
    target, weight, data = r.integers(0), r.shape(1), r.shape(2)
    if target is None:
        return None
    if len(target) != 4 or len(weight) != 4 or len(data) != 4:
        raise r.fault("needs four-dimensional tensors")
    if weight[3] != data[3] or target[3] != weight[0] or target[0] != data[0]:
        raise r.fault(f"has a filter that does not lead from its input to {target}")
    return (tuple(target),)


def _fully_connected(r: Reading) -> Shapes:
    data, weight = r.shape(0), r.shape(1)
    if len(weight) != 2 or weight[1] < 1 or prod(data) % weight[1]:
        raise r.fault("has weights whose depth does not divide its input")
    if r.has(2) and prod(r.shape(2)) != weight[0]:
        raise r.fault("has a bias of another length than its units")
    if r.attribute("keep_num_dims", False):
        return ((*data[:-1], weight[0]),)
    return ((prod(data) // weight[1], weight[0]),)


def _reshape(r: Reading) -> Shapes | None:
    if r.has(1):
        target = r.integers(1)
    else:
        target = list(r.attribute("new_shape", ()) or ())
        target = [] if target == [0] else target  # the old way to write a scalar
    if target is None:
        return None
    count = prod(r.shape())
    known = prod(d for d in target if d != -1)
    if target.count(-1) > 1 or (-1 in target and (known == 0 or count % known)):
        raise r.fault(f"cannot become {target}")
    shape = tuple(count // known if d == -1 else d for d in target)
    if prod(shape) != count or min(shape, default=0) < 0:
        raise r.fault(f"cannot become {target}")
    return (shape,)


def _squeeze(r: Reading) -> Shapes:
    shape = r.shape()
    dropped = {r.axis(d, len(shape)) for d in r.attribute("squeeze_dims", ()) or ()}
    if any(shape[d] != 1 for d in dropped):
        raise r.fault("drops a dimension longer than 1")
    dropped = dropped or {d for d, extent in enumerate(shape) if extent == 1}
    return (tuple(extent for d, extent in enumerate(shape) if d not in dropped),)


def _expand_dims(r: Reading) -> Shapes | None:
    axes = r.integers(1)
    if axes is None or len(axes) != 1:
        return None
    at = r.axis(axes[0], len(r.shape()) + 1)
    return ((*r.shape()[:at], 1, *r.shape()[at:]),)


def _pad(r: Reading) -> Shapes | None:
    amounts, shape = r.integers(1), r.shape()
    if amounts is None:
        return None
    if len(amounts) != 2 * len(shape) or min(amounts, default=0) < 0:
        raise r.fault(f"has paddings {amounts}")
    return (tuple(d + amounts[2 * i] + amounts[2 * i + 1] for i, d in enumerate(shape)),)


def _concatenation(r: Reading) -> Shapes:
    shapes = r.shapes()
    axis = r.axis(r.attribute("axis", 0), len(r.shape()))
    if len({(*s[:axis], *s[axis + 1 :]) for s in shapes}) != 1 or len({len(s) for s in shapes}) != 1:
        raise r.fault(f"joins shapes that differ beside axis {axis}")
    return ((*shapes[0][:axis], sum(s[axis] for s in shapes), *shapes[0][axis + 1 :]),)


def _reduce(r: Reading) -> Shapes | None:
    axes, shape = r.integers(1), r.shape()
    if axes is None:
        return None
    gone = {r.axis(a, len(shape)) for a in axes}
    if r.attribute("keep_dims", False):
        return (tuple(1 if d in gone else extent for d, extent in enumerate(shape)),)
    return (tuple(extent for d, extent in enumerate(shape) if d not in gone),)


def _matrix_product(r: Reading) -> Shapes:
    a, b = r.shape(0), r.shape(1)
    if len(a) < 2 or len(b) < 2:
        raise r.fault("needs matrices")
    rows, depth = (a[-1], a[-2]) if r.attribute("adj_x", False) else (a[-2], a[-1])
    depth_b, cols = (b[-1], b[-2]) if r.attribute("adj_y", False) else (b[-2], b[-1])
    batches = broadcast(a[:-2], b[:-2])
    if depth != depth_b or batches is None:
        raise r.fault("has matrices that do not fit together")
    return ((*batches, rows, cols),)


def _resize(r: Reading) -> Shapes | None:
    size = r.integers(1)
    if size is None:
        return None
    if len(size) != 2 or len(r.shape()) != 4:
        raise r.fault(f"cannot be resized to {size}")
    return ((r.shape()[0], size[0], size[1], r.shape()[3]),)


def _svdf(r: Reading) -> Shapes:
    rank = r.attribute("rank", 0)
    if rank < 1 or len(r.shape(0)) != 2 or len(r.shape(1)) != 2 or r.shape(1)[0] % rank:
        raise r.fault(f"has rank {rank}")
    return ((r.shape(0)[0], r.shape(1)[0] // rank),)


def _lstm(r: Reading) -> Shapes | None:
    """The input with the outputs' count as its last dimension; recurrent weights are (cells, outputs)."""
    if not r.has(8) or len(r.shape()) != 3 or len(r.shape(8)) != 2:
        return None
    return ((*r.shape()[:2], r.shape(8)[1]),)


_UNARY = """ABS CAST CEIL COS CUMSUM DEQUANTIZE ELU EXP FLOOR GELU HARD_SWISH L2_NORMALIZATION LEAKY_RELU LOG
LOGICAL_NOT LOGISTIC LOG_SOFTMAX NEG QUANTIZE RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 ROUND RSQRT SIGN SIN SOFTMAX
SQRT SQUARE TANH ZEROS_LIKE LOCAL_RESPONSE_NORMALIZATION REVERSE_V2 FAKE_QUANT"""
_BINARY = """ADD SUB MUL DIV MAXIMUM MINIMUM POW SQUARED_DIFFERENCE FLOOR_DIV FLOOR_MOD LESS LESS_EQUAL
GREATER GREATER_EQUAL EQUAL NOT_EQUAL LOGICAL_AND LOGICAL_OR PRELU ATAN2 SELECT_V2"""
_REDUCERS = "MEAN SUM REDUCE_MAX REDUCE_MIN REDUCE_PROD REDUCE_ANY REDUCE_ALL"

RULES: dict[str, Rule] = {
    **dict.fromkeys(_UNARY.split(), _same),
    **dict.fromkeys(_BINARY.split(), _broadcast_all),
    **dict.fromkeys(_REDUCERS.split(), _reduce),
    **dict.fromkeys(sorted(WINDOWED - {"TRANSPOSE_CONV"}), _windowed),
    **dict.fromkeys(("PAD", "PADV2"), _pad),
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), _resize),
    **SLICING,
    "TRANSPOSE_CONV": _transpose_conv,
    "FULLY_CONNECTED": _fully_connected,
    "ADD_N": _all_equal,
    "RESHAPE": _reshape,
    "SQUEEZE": _squeeze,
    "EXPAND_DIMS": _expand_dims,
    "CONCATENATION": _concatenation,
    "BATCH_MATMUL": _matrix_product,
    "SVDF": _svdf,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}
