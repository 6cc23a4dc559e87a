"""What do the options of TFLM's own custom ops say? Integers in a flexbuffer map."""

from __future__ import annotations

import struct

from ...graphs.ir import Op

# the options that decide how much memory the op takes
NEEDED = {
    "SignalRfft": ("fft_length",),
    "SignalFilterBank": ("num_channels",),
    "SignalFilterBankSpectralSubtraction": ("num_channels",),
    "TFLite_Detection_PostProcess": ("max_detections", "num_classes"),
}


def custom_option(op: Op, name: str) -> int:
    """The integer option of this name; 0 if the options do not hold it (`unreadable_options` says so)."""
    return _read(op, name) or 0


def unreadable_options(op: Op) -> tuple[str, ...]:
    """The names of needed options that the op's bytes do not hold as a count."""
    if op.kind != "CUSTOM":
        return ()
    return tuple(name for name in NEEDED.get(op.custom_code, ()) if _read(op, name) is None)


def _read(op: Op, name: str) -> int | None:
    from flatbuffers import flexbuffers

    try:
        root = flexbuffers.GetRoot(op.custom_options)
        value = int(root.AsMap[name].AsInt) if root.IsMap else -1
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, struct.error):
        return None
    return value if value >= 0 else None
