"""Which bytes of a linked firmware do which ops keep: the sharing structure of every measured build."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ..interval import Basis

_DATA = Path(__file__).resolve().parents[1] / "data"


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


class CoreRow(NamedTuple):
    """Which linked core stands for a core, and how far the true size may be off."""

    measured_core: str
    needs: tuple[str, ...]
    factor: float
    lo_factor: float
    hi_factor: float
    basis: Basis
    reason: str


@lru_cache(maxsize=64)
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
def core_rows() -> dict[str, CoreRow]:
    """Core -> the linked core that stands for it."""
    with (_DATA / "code_size_cores.csv").open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {
            row["core"]: CoreRow(row["measured_core"], tuple(row["needs"].split()), float(row["factor"]),
                                 float(row["lo_factor"]), float(row["hi_factor"]), Basis(row["basis"]),
                                 row["reason"])
            for row in rows
        }  # fmt: skip


@lru_cache(maxsize=1)
def op_sets() -> dict[str, frozenset[str]]:
    """The op sets that were linked to check the union rule, by their name in the records."""
    with (_DATA / "code_size_op_sets.csv").open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {row["op_set"]: frozenset(row["ops"].split()) for row in rows}


class VariantLink(NamedTuple):
    """One firmware that was linked twice: its flash in the main table, and what it has on top built so."""

    variant: str
    core: str
    kernels: str
    config: str
    linked_bytes: int
    base_bytes: int
    extra_bytes: int


@lru_cache(maxsize=1)
def variant_links() -> tuple[VariantLink, ...]:
    """Every firmware that was linked with another C library, log or without NDEBUG."""
    with (_DATA / "code_size_variants.csv").open(newline="", encoding="utf-8") as file:
        return tuple(
            VariantLink(row["variant"], row["core"], row["kernels"], row["config"], int(row["linked_bytes"]),
                        int(row["base_bytes"]), int(row["extra_bytes"]))
            for row in csv.DictReader(line for line in file if not line.startswith("#"))
        )  # fmt: skip
