"""Is the flash of a firmware the union of what its ops keep? Predicted against every linked op set."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from ..flash.links import CodeBuild, load_build, op_sets
from .facts import Facts
from .table import Cell, Claim, ValidationTable

_TARGETS_PCT = {"Os": 0.5, "Oscore+O2kernels": 0.5, "O2": 4.0, "O3": 4.0}


class _Link(NamedTuple):
    """One independently linked op set."""

    op_set: str
    linked_bytes: int
    error_pct: float


_Key = tuple[str, str, str, str]  # flags, core, kernels, strip


def code_size_table(facts: Facts) -> ValidationTable:
    """Per build: op sets compared, mean and largest error, and the set it is largest for."""
    checks, sizes = facts.rows("tflm_code_prediction_check.csv"), facts.rows("tflm_code_size.csv")
    linked = {(_key(row), row["op_set"]): int(row["actual_flash"]) for row in checks}
    linked |= {(_key(row), row["config"]): _flash(row) for row in sizes if row["config_type"] == "op_set"}
    known = {at: size for at, size in linked.items() if at[1] in op_sets() and _build(at[0]) is not None}
    by_build: dict[_Key, list[_Link]] = defaultdict(list)
    for (key, name), size in known.items():
        build = _build(key)
        assert build is not None
        error_pct = 100 * (build.bytes_of(op_sets()[name]) / size - 1)
        by_build[key].append(_Link(name, size, error_pct))
    return ValidationTable(
        "code-size", "flash of TFLM with an op set: union rule against firmwares linked independently",
        ("flags", "core", "kernels", "strip", "op sets", "mean |error| %", "largest |error| %", "worst set"),
        tuple(_row(key, links) for key, links in sorted(by_build.items())),
        (*_claims(by_build), _coverage(checks, sizes, known), _one_op_claim(sizes)),
    )  # fmt: skip


def _row(key: _Key, links: list[_Link]) -> tuple[Cell, ...]:
    worst = max(links, key=lambda link: abs(link.error_pct))
    mean = sum(abs(link.error_pct) for link in links) / len(links)
    return (*key, len(links), mean, abs(worst.error_pct), worst.op_set)


def _claims(by_build: dict[_Key, list[_Link]]) -> tuple[Claim, ...]:
    found = []
    for flags, target_pct in _TARGETS_PCT.items():
        errors = [abs(link.error_pct) for key, links in by_build.items() if key[0] == flags for link in links]
        reached = _spread(errors)
        found.append(Claim(f"{flags}: within {target_pct:g} %", reached, max(errors) <= target_pct))
    return tuple(found)


def _spread(errors_pct: list[float]) -> str:
    mean = sum(errors_pct) / len(errors_pct)
    return f"largest {max(errors_pct):.2f} %, mean {mean:.2f} % of {len(errors_pct)} links"


def _coverage(
    checks: list[dict[str, str]], sizes: list[dict[str, str]], known: dict[tuple[_Key, str], int]
) -> Claim:
    """Whether every recorded row took part, and the two records agree on what was linked."""
    sets = [row for row in sizes if row["config_type"] == "op_set"]
    wanted = {(_key(row), row["op_set"]) for row in checks} | {(_key(row), row["config"]) for row in sets}
    agreed = all(known.get((_key(row), row["op_set"])) == int(row["actual_flash"]) for row in checks)
    text = "every recorded op set is compared, and the two records agree on what was linked"
    return Claim(text, f"{len(wanted & set(known))} of {len(wanted)}", set(known) == wanted and agreed)


def _one_op_claim(sizes: list[dict[str, str]]) -> Claim:
    """The links of one op, type-restricted ones too: reported, since the groups come from them."""
    errors = []
    for row in sizes:
        build = _build(_key(row))
        if row["config_type"] in ("op", "op_type_restricted") and build and row["config"] in build.ops:
            errors.append(abs(100 * (build.bytes_of(frozenset([row["config"]])) / _flash(row) - 1)))
    return Claim("firmwares of one op, registered for all types or for one", _spread(errors), None)


def _key(row: dict[str, str]) -> _Key:
    return row["flags"], row["core"], row["kernels"], row["strip_error_strings"]


def _build(key: _Key) -> CodeBuild | None:
    flags, core, kernels, strip = key
    return load_build(core, kernels, flags, strip == "1")


def _flash(row: dict[str, str]) -> int:
    return int(row["text"]) + int(row["rodata"]) + int(row["data"])
