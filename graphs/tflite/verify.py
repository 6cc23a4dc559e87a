"""Is this file safe to read: do its bytes hold together as a model, before anyone builds on them?"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ...errors import ModelFileInvalid, ModelVersionUnsupported
from ..ir import DType
from .decode import Record, decode
from .formats import looks_like
from .schema import IDENTIFIER, VERSION

_MAX_ELEMENTS = 1 << 40
_MAX_WINDOW = 1 << 20
_MAX_NAME = 80
_UNSIZED = frozenset({DType.STRING, DType.RESOURCE, DType.VARIANT})
_COMPRESSED = "COMPRESSION_METADATA"  # TFLM's own weight compression stores fewer bytes than the shape says
_DAMAGED = "the file is damaged; fetch or convert it again"


def verify(data: bytes | memoryview) -> None:
    """Refuse bytes that are not a model that can be read safely.

    Raises:
        ModelVersionUnsupported: a .tflite of another schema version.
        ModelFileInvalid: anything else that is wrong, with what and where.
    """
    verified(data)


def verified(data: bytes | memoryview) -> Record:
    """The decoded records of a model whose indices, shapes and lengths agree with each other."""
    _identify(data)
    model = decode(data)
    if model["version"] != VERSION:
        raise ModelVersionUnsupported(
            f"the model has schema version {model['version']}; only version {VERSION} is defined",
            where="model", fix="convert the original model again with a current converter",
        )  # fmt: skip
    if not model["subgraphs"]:
        raise _fault("the model has no subgraph", "model")
    for number, buffer in enumerate(model["buffers"]):
        _check_buffer(buffer, len(data), f"buffer {number}")
    loose_lengths = any(entry["name"] == _COMPRESSED for entry in model["metadata"])
    for number in range(len(model["subgraphs"])):
        _check_subgraph(model, number, loose_lengths=loose_lengths)
    _check_calls(model["subgraphs"])
    _check_entries(model)
    _check_copies(model, len(data))
    return model


def _quoted(name: str) -> str:
    """A name from the file on one line, without control characters, shortened."""
    shown = name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}..."
    return shown if shown.isprintable() and "'" not in shown else repr(shown)[1:-1]


def quantized_axis(stored: int, rank: int) -> int:
    """The quantized dimension; converters give a vector the axis of the filter that it goes with."""
    return stored if 0 <= stored < rank else max(rank - 1, 0)


def called_subgraphs(op: Record) -> tuple[int, ...]:
    """The subgraphs that the options of an op refer to."""
    found: list[int] = []
    for union in ("builtin_options", "builtin_options_2"):
        options = op[union]
        if options is not None and options[1] is not None:
            called = (value for name, value in options[1].items() if name in _CALLS)
            found.extend(called)
            found.extend(options[1].get("called_computations", ()))
    return tuple(found)


_CALLS = frozenset(
    {
        "subgraph", "then_subgraph_index", "else_subgraph_index", "cond_subgraph_index",
        "body_subgraph_index", "init_subgraph_index", "comparator_subgraph_index",
        "update_computation_subgraph_index", "decomposition_subgraph_index",
    }
)  # fmt: skip


def _fault(what: str, where: str, fix: str = _DAMAGED) -> ModelFileInvalid:
    return ModelFileInvalid(what, where=where, fix=fix)


def _identify(data: bytes | memoryview) -> None:
    if len(data) == 0:
        raise _fault("the file is empty", "model", "fetch or convert the model again")
    identifier = bytes(data[4:8])
    if identifier == IDENTIFIER:
        return
    if identifier[:3] == b"TFL":
        version = identifier.decode("ascii", "backslashreplace")
        raise ModelVersionUnsupported(
            f"the file says that it follows schema {version}; only TFL3 is supported",
            where="bytes 4 to 8", fix="convert the original model again with a current converter",
        )  # fmt: skip
    likeness, fix = looks_like(data)
    what = f"this looks like {likeness}" if likeness else "the file lacks the identifier TFL3"
    raise _fault(f"not a .tflite model: {what}", "bytes 0 to 8", fix)


def _check_buffer(buffer: Record, file_bytes: int, where: str) -> None:
    # offsets 0 and 1 mean that the data is inside the flatbuffer
    if buffer["offset"] > 1 and buffer["offset"] + buffer["size"] > file_bytes:
        raise _fault(f"its {buffer['size']} bytes at {buffer['offset']} lie outside the file", where)


def _stored_bytes(buffer: Record) -> int:
    return int(buffer["size"]) if buffer["offset"] > 1 else len(buffer["data"])


def _check_subgraph(model: Record, number: int, *, loose_lengths: bool) -> None:
    subgraph = model["subgraphs"][number]
    where = f"subgraph {number}"
    tensors = subgraph["tensors"]
    for index, tensor in enumerate(tensors):
        position = f"{where}, tensor {index} '{_quoted(tensor['name'])}'"
        _check_tensor(tensor, model["buffers"], position, loose_lengths=loose_lengths)
    _check_indices(subgraph["inputs"], len(tensors), f"{where}, inputs")
    _check_indices(subgraph["outputs"], len(tensors), f"{where}, outputs")
    for index, op in enumerate(subgraph["operators"]):
        place = f"{where}, op {index}"
        if op["opcode_index"] >= len(model["operator_codes"]):
            raise _fault(f"it has operator code {op['opcode_index']}, which the model lacks", place)
        _check_indices(op["inputs"], len(tensors), f"{place}, inputs", lowest=-1)
        _check_indices(op["outputs"], len(tensors), f"{place}, outputs")
        _check_indices(op["intermediates"], len(tensors), f"{place}, intermediates", lowest=-1)
        _check_indices(called_subgraphs(op), len(model["subgraphs"]), place, what="subgraph")
        _check_window(op["builtin_options"], place)


def _check_window(options: tuple[str | int, Record | None] | None, where: str) -> None:
    """A window has an extent, and moves on."""
    if options is None or options[1] is None or "padding" not in options[1]:
        return
    for name, value in options[1].items():
        if name.startswith(("stride_", "dilation_", "filter_")) and not 1 <= value <= _MAX_WINDOW:
            raise _fault(f"{name} is {value}, outside 1 to {_MAX_WINDOW}", where)


def _check_indices(
    indices: Sequence[int], count: int, where: str, *, lowest: int = 0, what: str = "tensor"
) -> None:
    if indices and (min(indices) < lowest or max(indices) >= count):
        wrong = next(i for i in indices if not lowest <= i < count)
        raise _fault(f"{what} {wrong} does not exist; there are {count}", where)


def _check_tensor(tensor: Record, buffers: Sequence[Record], where: str, *, loose_lengths: bool) -> None:
    elements = 1
    for extent in tensor["shape"]:
        if extent < -1:  # -1 is an extent that the runtime works out
            raise _fault(f"the shape {_short(tensor['shape'])} has a negative extent", where)
        elements *= max(extent, 1)
        if elements > _MAX_ELEMENTS:
            raise _fault(f"the shape {_short(tensor['shape'])} is absurdly large", where)
    if tensor["external_buffer"]:
        fix = "convert it to one file: preflash reads weights inside or appended to the .tflite"
        raise _fault("its data lies in a separate weight file", where, fix)
    if tensor["buffer"] >= len(buffers):
        raise _fault(f"it refers to buffer {tensor['buffer']}; there are {len(buffers)}", where)
    if tensor["quantization"] is not None:
        _check_quantization(tensor["quantization"], tensor["shape"], where)
    if tensor["sparsity"] is not None:
        _check_sparsity(tensor["sparsity"], len(tensor["shape"]), where)
    elif not loose_lengths and tensor["type"] not in _UNSIZED:
        _check_length(tensor, buffers[tensor["buffer"]], where)


def _short(shape: Sequence[int]) -> str:
    return f"{list(shape)}" if len(shape) <= 8 else f"of {len(shape)} dimensions"


def _check_length(tensor: Record, buffer: Record, where: str) -> None:
    stored = _stored_bytes(buffer)
    if not stored:
        return
    elements = prod(tensor["shape"])
    if elements < 0:
        raise _fault("it is a constant with an unknown extent", where)
    needed = (elements * tensor["type"].bits + 7) // 8
    if stored != needed:
        shape = _short(tensor["shape"])
        raise _fault(f"{stored} bytes are stored, but {shape} of {tensor['type']} takes {needed}", where)


def _check_quantization(quantization: Record, shape: Sequence[int], where: str) -> None:
    scales, zero_points = len(quantization["scale"]) // 4, len(quantization["zero_point"]) // 8
    if zero_points not in (0, 1, scales):
        raise _fault(f"there are {scales} scales but {zero_points} zero points", where)
    if scales <= 1:
        return
    axis = quantized_axis(quantization["quantized_dimension"], len(shape))
    channels = shape[axis] if shape else 1
    if channels not in (scales, -1):
        raise _fault(f"there are {scales} scales for {channels} channels", where)


def _check_sparsity(sparsity: Record, rank: int, where: str) -> None:
    order, blocks = sparsity["traversal_order"], sparsity["block_map"]
    dimensions = sparsity["dim_metadata"]
    if sorted(order) != list(range(len(dimensions))) or len(order) != rank + len(blocks):
        raise _fault("its sparse dimensions do not match its shape", where)
    _check_indices(blocks, rank, where, what="block dimension")
    for dimension in dimensions:
        parts = (dimension["array_segments"], dimension["array_indices"])
        if dimension["format"] not in (0, 1) or any(p is not None and p[1] is None for p in parts):
            raise _fault("a sparse dimension has an unknown format", where)
        if dimension["dense_size"] < 0:
            raise _fault("a sparse dimension has a negative length", where)


def _check_calls(subgraphs: Sequence[Record]) -> None:
    """Subgraphs call each other without a circle, so a walk over the calls ends."""
    calls = [sorted({c for op in s["operators"] for c in called_subgraphs(op)}) for s in subgraphs]
    pending = [len(called) for called in calls]
    callers: list[list[int]] = [[] for _ in calls]
    for caller, called in enumerate(calls):
        for callee in called:
            callers[callee].append(caller)
    done = [number for number, left in enumerate(pending) if not left]
    for number in done:
        for caller in callers[number]:
            pending[caller] -= 1
            if not pending[caller]:
                done.append(caller)
    if len(done) < len(calls):
        circle = next(number for number, left in enumerate(pending) if left)
        raise _fault("the subgraph calls itself, directly or through others", f"subgraph {circle}")


def _check_entries(model: Record) -> None:
    """Metadata and signatures refer to what exists."""
    for entry in model["metadata"]:
        where = f"metadata '{_quoted(entry['name'])}'"
        _check_indices((entry["buffer"],), len(model["buffers"]), where, what="buffer")
    for signature in model["signature_defs"]:
        where = f"signature '{_quoted(signature['signature_key'])}'"
        number = signature["subgraph_index"]
        _check_indices((number,), len(model["subgraphs"]), where, what="subgraph")
        named = [entry["tensor_index"] for entry in (*signature["inputs"], *signature["outputs"])]
        _check_indices(named, len(model["subgraphs"][number]["tensors"]), where)


def _check_copies(model: Record, file_bytes: int) -> None:
    """What reading copies (metadata, custom options behind the flatbuffer) is not more than the file."""
    copied = 0
    for entry in model["metadata"]:
        copied += _stored_bytes(model["buffers"][entry["buffer"]])
    for number, subgraph in enumerate(model["subgraphs"]):
        for index, op in enumerate(subgraph["operators"]):
            start, length = op["large_custom_options_offset"], op["large_custom_options_size"]
            if start > 1 and start + length > file_bytes:
                where = f"subgraph {number}, op {index}"
                raise _fault("its custom options lie outside the file", where)
            copied += length if start > 1 else 0
    if copied > 2 * file_bytes:
        raise _fault(f"metadata and custom options share {copied} bytes, more than the file holds", "model")
