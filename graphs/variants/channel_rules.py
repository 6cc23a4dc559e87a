"""What do computing ops do with channels: make, read, hand on or tie them?

A rule returns "" where it understands the op, else why the channels that the op reads have to stay. It is
asked only where the recorded shapes are those that the op's inputs give.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from ..ir import OPTIONAL
from ..reading import Reading
from .channel_flow import ChannelFlow, Channels, Filters
from .channel_moves import MOVES, carried, together

Rule = Callable[[ChannelFlow, Reading], str]

# Each element of the result depends on the element at its place alone.
_APART = """ABS CAST CEIL COS DEQUANTIZE ELU EXP FLOOR GELU HARD_SWISH LEAKY_RELU LOG LOGICAL_NOT LOGISTIC NEG
QUANTIZE RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 ROUND RSQRT SIGN SIN SQRT SQUARE TANH ZEROS_LIKE FAKE_QUANT"""
_POOLS = "AVERAGE_POOL_2D MAX_POOL_2D L2_POOL_2D RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR"
_OPERANDS = """ADD SUB MUL DIV MAXIMUM MINIMUM POW SQUARED_DIFFERENCE FLOOR_DIV FLOOR_MOD LESS LESS_EQUAL
GREATER GREATER_EQUAL EQUAL NOT_EQUAL LOGICAL_AND LOGICAL_OR PRELU ATAN2 SELECT_V2 ADD_N"""
_REDUCERS = "MEAN SUM REDUCE_MAX REDUCE_MIN REDUCE_PROD REDUCE_ANY REDUCE_ALL"


def _conv(flow: ChannelFlow, r: Reading) -> str:
    """OHWI: filters make channels of axis 0 and read those of axis 3."""
    x, weight = r.op.inputs[:2]
    placed = flow.of(x)
    if placed is not None and placed[0] != 3:
        return "slides over them"
    reason = _unfit(flow, r, weight=1, bias=2)
    if not reason and r.shape(1)[3] != r.shape(0)[3]:
        reason = "convolves in groups"
    if reason:
        return _made_to_stay(flow, r, reason)
    _read(flow, r, weight, 3, placed)
    _made(flow, r, weight=1, bias=2)
    return ""


def _transpose_conv(flow: ChannelFlow, r: Reading) -> str:
    """OHWI as a convolution's; the first input states the shape of the output."""
    placed = flow.of(r.op.inputs[2])
    if placed is not None and placed[0] != 3:
        return "slides over them"
    reason = _unfit(flow, r, weight=1, bias=3)
    if not reason and r.integers(0) is None:
        reason = "has a shape known only when running"
    if reason:
        return _made_to_stay(flow, r, reason)
    _read(flow, r, r.op.inputs[1], 3, placed)
    _made(flow, r, weight=1, bias=3)
    return ""


def _depthwise(flow: ChannelFlow, r: Reading) -> str:
    """1HWC: each channel makes `depth_multiplier` of its own; of a single channel each can go alone."""
    placed = flow.of(r.op.inputs[0])
    if placed is not None and placed[0] != 3:
        return "slides over them"
    reason = _unfit(flow, r, weight=1, bias=2)
    if reason:
        return _made_to_stay(flow, r, reason)
    depth, out_channels = r.shape(0)[3], r.shape(1)[3]
    if depth == 1:
        if placed is not None:
            flow.pin(placed[1], "there is only one")
        _made(flow, r, weight=1, bias=2, axis=3)
        return ""
    if placed is None:
        return _made_to_stay(flow, r, "filters channels that stay")
    _made(flow, r, weight=1, bias=2, axis=3, channels=placed[1].repeat(out_channels // depth))
    return ""


def _fully_connected(flow: ChannelFlow, r: Reading) -> str:
    """OI: rows make channels; a channel of a picture is a column per pixel."""
    weight, depth = r.op.inputs[1], r.shape(1)[1]
    placed = flow.of(r.op.inputs[0])
    reason = _unfit(flow, r, weight=1, bias=2)
    if not reason and r.attribute("weights_format", 0):
        reason = "has shuffled weights"
    if reason:
        return _made_to_stay(flow, r, reason)
    if placed is not None:
        rows = prod(r.shape(0)) // depth
        read = carried(flow, placed, r.shape(0), (rows, depth))
        if read is None or read[0] != 1:
            flow.pin(placed[1], _because(r, "takes them for samples"))
        else:
            _read(flow, r, weight, 1, read)
    _made(flow, r, weight=1, bias=2)
    return ""


def _recurrent(weights: tuple[int, ...]) -> Rule:
    """Columns of these inputs read channels; what the op makes is bound to its state and stays."""

    def rule(flow: ChannelFlow, r: Reading) -> str:
        placed, given = flow.of(r.op.inputs[0]), [r.op.inputs[n] for n in weights if r.has(n)]
        reason = (
            "" if all(map(flow.is_fixed, given)) else "has weights that are sparse, in blocks or computed"
        )
        if placed is not None and placed[0] != len(r.shape()) - 1:
            reason = "takes them for samples"
        for weight in () if reason else given:
            _read(flow, r, weight, 1, placed)
        flow.stay(r.op.outputs[0], _because(r, "keeps a state of them"))
        return reason

    return rule


def _apart(flow: ChannelFlow, r: Reading) -> str:
    """The result has the channels of the first input."""
    placed = flow.of(r.op.inputs[0])
    if placed is not None:
        flow.carry(r.op.outputs[0], *placed)
    return ""


def _pool(flow: ChannelFlow, r: Reading) -> str:
    placed = flow.of(r.op.inputs[0])
    return _apart(flow, r) if placed is None or placed[0] == 3 else "slides over them"


def _normalised(flow: ChannelFlow, r: Reading) -> str:
    """Apart where channels are not the last axis, along which the op adds up."""
    placed = flow.of(r.op.inputs[0])
    is_mixed = placed is not None and placed[0] == len(r.shape()) - 1
    return "mixes them" if is_mixed else _apart(flow, r)


def _operands(flow: ChannelFlow, r: Reading) -> str:
    """Operands of one shape, or broadcast: channels at the same place of all operands go together."""
    rank = len(r.subgraph.tensors[r.op.outputs[0]].shape)
    inputs = [t for t in r.op.inputs if t != OPTIONAL]
    axes, spread = set(), list[Channels]()
    for t in inputs:
        placed = flow.of(t) if not flow.is_fixed(t) else None
        if placed is None:
            continue
        axis = placed[0] + rank - len(r.subgraph.tensors[t].shape)
        if len(placed[1]) == 1 and r.subgraph.tensors[r.op.outputs[0]].shape[axis] > 1:
            spread.append(placed[1])
        else:
            axes.add(axis)
    if len(axes) > 1:
        return "has operands with channels along different axes"
    for single in spread:
        flow.pin(single, _because(r, "spreads it over all positions"))
    for axis in axes:
        extent = r.subgraph.tensors[r.op.outputs[0]].shape[axis]
        places = [(t, axis - rank + len(r.subgraph.tensors[t].shape)) for t in inputs]
        full = [(t, a) for t, a in places if a >= 0 and r.subgraph.tensors[t].shape[a] == extent]
        flow.carry(r.op.outputs[0], axis, together(flow, r, full))
    return ""


def _reduced(flow: ChannelFlow, r: Reading) -> str:
    """Apart where the op does not add up along the channels; the axis moves with those that vanish."""
    placed, axes = flow.of(r.op.inputs[0]), r.integers(1)
    if placed is None:
        return ""
    if axes is None:
        return "has axes known only when running"
    gone = {r.axis(a, len(r.shape())) for a in axes}
    if placed[0] in gone:
        return "mixes them"
    before = 0 if r.attribute("keep_dims", False) else sum(a < placed[0] for a in gone)
    flow.carry(r.op.outputs[0], placed[0] - before, placed[1])
    return ""


def _unfit(flow: ChannelFlow, r: Reading, *, weight: int, bias: int) -> str:
    """Why weights or bias cannot be cut."""
    if not flow.is_fixed(r.op.inputs[weight]):
        return "has weights that are sparse, in blocks or computed"
    if r.has(bias) and not flow.is_fixed(r.op.inputs[bias]):
        return "has a bias that is computed"
    return ""


def _read(flow: ChannelFlow, r: Reading, weight: int, axis: int, placed: tuple[int, Channels] | None) -> None:
    if placed is not None:
        flow.follow(r.op.index, weight, axis, placed[1])
        flow.readers.append(Filters(r.op.index, flow.stored(weight), axis, placed[1]))


def _made(
    flow: ChannelFlow, r: Reading, *, weight: int, bias: int, axis: int = 0, channels: Channels | None = None
) -> None:
    """The last axis of the output has these channels, or new ones."""
    tensor, out = r.op.inputs[weight], r.op.outputs[0]
    channels = flow.fresh(r.shape(weight)[axis]) if channels is None else channels
    flow.follow(r.op.index, tensor, axis, channels)
    flow.makers.append(Filters(r.op.index, flow.stored(tensor), axis, channels))
    if r.has(bias):
        shape = r.shape(bias)
        along = next((d for d, extent in enumerate(shape) if extent == len(channels)), 0)
        flow.follow(r.op.index, r.op.inputs[bias], along, channels)
    flow.carry(out, len(r.subgraph.tensors[out].shape) - 1, channels)


def _made_to_stay(flow: ChannelFlow, r: Reading, reason: str) -> str:
    flow.stay(r.op.outputs[0], _because(r, reason))
    return reason


def _because(r: Reading, reason: str) -> str:
    return f"{r.op.label} {r.op.index} {reason}"


RULES: dict[str, Rule] = {
    **dict.fromkeys(_APART.split(), _apart),
    **dict.fromkeys(_POOLS.split(), _pool),
    **dict.fromkeys(_OPERANDS.split(), _operands),
    **dict.fromkeys(_REDUCERS.split(), _reduced),
    **dict.fromkeys(("SOFTMAX", "LOG_SOFTMAX", "L2_NORMALIZATION"), _normalised),
    **MOVES,
    "CONV_2D": _conv,
    "TRANSPOSE_CONV": _transpose_conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "SVDF": _recurrent((1,)),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _recurrent((1, 2, 3, 4)),
}
