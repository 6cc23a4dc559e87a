"""What a runtime file may say: kernels, planner, fusion rules, op support, code size. Knows no model."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, model_validator

from .spec import Block, Bytes, CoreName, IsaFeature, Name, Sourced

KernelLibrary = Literal["reference", "cmsis-nn", "esp-nn", "x-cube-ai", "accelerator"]
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

    planner: "tflm-greedy" | "greedy-by-size" | "unknown"; persistent: what lies beside the planned part.
    """

    planner: Literal["tflm-greedy", "greedy-by-size", "unknown"]
    persistent: Literal["tflm", "ahead-of-time", "none", "unknown"]
    static_ram_bytes: Annotated[Annotated[Bytes, Field(ge=0)] | None, Field(alias="static_ram")] = None
    alignment_bytes: Annotated[Bytes, Field(ge=1, alias="alignment")] = 16


class CodeModel(Sourced):
    """How the runtime's code size is known: a table of shared groups, a flat figure, or not at all."""

    table: Literal["tflm-reference", "tflm-cmsis-nn", ""] = ""
    flags: Literal["Os", "O2", "O3", "Oscore+O2kernels", ""] = ""
    strip_error_strings: bool = False
    has_interpreter: bool = True  # False: generated code calls the kernels
    flat_bytes: Annotated[Annotated[Bytes, Field(ge=0)] | None, Field(alias="flat")] = None


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
        kernel_flavour: "ansi": the library is built without its optimised kernels; "" is what the core has.
        departures: where this release's memory differs from the one that TFLM's rules describe.
    """

    name: Name
    title: Annotated[str, Field(min_length=1)]
    version: str
    kernel_library: KernelLibrary
    abi: Abi
    cores: Annotated[tuple[CoreName, ...], Field(min_length=1)]
    requires_isa: tuple[IsaFeature, ...] = ()
    requires_npu: str = ""
    kernel_flavour: Literal["", "ansi"] = ""
    departures: tuple[Departure, ...] = ()
    parts: tuple[Name, ...] = ()  # how the part's name begins; () is any part
    fusion: tuple[Name, ...] = ()
    hybrid_ops: bool = False  # float activations with integer weights
    ops_like: str = ""  # a shipped runtime whose ops it runs too
    memory: MemoryModel
    code: CodeModel
    rate: RateModel | None = None
    ops: Annotated[tuple[OpSupport, ...], Field(min_length=1, max_length=1024, alias="op")]
    notes: str = ""

    @cached_property
    def op_table(self) -> dict[str, OpSupport]:
        """op name -> what is supported of it."""
        return {support.op: support for support in self.ops}

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
