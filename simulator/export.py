"""What does the firmware need of a model: a header with arena and registrations, the model as an array."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from .. import __version__
from ..devices.build import FirmwareBuild, with_build
from ..devices.target import Target
from ..errors import TargetInvalid, UnsupportedOp
from ..graphs.ir import ModelGraph
from .cpp import byte_rows, comment, distinct, identifier, string_literal
from .encodings.stored import as_stored
from .estimate import Estimate, MemoryPlan
from .flash import Registration, registrations
from .flash.add_methods import NARROWER_HEADERS
from .flash.image import ARRAY_ALIGNMENT_BYTES
from .memory.persistent import resource_count
from .memory.requests import ALIGNMENT_BYTES
from .simulate import simulate

ARENA_ALIGNMENT_BYTES, MODEL_ALIGNMENT_BYTES = ALIGNMENT_BYTES, ARRAY_ALIGNMENT_BYTES
ARENA_MARGIN_BYTES = 0
_LARGEST_MODEL_BYTES = 64 << 20
_MICRO = "tensorflow/lite/micro"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file to write: its name without a folder, and its text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class _Firmware:
    """What both files speak of."""

    name: str  # a C++ namespace and the stem of the files
    content: bytes
    graph: ModelGraph
    estimate: Estimate
    plan: MemoryPlan
    target: Target
    calls: tuple[tuple[Registration, str], ...]  # with the C++ of each call
    is_narrow: bool

    @property
    def macro(self) -> str:
        return self.name.upper()

    @property
    def arena_bytes(self) -> int:
        return self.plan.min_bytes + ARENA_MARGIN_BYTES


def export_firmware(
    graph: ModelGraph, target: Target, *, content: bytes | None = None
) -> tuple[SourceFile, SourceFile]:
    """The header and the source that put this model into a TFLM firmware for this target.

    Ops are registered for their own integer type where the kernel library has such registrations, unless the
    target's build declares registrations for all types.

    Args:
        content: the bytes of the model's file; None writes the graph.

    Raises:
        TargetInvalid: the runtime is not TFLM.
        UnsupportedOp: the runtime refuses the model, or it is larger than 64 MiB.
    """
    if target.runtime.memory.persistent != "tflm":
        text = f"nothing is exported for {target.runtime.name}: arena, resolver and array are TFLM's"
        raise TargetInvalid(text, where="export", fix="choose a TFLM runtime with -r")
    given, graph = graph, as_stored(graph, target)
    stored = _content(graph, content if graph is given else None)
    is_narrow = target.runtime.kernel_library == "cmsis-nn" and target.runtime.code.registrations != "all"
    if target.runtime.code.table:
        target = with_build(target, FirmwareBuild(registrations="int8" if is_narrow else "all"))
    estimate = simulate(graph, target)
    if estimate.plan is None:
        text = f"nothing is exported: {estimate.verdict.sentence}"
        raise UnsupportedOp(text, where=graph.name[:80], fix="preflash check says more")
    name = f"{identifier(graph.name, 'exported').removesuffix('_model')}_model"
    calls = tuple(_calls(registrations(graph), is_narrow=is_narrow))
    firmware = _Firmware(name, stored, graph, estimate, estimate.plan, target, calls, is_narrow)
    header, source = "\n".join(_header(firmware)), "\n".join(_source(firmware))
    return SourceFile(f"{name}.h", header + "\n"), SourceFile(f"{name}.cc", source + "\n")


def _content(graph: ModelGraph, content: bytes | None) -> bytes:
    if content is None:
        from ..graphs.tflite.write import write_tflite

        content = write_tflite(graph)
    if len(content) > _LARGEST_MODEL_BYTES:
        text = f"a model of {len(content):,} bytes is not written as an array"
        raise UnsupportedOp(
            text, where=graph.name[:80], fix="link the file itself, e.g. with objcopy or .incbin"
        )
    return content


def _calls(wanted: tuple[Registration, ...], *, is_narrow: bool) -> Iterator[tuple[Registration, str]]:
    """Each registration with the call that makes it."""
    own = [r for r in wanted if r.is_custom and not r.method]
    functions = dict(zip(own, distinct(_function_of(r) for r in own), strict=True))
    for wish in wanted:
        if wish in functions:
            yield wish, f"AddCustom({string_literal(wish.op)}, {functions[wish]}())"
        elif is_narrow and wish.narrower:
            yield wish, f"{wish.method}(tflite::Register_{wish.op}_{wish.narrower}())"
        elif wish.method:
            yield wish, f"{wish.method}()"
        else:
            raise UnsupportedOp(f"TFLM's resolver has no method for {wish.op}", fix="replace the op")


def _function_of(wish: Registration) -> str:
    return f"Register_{identifier(wish.op, 'custom').upper()}"


def _header(firmware: _Firmware) -> Iterator[str]:
    guard = f"PREFLASH_{firmware.macro}_H_"
    yield from _provenance(firmware)
    yield from ("", f"#ifndef {guard}", f"#define {guard}", "")
    yield from ("#include <cstddef>", "#include <cstdint>", "")
    yield from (f'#include "{header}"' for header in _includes(firmware))
    yield ""
    yield from _placement(firmware)
    yield from (f"namespace {firmware.name} {{", "")
    yield from _constants(firmware)
    yield from _declarations(firmware)
    yield from _register_ops(firmware)
    if resource_count(firmware.graph):
        yield from _RESOURCES
    yield from (f"}}  // namespace {firmware.name}", "", f"#endif  // {guard}")


def _provenance(firmware: _Firmware) -> Iterator[str]:
    """Where the figures come from; no time, so that the same model gives the same file."""
    target, estimate = firmware.target, firmware.estimate
    flash = estimate.metric("flash_bytes")
    code = "unknown" if flash.value is None else f"{flash.value:,.0f} bytes"
    for text in (
        f"Written by preflash {__version__} export. Do not edit; export again.",
        f"Model: {firmware.graph.name}, {len(firmware.content):,} bytes",
        f"Board: {target.device.name}; runtime: {target.runtime.name}",
        f"Runtime version: {target.runtime.version}",
        f"Verdict: {estimate.verdict.word}; flash with runtime and kernels: {code} ({flash.basis})",
        f"Arena: smallest that works, {estimate.metric('arena_min_bytes').basis}; "
        f"margin {ARENA_MARGIN_BYTES} bytes",
        f"Registrations: {_registrations_text(firmware)}",
    ):
        yield comment(text)


def _registrations_text(firmware: _Firmware) -> str:
    if firmware.is_narrow:
        return "of the type the model uses; compile with CMSIS_NN defined, as the library"
    return "for all types"


def _includes(firmware: _Firmware) -> Iterator[str]:
    kernels = {
        f"{_MICRO}/kernels/{NARROWER_HEADERS[wish.op]}"
        for wish, _ in firmware.calls
        if firmware.is_narrow and wish.narrower
    }
    resources = {f"{_MICRO}/micro_allocator.h", f"{_MICRO}/micro_resource_variable.h"}
    if resource_count(firmware.graph):
        kernels |= resources
    yield from sorted({*kernels, f"{_MICRO}/micro_mutable_op_resolver.h"})


def _placement(firmware: _Firmware) -> Iterator[str]:
    """Macros that put arena and model where the firmware wants them."""
    device = firmware.target.device
    for part, memory in (("ARENA", device.home_of("arena")), ("DATA", device.home_of("weights"))):
        macro = f"{firmware.macro}_{part}_SECTION"
        yield comment(f"Planned in {memory.name}. Where the linker would put it elsewhere, name a section:")
        yield '// define this for both files, e.g. as __attribute__((section(".name"))).'
        yield from (f"#ifndef {macro}", f"#define {macro}", "#endif", "")


def _constants(firmware: _Firmware) -> Iterator[str]:
    digest = hashlib.sha256(firmware.content).hexdigest()
    for name, value, text in (
        ("kArenaBytes", firmware.arena_bytes, "smallest arena with which AllocateTensors() succeeds"),
        ("kArenaMarginBytes", ARENA_MARGIN_BYTES, "of these, beyond what is needed"),
        ("kArenaAlignment", ARENA_ALIGNMENT_BYTES, ""),
        ("kExpectedArenaUsedBytes", firmware.plan.used_bytes, "what arena_used_bytes() will say"),
        ("kModelBytes", len(firmware.content), ""),
        ("kModelAlignment", MODEL_ALIGNMENT_BYTES, ""),
        ("kOpCount", len(firmware.calls), "kinds of ops to register"),
        ("kResourceVariables", resource_count(firmware.graph), ""),
    ):
        yield f"constexpr std::size_t {name} = {value};" + (f"  {comment(text)}" if text else "")
    yield f'constexpr char kModelSha256[] = "{digest}";'
    yield ""


def _declarations(firmware: _Firmware) -> Iterator[str]:
    yield "extern const unsigned char kModelData[kModelBytes];"
    yield "extern unsigned char arena[kArenaBytes];"
    yield ""
    own = [call for wish, call in firmware.calls if wish.is_custom and not wish.method]
    if own:
        yield comment("Yours to define: the kernels of custom ops that TFLM does not bring.")
        for call in own:
            yield f"TFLMRegistration* {call.rsplit(', ', 1)[1].removesuffix(')')};"
        yield ""
    yield f"using OpResolver = tflite::MicroMutableOpResolver<{max(1, len(firmware.calls))}>;"
    yield ""


def _register_ops(firmware: _Firmware) -> Iterator[str]:
    """A function that makes every call and stops at the first that fails."""
    yield comment("Registers exactly the ops of this model.")
    yield "inline TfLiteStatus RegisterOps(OpResolver& resolver) {"
    if not firmware.calls:
        yield "  static_cast<void>(resolver);"
    yield "  TfLiteStatus status = kTfLiteOk;"
    for _, call in firmware.calls:
        yield f"  status = resolver.{call};"
        yield "  if (status != kTfLiteOk) return status;"
    yield "  return status;"
    yield "}"
    yield ""


_RESOURCES = (
    "// The model keeps state in resource variables: pass the result to MicroInterpreter.",
    "inline tflite::MicroResourceVariables* CreateResourceVariables(tflite::MicroAllocator* allocator) {",
    "  return tflite::MicroResourceVariables::Create(allocator, static_cast<int>(kResourceVariables));",
    "}",
    "",
)


def _source(firmware: _Firmware) -> Iterator[str]:
    yield from _provenance(firmware)
    yield from ("", f'#include "{firmware.name}.h"', "", f"namespace {firmware.name} {{", "")
    yield f"alignas({ARENA_ALIGNMENT_BYTES}) {firmware.macro}_ARENA_SECTION unsigned char arena[kArenaBytes];"
    yield ""
    yield (
        f"alignas({MODEL_ALIGNMENT_BYTES}) {firmware.macro}_DATA_SECTION "
        "const unsigned char kModelData[kModelBytes] = {"
    )
    yield from byte_rows(firmware.content)
    yield from ("};", "", f"}}  // namespace {firmware.name}")
