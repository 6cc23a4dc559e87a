"""How much flash does the runtime's code take: the union of what the ops keep, over every way to build it."""

from __future__ import annotations

from typing import NamedTuple

from ...devices.runtime import CodeModel
from ...devices.spec import CoreSpec
from ...devices.target import Target
from ...graphs.ir import ModelGraph
from ...graphs.kept import kept
from ..interval import Basis, Interval, times, unknown
from .ahead_of_time import called_kernels
from .choices import Choice, ends, open_choices
from .generated import released_code
from .links import CodeBuild, CoreRow, core_rows, load_build
from .registrations import op_names, registrations
from .variants import NOTHING, Extra, LinkedCode, extra_of

_SOURCE = (
    "tflm_code_atoms.csv: union of the code each op keeps, arm-none-eabi-gcc 12.2.1, newlib-nano, NDEBUG"
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
_BASIS_OF = {"datasheet": Basis.DATASHEET, "measured": Basis.MEASURED, "primary": Basis.MEASURED}


class _Demand(NamedTuple):
    """What is to be built: the ops by either registration, for which core, with the interpreter or not."""

    ops: frozenset[str]
    narrow_ops: frozenset[str]
    core: CoreSpec
    code: CodeModel
    with_interpreter: bool

    @property
    def kernels(self) -> str:
        return self.code.table.removeprefix("tflm-").replace("-", "_")

    def ops_of(self, choice: Choice) -> frozenset[str]:
        return self.narrow_ops if choice.is_narrow and self.kernels == "cmsis_nn" else self.ops


class _Size(NamedTuple):
    value: float
    lo: float
    hi: float
    notes: tuple[str, ...] = ()

    def without(self, base_bytes: float) -> _Size:
        value, lo, hi = (max(0.0, figure - base_bytes) for figure in (self.value, self.lo, self.hi))
        return _Size(value, lo, hi, self.notes)


def code_bytes(graph: ModelGraph, target: Target) -> Interval:
    """Flash of runtime and kernels (text, rodata, data) for the ops of all subgraphs, without the model."""
    if not target.runtime.code.has_interpreter:
        return called_kernels(kernel_bytes(graph, target))
    return times(_cached(graph, target, with_interpreter=True), target.what_if.code)


def kernel_bytes(graph: ModelGraph, target: Target) -> Interval:
    """The same without interpreter, start code and C library: own and shared groups of the ops alone.

    It is what an ahead-of-time build of the same kernels keeps, apart from the code it generates.
    """
    return times(_cached(graph, target, with_interpreter=False), target.what_if.code)


def registration_saving_bytes(graph: ModelGraph, target: Target) -> int:
    """Flash that registrations of the model's own integer type save against AddConv2D() and the like."""
    code = target.runtime.code
    if not code.is_linked_table or code.registrations == "int8" or target.device.core.name not in core_rows():
        return 0
    demand = _demand(graph, target, with_interpreter=True)
    wide = open_choices(code)[0]._replace(is_narrow=False)
    found = [_linked_size(demand, wide._replace(is_narrow=narrow)) for narrow in (False, True)]
    sizes = [size.value for size in found if isinstance(size, _Size)]
    return max(0, round(sizes[0] - sizes[1])) if len(sizes) == 2 else 0


def undeclared_ends(graph: ModelGraph, target: Target) -> tuple[str, str, str] | None:
    """Names of low end, high end and value over what the build does not declare; None if it declares all."""
    code, core = target.runtime.code, target.device.core.name
    if not code.is_linked_table or not core.startswith("cortex-m"):
        return None
    return ends(code, narrower_name(graph, target))


def narrower_name(graph: ModelGraph, target: Target) -> str:
    """What the narrower registrations that this model can use are called; "" if the kernels have none."""
    found = {r.narrower for r in registrations(graph) if r.narrower}
    if target.runtime.code.table != "tflm-cmsis-nn" or not found:
        return ""
    return "INT8-only" if found == {"INT8"} else "type-restricted"


def _cached(graph: ModelGraph, target: Target, *, with_interpreter: bool) -> Interval:
    code = target.runtime.code
    if code.flat_bytes is not None:
        basis, flat = _BASIS_OF.get(code.confidence, Basis.ANALYTIC), float(code.flat_bytes)
        return Interval(flat, flat, flat, basis, code.source)
    if code.table == "x-cube-ai":
        return released_code(graph, target)
    if not code.table:
        return unknown(f"code size of {target.runtime.name}: {code.source}")
    key = f"code_bytes:{code!r}:{target.device.core!r}:{with_interpreter}"
    return kept(graph, key, lambda one: _linked(one, target, with_interpreter=with_interpreter))


def _linked(graph: ModelGraph, target: Target, *, with_interpreter: bool) -> Interval:
    found = _interval_over_choices(_demand(graph, target, with_interpreter=with_interpreter))
    between = undeclared_ends(graph, target) if with_interpreter else None
    return found if between is None else _with_ends(found, between)


def _demand(graph: ModelGraph, target: Target, *, with_interpreter: bool) -> _Demand:
    return _Demand(
        op_names(graph), op_names(graph, is_narrow=True), target.device.core, target.runtime.code,
        with_interpreter,
    )  # fmt: skip


def _with_ends(found: Interval, between: tuple[str, str, str]) -> Interval:
    low, high, value = between
    text = f"{found.source}; not declared: from {low} to {high}; the value is {value}"
    return Interval(found.value, found.lo, found.hi, found.basis, text, found.reason)


def _interval_over_choices(demand: _Demand) -> Interval:
    """The value of the first open choice, the ends of all that were linked."""
    row = core_rows().get(demand.core.name)
    if row is None:
        return unknown(f"no firmware was linked for {demand.core.name}: code size unknown")
    found = [_linked_size(demand, choice) for choice in open_choices(demand.code)]
    if isinstance(found[0], Interval):
        floors = [size.lo or 0.0 for size in found if size is not None]
        return unknown(found[0].reason, at_least=min(floors), source=found[0].source)
    first = found[0]
    if first is None:
        flags = demand.code.flags or "the default flags"
        return unknown(f"no firmware was linked for {row.measured_core} with flags {flags}")
    sizes = [size for size in found if isinstance(size, _Size)]
    lo, hi = min(size.lo for size in sizes), max(size.hi for size in sizes)
    is_as_linked = not first.notes
    notes = [*first.notes, row.reason] if row.reason else first.notes
    basis = row.basis if is_as_linked else Basis.ANALYTIC
    return Interval(round(first.value), int(lo), -int(-hi // 1), basis, "; ".join([_SOURCE, *notes]))


def _linked_size(demand: _Demand, choice: Choice) -> _Size | Interval | None:
    """The size built this way; an unknown figure if an op was never linked, None if nothing was built so."""
    row, ops = core_rows()[demand.core.name], demand.ops_of(choice)
    build = load_build(row.measured_core, demand.kernels, choice.flags, choice.strip)
    if build is None:
        return None
    base = 0 if demand.with_interpreter else build.base_bytes
    linked = _with_missing(ops, build, row, demand.kernels)
    if isinstance(linked, str):
        floor = build.bytes_of(ops) / (1 + max(0.0, build.error_hi_pct) / 100) - base
        return unknown(linked, at_least=max(0.0, floor) * row.lo_factor, source=_SOURCE)
    size = _on_core(linked.without(base), row, demand, choice)
    extra = NOTHING
    if demand.with_interpreter and demand.core.name.startswith("cortex-m"):
        code = LinkedCode(row.measured_core, demand.kernels, choice.flags, choice.strip, linked.value,
                          build.base_bytes)  # fmt: skip
        extra = extra_of(demand.code, code)
    return _plus(size, extra)


def _plus(size: _Size, extra: Extra) -> _Size:
    notes = (*size.notes, extra.note) if extra.note else size.notes
    return _Size(size.value + extra.value, size.lo + extra.lo, size.hi + extra.hi, notes)


def _with_missing(ops: frozenset[str], build: CodeBuild, row: CoreRow, kernels: str) -> _Size | str:
    """The size with what was assumed for ops not linked in this build; or why there is no figure."""
    value = build.bytes_of(ops)
    lo = value / (1 + max(0.0, build.error_hi_pct) / 100)
    hi = value / (1 + min(0.0, build.error_lo_pct) / 100)
    missing = ops - build.ops
    if not missing:
        return _Size(value, lo, hi)
    full = load_build(_FULL_BUILD[0], kernels, _FULL_BUILD[1], _FULL_BUILD[2])
    unheard = missing if full is None else missing - full.ops
    if full is None or unheard:
        return f"the code size of {', '.join(sorted(unheard))} is not known"
    extra = full.bytes_of(ops) - full.bytes_of(ops & build.ops)
    low, middle, high = _OTHER_BUILD_RATIO[row.measured_core]
    note = f"{', '.join(sorted(missing))} scaled from the Cortex-M4 -Os build"
    return _Size(value + middle * extra, lo + low * extra, hi + high * extra, (note,))


def _on_core(size: _Size, row: CoreRow, demand: _Demand, choice: Choice) -> _Size:
    """The figure of the measured core, widened for a core that stands beside it or lacks its features."""
    value, lo, hi = size.value * row.factor, size.lo * row.lo_factor, size.hi * row.hi_factor
    lacking = [feature for feature in row.needs if feature not in demand.core.isa]
    if not lacking:
        return _Size(value, lo, hi, size.notes)
    widest = load_build("m0plus", demand.kernels, choice.flags, choice.strip)
    if widest is not None:
        base = 0 if demand.with_interpreter else widest.base_bytes
        hi = max(hi, (widest.bytes_of(demand.ops_of(choice)) - base) * 1.01)
    note = f"this core lacks {', '.join(lacking)} of the linked build"
    return _Size(min(hi, max(value, (lo + hi) / 2)), lo, hi, (*size.notes, note))
