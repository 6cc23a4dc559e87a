"""Is the arena of a board in somebody's hands predicted? ESP32 and nRF52840, measured by mcufit-bench."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...devices.target import KernelBuild
from ...graphs.ir import ModelGraph
from ...graphs.tflite.read import read_tflite
from ..memory.departures import DEPARTURES
from ..memory.plan import plan_tflm
from .facts import Facts
from .table import Cell, Claim, ValidationTable

NEAR_BYTES = 64
_ESP = "int32-enum"
_ARDUINO = KernelBuild("cmsis-nn", "dsp", "arm32-short-enum")
# (chip or architecture, kernels as recorded) -> the build, and where it departs from the rules' release
_BUILDS = {
    ("ESP32", "esp-nn-optimized"): KernelBuild("esp-nn", "generic", _ESP),
    ("ESP32", "ansi-c-reference"): KernelBuild("esp-nn", "ansi", _ESP),
    ("nRF52840", "cmsis-nn-or-reference"): replace(_ARDUINO, departures=tuple(DEPARTURES)),
}
# computers, not boards: an interpreter that records its allocations
_HOSTS = {"wasm32": KernelBuild("reference", "", _ESP), "arm64": KernelBuild("reference", "", "host64")}
_COLUMNS = ("chip", "model", "kernels", "measured_bytes", "predicted_bytes", "difference_bytes",
            "this_release_bytes", "explanation")  # fmt: skip


def mcufit_table(facts: Facts) -> ValidationTable:
    """Per board, model and kernels: measured and predicted arena; what an older library adds, by item."""
    by_hash = {row["sha256"]: row["file"] for row in facts.rows("tflm_arena.csv")}
    graphs: dict[str, ModelGraph] = {}
    boards: dict[tuple[str, str, str, int], tuple[Cell, ...]] = {}
    left_out: dict[str, None] = {}
    for row in facts.rows("mcufit_bench_models.csv"):
        sha = row["model_sha256"]
        if sha not in by_hash:
            left_out[f"{row['model']}: no such file in models/"] = None
            continue
        if sha not in graphs:
            graphs[sha] = read_tflite(facts.path("models", by_hash[sha]))
        if row["arch"]:
            left_out[_host_note(row, graphs[sha])] = None
            continue
        key = (row["chip"], row["model"], row["kernels"], int(row["arena_used_bytes"]))
        boards[key] = _board_row(key, graphs[sha])
    return ValidationTable(
        "mcufit", "TFLM arena on boards: arena_used_bytes() printed by the firmware against the prediction",
        _COLUMNS, tuple(boards.values()), _claims(tuple(boards.values())), tuple(left_out),
    )  # fmt: skip


def _board_row(key: tuple[str, str, str, int], graph: ModelGraph) -> tuple[Cell, ...]:
    chip, model, kernels, measured = key
    build = _BUILDS[chip, kernels]
    predicted = plan_tflm(graph, build).used_bytes
    plain = plan_tflm(graph, replace(build, departures=())).used_bytes
    steps = explain(graph, build)
    text = "; ".join(f"{added:+d} {name}" for name, added in steps) or "none needed"
    return chip, model, kernels, measured, predicted, predicted - measured, plain - measured, text


def explain(graph: ModelGraph, build: KernelBuild) -> tuple[tuple[str, int], ...]:
    """(departure, bytes it adds to the arena), one after the other in the build's order."""
    steps = []
    before = plan_tflm(graph, replace(build, departures=())).used_bytes
    for count, name in enumerate(build.departures, start=1):
        after = plan_tflm(graph, replace(build, departures=build.departures[:count])).used_bytes
        steps.append((name, after - before))
        before = after
    return tuple(steps)


def _claims(rows: Sequence[tuple[Cell, ...]]) -> tuple[Claim, ...]:
    worst = max((abs(int(row[5] or 0)) for row in rows), default=0)
    esp = [row for row in rows if row[0] == "ESP32"]
    same = sum(row[6] == 0 for row in esp)
    inferred = ", ".join(name for name, d in DEPARTURES.items() if not d.is_read)
    return (
        Claim(f"arena within {NEAR_BYTES} B of the measured one on every board", f"largest {worst} B",
              bool(rows) and worst <= NEAR_BYTES),
        Claim("ESP32: equal to the byte with this release's rules", f"{same} of {len(esp)}",
              bool(esp) and same == len(esp)),
        Claim(f"nRF52840: {inferred} were worked out from these same totals, not read in its source",
              "reported only", None),
    )  # fmt: skip


def _host_note(row: dict[str, str], graph: ModelGraph) -> str:
    plan = plan_tflm(graph, _HOSTS[row["arch"]])
    head, tail = int(row["arena_nonpersistent_bytes"]), int(row["arena_persistent_bytes"])
    return (
        f"{row['arch']} (a computer that records allocations, no board): head {plan.head_bytes} of {head} B, "
        f"tail {tail} B is {tail - plan.tail_bytes} B above a plain interpreter's lower bound, not explained"
    )
