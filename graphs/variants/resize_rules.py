"""What must ops say of shapes once the picture has other extents: constants, windows, weights of flat inputs?

A rule per kind; a kind without one is not understood. What an op makes follows from `shapes.infer_shapes`.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from ..geometry import Padding
from ..ir import OPTIONAL
from ..reading import Reading
from .picked import Positions
from .resize_change import Change, Rule, Said
from .resize_cuts import CUTS
from .resize_shapes import Shape, reshaped_to


def _follows(_: Change) -> Said:
    """Nothing in the op depends on extents."""
    return Said()


def _conv(c: Change) -> Said:
    data = 2 if c.r.op.kind == "TRANSPOSE_CONV" else 0
    if len(c.new(data)) == 4 and c.changes(3, data):
        raise c.refused("reads what changes as channels")
    if c.r.op.kind != "TRANSPOSE_CONV":
        return Said()
    return Said(integers={0: _target(c)})


def _target(c: Change) -> list[int]:
    """out' = out + stride x (in' - in)."""
    stated, old, new = c.r.integers(0), c.r.shape(2), c.new(2)
    if stated is None or len(old) != 4:
        raise c.refused("has a shape known only when running")
    strides = (0, c.r.attribute("stride_h", 1), c.r.attribute("stride_w", 1), 0)
    return [out + s * (n - o) for out, s, n, o in zip(stated, strides, new, old, strict=True)]


def _pool(c: Change) -> Said:
    """A window over the whole picture stays one: filter' = in' - (in - filter); any other window stays."""
    attributes, said = c.r.op.attributes, dict[str, int]()
    sides = ((1, "filter_height", "stride_h"), (2, "filter_width", "stride_w"))
    if attributes is None or not _is_global(c):
        return Said()
    for axis, window, stride in sides:
        old = c.r.attribute(window, 1)
        said[window] = max(1, c.new()[axis] - c.r.shape()[axis] + old)
        if c.r.attribute(stride, 1) == old:
            said[stride] = said[window]
    return Said(replace(attributes, **said))


_SMALL_WINDOW = 3  # a maximum over 2x2 or 3x3 that happens to leave one pixel is not over the whole picture


def _is_global(c: Change) -> bool:
    """Whether one pixel is left, and not by a maximum over a small window."""
    out = c.r.subgraph.tensors[c.r.op.outputs[0]].shape
    window = max(c.r.attribute("filter_height", 1), c.r.attribute("filter_width", 1))
    return out[1:3] == (1, 1) and (c.r.op.kind != "MAX_POOL_2D" or window > _SMALL_WINDOW)


def _pad(c: Change) -> Said:
    """Amounts stay, but where Keras imitates SAME with them, which is then the case in the whole model."""
    amounts = c.r.integers(1)
    if amounts is None:
        raise c.refused("has amounts known only when running")
    imitations = [_imitated(Reading(c.r.subgraph, op)) for op in c.r.subgraph.ops if op.kind == "PAD"]
    if None not in imitations:
        for axis, half in _imitated(c.r) or ():
            amounts[2 * axis] = half - 1 + c.new()[axis] % 2
    return Said(integers={1: amounts})


def _imitated(r: Reading) -> list[tuple[int, int]] | None:
    """(axis, half of the filter) along which the amounts are those of Keras before a filter of stride 2:
    (half - 1 + extent % 2, half). None where other amounts lie before such a filter.
    """
    reader, amounts = _only_reader(r), r.integers(1)
    if reader is None or amounts is None or len(r.shape()) != 4:
        return []
    found = []
    for axis, stride in ((1, "stride_h"), (2, "stride_w")):
        half = reader.shape(1)[axis] // 2
        if reader.attribute(stride, 1) != 2 or not half:
            continue
        if tuple(amounts[2 * axis : 2 * axis + 2]) != (half - 1 + r.shape()[axis] % 2, half):
            return None
        found.append((axis, half))
    return found


def _only_reader(r: Reading) -> Reading | None:
    """The VALID convolution that alone reads what the op makes."""
    op, main = r.op, r.subgraph
    if len(op.consumers) != 1 or op.outputs[0] in main.outputs:
        return None
    reader = Reading(main, main.ops[op.consumers[0]])
    is_conv = reader.op.kind in ("CONV_2D", "DEPTHWISE_CONV_2D")
    return reader if is_conv and reader.attribute("padding", None) == Padding.VALID else None


def _resize(c: Change) -> Said:
    """To the extents that those of the same size have now; else by the same factor."""
    size, old, new = c.r.integers(1), c.r.shape(), c.new()
    if size is None or len(size) != 2 or len(old) != 4:
        raise c.refused("has a size known only when running")
    wanted = []
    for axis, extent in zip((1, 2), size, strict=True):
        known = c.extents.of(axis, extent)
        wanted.append(known or max(1, round(extent * new[axis] / old[axis])))
    return Said(integers={1: wanted})


def _dense(c: Change) -> Said:
    """Weights get as many columns as the flat input has elements now, repeated from the old ones."""
    depth, old, new = c.r.shape(1)[1], c.r.shape(), c.new()
    if prod(old) == depth * old[0]:
        wanted = prod(new) // new[0]
    else:
        span = next((k for k in range(1, len(old) + 1) if prod(old[-k:]) == depth), 0)
        wanted = prod(new[-span:]) if span else depth
    if wanted == depth:
        return Said()
    if c.r.attribute("weights_format", 0):
        raise c.refused("has shuffled weights, which cannot follow its input")
    return Said(picks={1: {1: np.arange(wanted) % depth}})


def _recurrent(c: Change) -> Said:
    if c.changes(-1):
        raise c.refused("reads what changes as features: give the height (the steps of time) alone")
    return Said()


def _reshape(c: Change) -> Said:
    old_target = c.r.subgraph.tensors[c.r.op.outputs[0]].shape
    target = reshaped_to(c.r.shape(), old_target, c.new(), c.extents)
    if target is None:
        raise c.refused(f"cannot become {_text(old_target)} of another size in one way only")
    stated = tuple(c.r.attribute("new_shape", ()) or ())
    attributes = None
    if len(stated) == len(target) and c.r.op.attributes is not None:
        kept = tuple(-1 if s == -1 else e for s, e in zip(stated, target, strict=True))
        attributes = replace(c.r.op.attributes, new_shape=kept)  # type: ignore[call-arg]
    if not c.r.has(1):
        return Said(attributes)
    given = c.r.integers(1) or list(target)
    if len(given) != len(target):
        raise c.refused("states another rank than it has")
    return Said(attributes, {1: [-1 if g == -1 else e for g, e in zip(given, target, strict=True)]})


def _operands(c: Change) -> Said:
    """Constants with one value per position are stretched to the new extents."""
    main, op = c.r.subgraph, c.r.op
    rank = len(main.tensors[op.outputs[0]].shape)
    aligned = [
        (1,) * (rank - len(c.new(n))) + tuple(c.new(n)) for n, t in enumerate(op.inputs)
        if t != OPTIONAL and not main.tensors[t].is_constant
    ]  # fmt: skip
    wanted = [max(extents) for extents in zip(*aligned, strict=True)]
    picks: dict[int, dict[int, Positions]] = {}
    for n, t in enumerate(op.inputs):
        if t == OPTIONAL or not main.tensors[t].is_constant:
            continue
        for axis, extent in enumerate(main.tensors[t].shape):
            target = wanted[axis + rank - len(main.tensors[t].shape)]
            if extent not in (1, target):
                picks.setdefault(n, {})[axis] = np.arange(target) * extent // target
    return Said(picks=picks)


def _text(shape: Shape) -> str:
    return "x".join(map(str, shape))


_FOLLOWING = """ABS CAST CEIL COS DEQUANTIZE ELU EXP FLOOR GELU HARD_SWISH L2_NORMALIZATION LEAKY_RELU LOG
LOGICAL_NOT LOGISTIC LOG_SOFTMAX NEG QUANTIZE RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 ROUND RSQRT SIGN SIN SOFTMAX
SQRT SQUARE TANH ZEROS_LIKE LOCAL_RESPONSE_NORMALIZATION REVERSE_V2 FAKE_QUANT CUMSUM MEAN SUM REDUCE_MAX
REDUCE_MIN REDUCE_PROD REDUCE_ANY REDUCE_ALL SQUEEZE EXPAND_DIMS CONCATENATION BATCH_MATMUL SPLIT PACK UNPACK
TRANSPOSE ARG_MAX ARG_MIN TILE SPACE_TO_DEPTH DEPTH_TO_SPACE SHAPE"""
_OPERANDS = """ADD SUB MUL DIV MAXIMUM MINIMUM POW SQUARED_DIFFERENCE FLOOR_DIV FLOOR_MOD LESS LESS_EQUAL
GREATER GREATER_EQUAL EQUAL NOT_EQUAL LOGICAL_AND LOGICAL_OR PRELU ATAN2 SELECT_V2 ADD_N"""
_RESIZES = ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR")
ALSO_UNTOUCHED = frozenset(_RESIZES)  # asked even where their input keeps its extents

RULES: dict[str, Rule] = {
    **dict.fromkeys(_FOLLOWING.split(), _follows),
    **dict.fromkeys(_OPERANDS.split(), _operands),
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"), _conv),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"), _pool),
    **dict.fromkeys(("PAD", "PADV2"), _pad),
    **dict.fromkeys(_RESIZES, _resize),
    **dict.fromkeys(("SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM"), _recurrent),
    **CUTS,
    "FULLY_CONNECTED": _dense,
    "RESHAPE": _reshape,
}
