"""How many instructions each kernel runs: terms of the table times the coefficients of each row's family."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...devices.target import KernelBuild, Target
from ..columns import UNSIZED, Floats, KernelTable
from ..interval import Basis
from .classes import kernel_classes
from .cmsis_nn import cmsis_price
from .cores import CoreCosts
from .esp_nn import esp_price
from .price import ALL_TERMS, Family, Price, compiled_price, load_families, unpriced
from .reference import reference_price
from .terms import LOOP_TERMS, kernel_terms

# The interpreter's own work per op: order of 1000 instructions (specs/cmsis_nn_cost.md, how measured).
INTERPRETER_INSTRUCTIONS = (1000.0, 400.0, 2500.0)
_SIMD_FLAVOURS = ("s3", "p4")
_BUILT_BY = {"Espressif": "esp-idf"}  # vendor -> the build of kernel_builds.csv that its firmware gets
_UNSIGNED = "measured for int8 only: uint8 has a zero point of the weights to take off"
_MACS = ALL_TERMS.index("macs")
_LOOPS = [index for index, term in enumerate(ALL_TERMS) if term in LOOP_TERMS]


class InstructionColumns(NamedTuple):
    """Instructions per row (nan is unknown), their interval, and how they are known.

    `loops` is the part of `value` inside the innermost multiplication loops.
    """

    value: Floats
    lo: Floats
    hi: Floats
    loops: Floats
    basis: list[Basis]
    family: list[str]
    reason: list[str]


class Firmware(NamedTuple):
    """What the kernels are compiled from and for: library and flavour, compiler flags ("unknown"), an FPU."""

    build: KernelBuild
    flags: str
    has_fpu: bool


def firmware_of(target: Target) -> Firmware:
    """The flags of a runtime hold for the cores its code was linked for: Arm's; ESP-IDF compiles its own."""
    core = target.device.core
    flags = _BUILT_BY.get(target.device.vendor, "")
    if core.name.startswith("cortex-m"):
        flags = target.runtime.code.flags
    return Firmware(target.kernels, flags or "unknown", not {"fpu-sp", "fpu-dp"}.isdisjoint(core.isa))


def count_instructions(table: KernelTable, costs: CoreCosts, firmware: Firmware) -> InstructionColumns:
    """instructions = batch x sum(term x coefficient) x factor, and the interpreter's own per op."""
    key = ("instructions", costs.counted, costs.element_factor, firmware)
    if key not in table._cache:
        table._cache[key] = _count(table, costs, firmware)
    counted: InstructionColumns = table._cache[key]
    return counted


def _count(table: KernelTable, costs: CoreCosts, firmware: Firmware) -> InstructionColumns:
    priced = [_price(table, row, firmware, costs.counted) for row in range(len(table))]
    known, flavour = load_families(costs.counted), firmware.build.flavour
    fast = load_families(flavour) if flavour in _SIMD_FLAVOURS else {}
    rows = [_row_family(price, fast if simd else known, costs) for price, simd in priced]
    coefficients = np.array([family.coefficients for _, family in rows]).reshape(len(rows), len(ALL_TERMS))
    each = table_terms(table) * coefficients
    core, loops = each.sum(axis=1), each[:, _LOOPS].sum(axis=1)
    factor = np.array([(p.factor, p.lo * f.lo, p.hi * f.hi) for p, f in rows]).reshape(len(rows), 3).T
    unknown = np.array([not price.family for price, _ in rows], dtype=bool)
    value, lo, hi = (
        np.where(unknown, np.nan, core * part + own)
        for part, own in zip(factor, INTERPRETER_INSTRUCTIONS, strict=True)
    )
    return InstructionColumns(
        value, np.minimum(lo, value), np.maximum(hi, value), loops * factor[0],
        [_basis(price, family) for price, family in rows], [price.family for price, _ in rows],
        [price.reason or family.reason for price, family in rows],
    )  # fmt: skip


def table_terms(table: KernelTable) -> Floats:
    """rows x ALL_TERMS for all batch elements; multiplications are the table's where it knows them."""
    if "terms" not in table._cache:
        e, macs = table.extents, np.nan_to_num(table.macs)
        loops = kernel_terms(e) * e.batch[:, None]
        whole = np.stack([
            table.in_elements, table.out_elements, table.in_bytes + table.out_bytes, table.out_bytes,
            table.copy_runs, table.index_steps, table.axis_tests,
            macs / np.maximum(e.out_c, 1), macs / np.maximum(e.filter_c, 1),
        ], axis=1)  # fmt: skip
        terms = np.concatenate([loops, whole], axis=1)
        counted = macs > 0
        terms[counted, _MACS] = macs[counted]
        table._cache["terms"] = terms
    found: Floats = table._cache["terms"]
    return found


def _price(table: KernelTable, row: int, firmware: Firmware, counted: str) -> tuple[Price, bool]:
    """The row's price as this firmware is compiled; whether it is a SIMD form of the build's flavour."""
    library, simd = table.choices[row].library, False
    if not table.is_sized[row]:
        return unpriced(UNSIZED), False
    if library == "cmsis-nn":
        price = cmsis_price(table, row)
    elif library == "x-cube-ai":
        if table.choices[row].route == "ref":
            return reference_price(table, row, has_fpu=firmware.has_fpu), False
        price = cmsis_price(table, row)
        if table.data_types[row] == "uint8":
            price = price._replace(reason=_UNSIGNED, lo=0.8 * price.lo, hi=1.4 * price.hi)
        return price, False
    elif library == "esp-nn":
        price, simd = esp_price(table, row, flavour=firmware.build.flavour)
    elif library == "reference":
        price = reference_price(table, row, has_fpu=firmware.has_fpu)
    else:
        return unpriced(f"the kernels of {library} are not modelled"), False
    if simd:
        return price, True
    return compiled_price(price, library, counted, kernel_classes(table)[row], firmware.flags), False


_NONE = Family(np.zeros(len(ALL_TERMS)), 1.0, 1.0, Basis.UNKNOWN, "")


def _row_family(price: Price, families: dict[str, Family], costs: CoreCosts) -> tuple[Price, Family]:
    """The price with its family; a family that was not measured on this core leaves the kernel unpriced."""
    if not price.family:
        return price, _NONE
    family = families.get(price.family)
    if family is None:
        return unpriced(f"{price.family} was not counted for {costs.core}"), _NONE
    if family.basis is Basis.ANALYTIC and costs.element_factor != 1.0:
        scale = costs.element_factor if not price.family.startswith(("esp_", "cmsis_")) else 1.0
        family = family._replace(coefficients=family.coefficients * scale)
    return price, family


def _basis(price: Price, family: Family) -> Basis:
    if not price.family:
        return Basis.UNKNOWN
    return Basis.ANALYTIC if price.reason else family.basis
