"""What a runtime file may say: kernels, planner, fusion rules, op support, code size. Knows no model."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, model_validator

from .release import Release
from .spec import Block, Bytes, CoreName, IsaFeature, Name, Sourced

KernelLibrary = Literal[
    "reference", "cmsis-nn", "esp-nn", "x-cube-ai", "accelerator", "xnnpack", "ruy", "eigen", "gemmlowp"
]  # fmt: skip
Abi = Literal["arm32-short-enum", "int32-enum", "host64", "none"]
Departure = Literal[
    "full-structs", "fully-connected-data-64", "no-bias-type-option", "depthwise-3x3-scratch"
]
TypeName = Literal[
    "bool", "int2", "int4", "int8", "int16", "int32", "int64", "uint4", "uint8", "uint16", "uint32",
    "uint64", "float16", "bfloat16", "float32", "float64", "complex64", "complex128", "string",
    "resource", "variant",
]  # fmt: skip


class OpSupport(Block):
    """Which versions and types of one op the runtime runs.

    Args:
        op: TFLite's builtin name, or "CUSTOM:<name>".
        versions: lowest and highest op version, both included.
        types: allowed types of the data input (input `data_input`).
        weight_types: allowed types of a constant filter (input `weight_input`); () is no restriction.
        data_input, weight_input: which inputs `types` and `weight_types` speak of.
        note: why the limits are as they are, shown with a refusal.
    """

    op: Annotated[str, Field(min_length=1, max_length=128)]
    versions: tuple[Annotated[int, Field(strict=True, ge=1)], Annotated[int, Field(strict=True, ge=1)]]
    types: Annotated[tuple[TypeName, ...], Field(min_length=1)]
    weight_types: tuple[TypeName, ...] = ()
    data_input: Annotated[int, Field(strict=True, ge=0, le=15)] = 0
    weight_input: Annotated[int, Field(strict=True, ge=0, le=15)] = 1
    note: str = ""


class MemoryModel(Sourced):
    """How the runtime lays out RAM.

    planner: how activations are placed; persistent: what lies beside the planned part. "x-cube-ai" needs a
    [[release]]; "litert" is greedy by size with copies of the weights beside it.
    arenas: "one" block in one memory; "two": planned and persistent part apart; "several": any buffer, and
    the weights of any op, in a memory of its own.
    """

    planner: Literal["tflm-greedy", "greedy-by-size", "litert", "x-cube-ai", "unknown"]
    persistent: Literal["tflm", "ahead-of-time", "none", "x-cube-ai", "unknown"]
    arenas: Literal["one", "two", "several"] = "one"
    static_ram_bytes: Annotated[Annotated[Bytes, Field(ge=0)] | None, Field(alias="static_ram")] = None
    alignment_bytes: Annotated[Bytes, Field(ge=1, alias="alignment")] = 16


class CodeModel(Sourced):
    """How the runtime's code size is known: a table of shared groups, a flat figure, or not at all.

    Left out (None), how the firmware is built is not declared: the figure is then an interval over the ways.

    Args:
        flags: of the compiler; Oscore+O2kernels is what TFLM's Makefile does.
        strip_error_strings: TF_LITE_STRIP_ERROR_STRINGS is defined.
        registrations: all is AddConv2D() and so on; int8 is AddConv2D(Register_CONV_2D_INT8()) and so on,
            the registration of the model's own integer type wherever the kernel library has one.
        ndebug: NDEBUG is defined; TFLM's BUILD_TYPE=default does not define it.
        libc: newlib-nano-float is newlib-nano with -u _printf_float.
        has_interpreter: no where generated code calls the kernels.
        debug_log: default is TFLM's debug_log.cc (stderr), callback is one that formats with vsnprintf.
    """

    table: Literal["tflm-reference", "tflm-cmsis-nn", "x-cube-ai", ""] = ""
    flags: Literal["Os", "O2", "O3", "Oscore+O2kernels", ""] = ""
    strip_error_strings: bool | None = None
    registrations: Literal["all", "int8"] | None = None
    ndebug: bool | None = None
    libc: Literal["newlib-nano", "newlib-nano-float", "newlib"] | None = None
    debug_log: Literal["callback", "default"] | None = None
    has_interpreter: bool = True
    flat_bytes: Annotated[Annotated[Bytes, Field(ge=0)] | None, Field(alias="flat")] = None

    @property
    def is_linked_table(self) -> bool:
        """Whether the figure is that of a linked TFLM firmware, and so follows from how it is built."""
        return self.table.startswith("tflm-") and self.flat_bytes is None and self.has_interpreter


class PatchModel(Sourced):
    """Whether the runtime runs the first ops of a network patch by patch.

    run: "built-in" | "by-hand" (not itself, but the application can split the model and loop) | "never".
    """

    run: Literal["built-in", "by-hand", "never"]


class RateModel(Sourced):
    """A declarative accelerator: MACs and bytes per cycle, for runtimes that drive one."""

    macs_per_cycle: Annotated[float, Field(gt=0)]
    elements_per_cycle: Annotated[float, Field(gt=0)]
    overhead_cycles_per_kernel: Annotated[float, Field(ge=0)] = 0
    utilisation_lo: Annotated[float, Field(gt=0, le=1)] = 1.0
    utilisation_hi: Annotated[float, Field(gt=0, le=1)] = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> RateModel:
        if self.utilisation_lo > self.utilisation_hi:
            raise ValueError("utilisation_lo must not exceed utilisation_hi")
        return self


class RuntimeSpec(Block):
    """The software that runs the model.

    Args:
        kernel_flavour: "ansi": the library is built without its optimised kernels; "sparse": XNNPACK may run
            1x1 convolutions sparse; "" is what the core has.
        unpacks_bits: weights that need so many bits or fewer lie packed, and kernels unpack them as they run.
        departures: where this release's memory differs from the one that TFLM's rules describe.
        weights: how they lie in the image: "raw" as in the .tflite; "tflm-lut": those with few values as
            indices with tables, which TFLM_DECODE ops write into the arena before each use.
        built_like: a runtime with the same firmware, whose measured builds and power hold for this one too.
    """

    name: Name
    title: Annotated[str, Field(min_length=1)]
    version: str
    kernel_library: KernelLibrary
    abi: Abi
    cores: Annotated[tuple[CoreName, ...], Field(min_length=1)]
    requires_isa: tuple[IsaFeature, ...] = ()
    requires_npu: str = ""
    kernel_flavour: Literal["", "ansi", "sparse"] = ""
    unpacks_bits: Literal[0, 4] = 0
    departures: tuple[Departure, ...] = ()
    parts: tuple[Name, ...] = ()  # how the part's name begins; () is any part
    fusion: tuple[Name, ...] = ()
    hybrid_ops: bool = False  # float activations with integer weights
    has_threads: bool = False  # several cores can share the work
    weights: Literal["raw", "tflm-lut"] = "raw"
    built_like: str = ""
    ops_like: str = ""  # a shipped runtime whose ops it runs too
    memory: MemoryModel
    code: CodeModel
    rate: RateModel | None = None
    patches: PatchModel | None = None  # None: nobody has said
    releases: Annotated[tuple[Release, ...], Field(max_length=64, alias="release")] = ()
    ops: Annotated[tuple[OpSupport, ...], Field(min_length=1, max_length=1024, alias="op")]
    notes: str = ""

    @cached_property
    def op_table(self) -> dict[str, OpSupport]:
        """op name -> what is supported of it."""
        return {support.op: support for support in self.ops}

    @property
    def label(self) -> str:
        """The name, with the release where there are several: "x-cube-ai@8.1"."""
        return f"{self.name}@{self.version}" if self.releases else self.name

    @property
    def measured_label(self) -> str:
        """The runtime whose measurements hold for this one."""
        return self.built_like or self.label

    @property
    def release(self) -> Release | None:
        """The release that `version` names; None where the file lists none."""
        return next((release for release in self.releases if release.version == self.version), None)

    @property
    def memory_version(self) -> str:
        """The release whose RAM and flash figures are taken."""
        release = self.release
        return self.version if release is None else release.memory_like or release.version

    @model_validator(mode="after")
    def _releases_are_named_once(self) -> RuntimeSpec:
        numbers = [number for release in self.releases for number in release.numbers]
        if len(set(numbers)) < len(numbers):
            raise ValueError("two releases have the same number")
        named = {release.version for release in self.releases}
        for release in self.releases:
            for like in {release.kernels_like, release.memory_like} - {None, *named - {release.version}}:
                raise ValueError(f"release {release.version} is said to be like {like}: no other release")
        if self.releases and self.release is None:
            raise ValueError("version must be that of a release")
        if "x-cube-ai" in (self.memory.planner, self.code.table) and not self.releases:
            raise ValueError('"x-cube-ai" needs a [[release]]')
        return self

    @model_validator(mode="after")
    def _ops_are_listed_once(self) -> RuntimeSpec:
        names = [support.op for support in self.ops]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"op listed twice: {', '.join(twice)}")
        for support in self.ops:
            if support.versions[0] > support.versions[1]:
                raise ValueError(f"op {support.op}: versions must be [lowest, highest]")
        return self
