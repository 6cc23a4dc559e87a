"""What the flash image holds: the model's bytes and the code of the runtime with the kernels it needs."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ..devices.target import Target
from ..graphs.ir import ModelGraph, Op
from .interval import Basis, Interval, unknown

_DATA = Path(__file__).with_name("data")
_SOURCE = (
    "tflm_code_atoms.csv: union of the code each op keeps, arm-none-eabi-gcc 12.2.1, newlib-nano, "
    "default registrations"
)
# Marginal size of an op as TFLM builds it / for Cortex-M4 at -Os: p10, median, p90 of the 64 ops linked both
# ways (tflm_code_size.csv), rounded outwards. Used for an op that was linked for Cortex-M4 at -Os only.
_OTHER_BUILD_RATIO = {
    "m0plus": (0.8, 1.7, 2.6),
    "m4": (0.9, 1.1, 1.5),
    "m33": (0.9, 1.1, 1.5),
    "m55": (0.5, 1.0, 1.5),
}
_FULL_BUILD = ("m4", "Os", False)  # the build in which all 103 ops of TFLM were linked
_DEFAULT_FLAGS = "Oscore+O2kernels"
_BASIS_OF = {"datasheet": Basis.DATASHEET, "measured": Basis.MEASURED, "primary": Basis.MEASURED}

# The custom ops that TFLM registers itself, by the name in a model.
_CUSTOM_NAMES = {
    "TFLite_Detection_PostProcess": "DetectionPostprocess",
    "CIRCULAR_BUFFER": "CircularBuffer",
    "TFLM_DECODE": "Decode",
}


class CodeBuild(NamedTuple):
    """One measured build: bytes without ops, and (bytes, mask of the ops that keep them) groups."""

    base_bytes: int
    error_lo_pct: float  # (predicted - linked) / linked of independent op sets
    error_hi_pct: float
    groups: tuple[tuple[int, int], ...]
    bit_of: dict[str, int]
    linked: int  # mask of the ops that were linked in this build

    @property
    def ops(self) -> frozenset[str]:
        return frozenset(name for name, bit in self.bit_of.items() if bit & self.linked)

    def bytes_of(self, ops: frozenset[str]) -> int:
        """flash(S) = base + sum of own(op) + each shared group that contains an op of S, once."""
        wanted = sum(self.bit_of.get(op, 0) for op in ops)
        return self.base_bytes + sum(size for size, keepers in self.groups if keepers & wanted)


class _CoreRow(NamedTuple):
    measured_core: str
    needs: tuple[str, ...]
    factor: float
    lo_factor: float
    hi_factor: float
    basis: Basis
    reason: str


def model_bytes(graph: ModelGraph) -> int:
    """Bytes of the .tflite as it lies in flash: the file's, or of the file that this graph would become."""
    if graph.file_bytes is not None:
        return graph.file_bytes
    if "model_bytes" not in graph._cache:
        from ..graphs.tflite.write import write_tflite

        graph._cache["model_bytes"] = len(write_tflite(graph))
    size: int = graph._cache["model_bytes"]
    return size


def constant_bytes(graph: ModelGraph) -> Interval:
    """Flash of the constants without the flatbuffer around them; tables per channel beside."""
    stored = sum(t.stored_bytes for s in graph.subgraphs for t in s.tensors)
    scales = sum(
        len(t.quantization.scales)
        for s in graph.subgraphs for t in s.tensors
        if t.is_constant and t.quantization is not None and t.quantization.is_per_channel
    )  # fmt: skip
    lo, hi = stored, stored + 8 * scales + 64 * sum(len(s.tensors) for s in graph.subgraphs)
    source = "constants as stored; up to 8 B per channel and 64 B of generated description per tensor"
    return Interval((lo + hi) / 2, lo, hi, Basis.ANALYTIC, source)


def code_bytes(graph: ModelGraph, target: Target) -> Interval:
    """Flash of runtime and kernels (text, rodata, data) for the ops of all subgraphs, without the model."""
    code = target.runtime.code
    if code.flat_bytes is not None:
        basis = _BASIS_OF.get(code.confidence, Basis.ANALYTIC)
        flat = float(code.flat_bytes)
        return Interval(flat, flat, flat, basis, code.source)
    if not code.table:
        return unknown(f"code size of {target.runtime.name}: {code.source}")
    key = f"code_bytes:{code!r}:{target.device.core!r}"
    if key not in graph._cache:
        linked = _linked_bytes(op_names(graph), target)
        graph._cache[key] = linked if code.has_interpreter else _kernels_alone(linked, target)
    size: Interval = graph._cache[key]
    return size


# A kernel's Prepare and error text are about half of it (tflm_code_size.md, surprises 3 and 8); generated
# calls and start-up take little. Nothing was linked without an interpreter.
_PREPARE_SHARE, _GENERATED_BYTES = 0.5, 4096


def _kernels_alone(linked: Interval, target: Target) -> Interval:
    """What the ops keep beyond the runtime: from half of it to all of it and the generated calls."""
    code, core = target.runtime.code, target.device.core
    row = _core_rows().get(core.name)
    kernels = code.table.removeprefix("tflm-").replace("-", "_")
    flags = code.flags or _DEFAULT_FLAGS
    build = load_build(row.measured_core, kernels, flags, code.strip_error_strings) if row else None
    if row is None or build is None or linked.value is None or linked.lo is None or linked.hi is None:
        return linked
    lo = max(0.0, linked.lo - build.base_bytes * row.hi_factor) * (1 - _PREPARE_SHARE)
    hi = max(0.0, linked.hi - build.base_bytes * row.lo_factor) + _GENERATED_BYTES
    note = "without interpreter: the ops' own code, half to all of it; not linked by anybody here"
    return Interval(round((lo + hi) / 2), int(lo), int(hi), Basis.ANALYTIC, f"{linked.source}; {note}")


def op_names(graph: ModelGraph) -> frozenset[str]:
    """The ops a resolver must register, by TFLM's registration name; a fused kernel counts as all its ops."""
    ops = (part for subgraph in graph.subgraphs for op in subgraph.ops for part in (op.fused or (op,)))
    return frozenset(_registered_name(op) for op in ops)


def _registered_name(op: Op) -> str:
    return _CUSTOM_NAMES.get(op.label, op.label) if op.kind == "CUSTOM" else op.kind


def _linked_bytes(ops: frozenset[str], target: Target) -> Interval:
    code, core = target.runtime.code, target.device.core
    row = _core_rows().get(core.name)
    if row is None:
        return unknown(f"no firmware was linked for {core.name}: code size unknown")
    kernels = code.table.removeprefix("tflm-").replace("-", "_")
    flags = code.flags or _DEFAULT_FLAGS
    build = load_build(row.measured_core, kernels, flags, code.strip_error_strings)
    if build is None:
        return unknown(f"no firmware was linked for {row.measured_core} with flags {flags}")
    floor = build.bytes_of(ops) / (1 + build.error_hi_pct / 100)
    size = _with_missing(ops, build, row, kernels)
    if isinstance(size, str):
        return unknown(size, at_least=floor * row.lo_factor, source=_SOURCE)
    lacking = [feature for feature in row.needs if feature not in core.isa]
    if not lacking:
        return _interval(size, row)
    widest = load_build("m0plus", kernels, flags, code.strip_error_strings)
    most = 0.0 if widest is None else widest.bytes_of(ops) * 1.01
    return _interval(size, row, at_most=most, lacking=lacking)


def _with_missing(
    ops: frozenset[str], build: CodeBuild, row: _CoreRow, kernels: str
) -> tuple[float, float, float, str] | str:
    """value, lo, hi and what was assumed for ops not linked in this build; or why there is no figure."""
    value = build.bytes_of(ops)
    lo = value / (1 + max(0.0, build.error_hi_pct) / 100)
    hi = value / (1 + min(0.0, build.error_lo_pct) / 100)
    missing = ops - build.ops
    if not missing:
        return value, lo, hi, ""
    full = load_build(_FULL_BUILD[0], kernels, _FULL_BUILD[1], _FULL_BUILD[2])
    unheard = missing if full is None else missing - full.ops
    if full is None or unheard:
        return f"the code size of {', '.join(sorted(unheard))} is not known"
    extra = full.bytes_of(ops) - full.bytes_of(ops & build.ops)
    low, middle, high = _OTHER_BUILD_RATIO[row.measured_core]
    note = f"{', '.join(sorted(missing))} scaled from the Cortex-M4 -Os build"
    return value + middle * extra, lo + low * extra, hi + high * extra, note


def _interval(
    size: tuple[float, float, float, str], row: _CoreRow, *, at_most: float = 0.0, lacking: Sequence[str] = ()
) -> Interval:
    """The figure of the measured core, widened for a core that stands beside it or lacks its features."""
    value, lo, hi, note = size
    value, lo, hi = value * row.factor, lo * row.lo_factor, max(hi * row.hi_factor, at_most)
    notes = [text for text in (note, row.reason) if text]
    if lacking:
        value = min(hi, max(value, (lo + hi) / 2))
        notes.append(f"this core lacks {', '.join(lacking)} of the linked build")
    basis = Basis.ANALYTIC if note or lacking else row.basis
    return Interval(round(value), int(lo), -int(-hi // 1), basis, "; ".join([_SOURCE, *notes]))


@lru_cache(maxsize=32)
def load_build(core: str, kernels: str, flags: str, strip: bool) -> CodeBuild | None:
    """The sharing structure of one measured build; None if it was not linked."""
    path = _DATA / f"code_size_{core}_{kernels}.csv"
    if not path.is_file():
        return None
    bit_of: dict[str, int] = {}
    head: list[str] | None = None
    groups: list[tuple[int, int]] = []
    linked = 0
    with path.open(encoding="utf-8") as file:
        for line in file:
            first, _, rest = line.partition(",")
            if first == "ops":
                bit_of = {name: 1 << index for index, name in enumerate(rest.split())}
            elif first == "build":
                if head is not None:
                    break
                fields = rest.split(",")
                head = fields if fields[:2] == [flags, str(int(strip))] else None
            elif head is not None:
                keepers = int(rest, 16)
                linked |= keepers
                groups.append((int(first), keepers))
    if head is None:
        return None
    return CodeBuild(int(head[2]), float(head[3]), float(head[4]), tuple(groups), bit_of, linked)


@lru_cache(maxsize=1)
def _core_rows() -> dict[str, _CoreRow]:
    with (_DATA / "code_size_cores.csv").open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {
            row["core"]: _CoreRow(row["measured_core"], tuple(row["needs"].split()), float(row["factor"]),
                                  float(row["lo_factor"]), float(row["hi_factor"]), Basis(row["basis"]),
                                  row["reason"])
            for row in rows
        }  # fmt: skip
