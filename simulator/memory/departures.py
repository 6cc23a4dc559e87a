"""How does another release of TFLM lay memory out than that of specs/tflm_memory.md? Differences as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .persistent_sizes import ABI_SIZES, AbiSizes, init_bytes, option_bytes

if TYPE_CHECKING:
    from ...devices.target import KernelBuild


@dataclass(frozen=True, slots=True)
class Departure:
    """One difference, in bytes of a 32-bit build; what is not named stays.

    Args:
        why: what is different in that release or build.
        is_read: read in the source of such a release; otherwise worked out from measured totals.
        structs: bytes of "tensor" and "node_and_registration".
        options, init: bytes of an op's option struct and Init data, by op kind.
        depthwise_3x3_scratch: CMSIS-NN's DSP build asks for 2*Cin*Kh*Kw for a 3x3 depthwise kernel too.
    """

    why: str
    is_read: bool
    structs: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, int] = field(default_factory=dict)
    init: Mapping[str, int] = field(default_factory=dict)
    depthwise_3x3_scratch: bool = False


DEPARTURES: dict[str, Departure] = {
    "full-structs": Departure(
        "built without TF_LITE_STATIC_MEMORY (an Arduino library cannot set it): a tensor struct takes 64 "
        "bytes, a node 12 more (temporaries, delegate, side-effect flag)",
        True, structs={"tensor": 64, "node_and_registration": 44},
    ),
    "fully-connected-data-64": Departure(
        "CMSIS-NN's FULLY_CONNECTED before per-channel support: data of 49 to 64 bytes instead of 72",
        True, init={"FULLY_CONNECTED": 60},
    ),
    "no-bias-type-option": Departure(
        "before quantized_bias_type: the option struct of CONV_2D is 24 bytes, of FULLY_CONNECTED 4",
        False, options={"CONV_2D": 24, "FULLY_CONNECTED": 4},
    ),
    "depthwise-3x3-scratch": Departure(
        "3x3 depthwise kernels ask for scratch as other extents do: a handle of 4 bytes each",
        False, depthwise_3x3_scratch=True,
    ),
}  # fmt: skip


def sizes_of(build: KernelBuild) -> AbiSizes:
    """The struct lengths of this build."""
    sizes = ABI_SIZES[build.abi]
    for departure in _of(build):
        sizes = _with_structs(sizes, departure.structs)
    return sizes


def _with_structs(sizes: AbiSizes, structs: Mapping[str, int]) -> AbiSizes:
    return replace(
        sizes,
        tensor=structs.get("tensor", sizes.tensor),
        node_and_registration=structs.get("node_and_registration", sizes.node_and_registration),
    )


def option_struct(kind: str, build: KernelBuild) -> tuple[int, int]:
    """(bytes, alignment) of an op's option struct in this build."""
    size_bytes, alignment = option_bytes(kind, enum_is_int=ABI_SIZES[build.abi].enum_is_int)
    for departure in _of(build):
        size_bytes = departure.options.get(kind, size_bytes)
    return size_bytes, alignment


def init_struct(label: str, build: KernelBuild) -> int | None:
    """Bytes of an op's Init data in this build; None if nobody recorded it."""
    size_bytes = init_bytes(label, build.library, enum_is_int=ABI_SIZES[build.abi].enum_is_int)
    for departure in _of(build):
        size_bytes = departure.init.get(label, size_bytes)
    return size_bytes


def inferred_of(build: KernelBuild) -> str:
    """Why this build is not known to the byte: the differences that nobody read in its source; "" without."""
    return "; ".join(departure.why for departure in _of(build) if not departure.is_read)


def asks_for_3x3_scratch(build: KernelBuild) -> bool:
    return any(departure.depthwise_3x3_scratch for departure in _of(build))


def _of(build: KernelBuild) -> tuple[Departure, ...]:
    return tuple(DEPARTURES[name] for name in build.departures)
