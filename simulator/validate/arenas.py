"""Is TFLM's arena predicted to the byte? Recorded heads, tails and smallest arenas of real models."""

from __future__ import annotations

from ...devices.target import KernelBuild
from ...graphs.tflite.read import read_tflite
from ..memory.plan import plan_tflm
from .facts import Facts
from .table import Claim, ValidationTable

_ARM, _INT = "arm32-short-enum", "int32-enum"
_BUILDS = {
    "arm32_ref": KernelBuild("reference", "", _ARM),
    "arm32_cmsisnn_c": KernelBuild("cmsis-nn", "c", _ARM),
    "arm32_cmsisnn_dsp": KernelBuild("cmsis-nn", "dsp", _ARM),
    "arm32_cmsisnn_mve": KernelBuild("cmsis-nn", "mve", _ARM),
    "int32enum_ref": KernelBuild("reference", "", _INT),
    "esp32s3_espnn": KernelBuild("esp-nn", "s3", _INT),
}
_SOURCES = ("tflm_arena.csv", "tflm_arena_synthetic.csv")


def arena_table(facts: Facts) -> ValidationTable:
    """Per build: models compared, heads, tails and smallest arenas that are equal."""
    recorded = [row for name in _SOURCES for row in facts.rows(name) if row.get("loads_host", "yes") == "yes"]
    graphs = {row["file"]: read_tflite(facts.path("models", row["file"])) for row in recorded}
    rows = []
    for flavour, build in _BUILDS.items():
        equal = {"head": 0, "tail": 0, "min_arena": 0}
        with_min = 0
        for row in recorded:
            plan = plan_tflm(graphs[row["file"]], build)
            equal["head"] += row[f"{flavour}_head"] == str(plan.head_bytes)
            equal["tail"] += row[f"{flavour}_tail"] == str(plan.tail_bytes)
            if f"{flavour}_min_arena" in row:
                with_min += 1
                equal["min_arena"] += row[f"{flavour}_min_arena"] == str(plan.min_bytes)
        smallest = f"{equal['min_arena']} / {with_min}" if with_min else "not recorded"
        rows.append((flavour, len(recorded), equal["head"], equal["tail"], smallest))
    exact = sum(r[2] == r[1] == r[3] for r in rows)
    return ValidationTable(
        "arenas", "TFLM arena: predicted against recorded, models that are equal to the byte",
        ("build", "models", "heads equal", "tails equal", "smallest arenas equal"), tuple(rows),
        (Claim("head and tail equal for every build but Helium's upstream defect",
               f"{exact} of {len(rows)} builds", exact >= len(rows) - 1),),
    )  # fmt: skip
