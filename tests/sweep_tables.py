"""Sweeps of any size, made up but plausible: fewer bits and weights cost accuracy, slow cores cost time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from preflash.simulator.interval import BY_WEAKNESS, Basis
from preflash.simulator.sweep.table import (
    FIGURES,
    WORDS,
    Column,
    SweepTable,
    TargetRow,
    VariantRow,
)

NAN = float("nan")
HOSTILE = "</script><img src=x onerror=alert(1)>\"'&<b>\x1b[31m\u202e"
_MODELS = ("kws.tflite", "vww.tflite", "ad01.tflite")
_RECIPES = (
    ("as it is", "as it is", {}),
    ("int8", "quantize", {}),
    ("prune+int8", "prune sparsity={s} | quantize", {"sparsity": "{s}"}),
    ("cluster+int8", "cluster clusters=16 | quantize", {}),
    ("w4", "quantize-weights bits=4", {}),
    ("mixed", "mixed budget={s}", {"budget": "{s}"}),
    ("channels", "prune-channels fraction={s} | quantize", {"fraction": "{s}"}),
)  # fmt: skip
_BOARDS = (
    ("nucleo-l4r5zi", 120e6, 640, 2048), ("nucleo-f746zg", 216e6, 320, 1024),
    ("nucleo-h743zi2", 480e6, 1024, 2048), ("esp32-s3-devkitc-1", 240e6, 512, 8192),
    ("arduino-nano-33-ble", 64e6, 256, 1024), ("rpi-pico", 133e6, 264, 2048),
    ("nrf5340dk", 128e6, 512, 1024), ("stm32f407", 168e6, 192, 1024),
)  # fmt: skip


def variants(count: int) -> tuple[VariantRow, ...]:
    """So many variants of three models, by recipe, swept strength and width."""
    rng, rows = np.random.default_rng(1), []
    for number in range(count):
        model = _MODELS[number // len(_RECIPES) % len(_MODELS)]
        name, text, axes = _RECIPES[number % len(_RECIPES)]
        strength = f"{0.3 + 0.1 * (number // 21 % 7):.1f}"
        width = ("1.0", "0.75", "0.5", "0.25")[number // 147 % 4]
        swept = {key: value.format(s=strength) for key, value in axes.items()} | {"width": width}
        rows.append(
            VariantRow(
                number, model, f"{name} {strength}" if axes else name, text.format(s=strength), swept,
                "a" * 64, "b" * 64, f"{number:064x}", int(60_000 * float(width)), 40_000,
                float(strength) if axes else 0.0, 8.0, 25_000, 2.6e6 * float(width) * (1 + rng.random()),
            )
        )  # fmt: skip
    return tuple(rows)


def targets(count: int) -> tuple[TargetRow, ...]:
    """So many targets: boards, then runtimes, then clocks."""
    rows = []
    for number in range(count):
        name, clock, ram, flash = _BOARDS[number % len(_BOARDS)]
        runtime = ("tflm-cmsis-nn", "tflm-reference", "x-cube-ai@8.1")[number // len(_BOARDS) % 3]
        slower = 1 + number // (3 * len(_BOARDS))
        place = "arena=dtcm" if slower % 2 == 0 else ""
        rows.append(
            TargetRow(
                number, name, name.upper(), runtime, clock / slower, place, "", "", "c" * 64, "d" * 64,
                "e" * 64, ram * 1024, flash * 1024,
            )
        )  # fmt: skip
    return tuple(rows)


def table(
    variant_count: int = 10, target_count: int = 4, *, accuracy: bool = True, hostile: bool = False,
    seed: int = 0,
) -> SweepTable:  # fmt: skip
    """Every variant on every target, with some unknown energies, some errors and some refusals."""
    rng = np.random.default_rng(seed)
    v, t = variants(variant_count), targets(target_count)
    variant, target = (a.ravel().astype(np.intp) for a in np.meshgrid(
        np.arange(variant_count), np.arange(target_count), indexing="ij"))  # fmt: skip
    figures = _figures(v, t, (variant, target), rng)
    if not accuracy:
        figures["accuracy"] = unknown_column(len(variant))
    word, limiting = _words(figures, t, target, rng)
    reason = np.where(word == WORDS.index("ERROR"), 1, np.where(word == WORDS.index("UNKNOWN"), 2, 0))
    reason = np.where((word == WORDS.index("NO")) & (limiting == 3), 3, reason).astype(np.intp)
    for name, column in figures.items():
        if name != "accuracy":
            gone = word == WORDS.index("ERROR")
            figures[name] = Column(*(np.where(gone, NAN, part) for part in column[:3]), column.grade)
    texts = ("", "op 3 CONV_2D: shapes do not say how much work it is" + (HOSTILE if hostile else ""),
             "no speed stated for the external memory", "TFLM has no kernel for op 7 GELU")  # fmt: skip
    facts = {
        "name": "night" + (HOSTILE if hostile else ""),
        "question": "which board runs which variant under 250 ms?",
        "created": "2026-11-29T12:00:00Z", "version": "0.1", "seed": "7", "store": "sweeps/night.sqlite",
        "scenario": "[sweep]\nname = 'night'\n", "run_s": "12.5", "variants": str(variant_count),
        "targets": str(target_count), "points": str(len(variant)), "command": "preflash sweep night.toml",
    }  # fmt: skip
    if hostile:
        v = tuple(
            replace(one, model=HOSTILE + one.model, name=HOSTILE + one.name, text=one.text + HOSTILE)
            for one in v
        )
        t = tuple(replace(one, device=HOSTILE + one.device, place=HOSTILE) for one in t)
    return SweepTable(
        facts, {"latency_s": 0.25}, (("latency_s", "min"), ("accuracy", "max")) if accuracy else (),
        v, t, variant, target, word, limiting, ("ram:sram", "flash:flash", "latency", "runtime"), figures,
        reason, texts,
    )  # fmt: skip


def unknown_column(count: int) -> Column:
    nothing = np.full(count, NAN)
    return Column(nothing, nothing, nothing, np.full(count, BY_WEAKNESS.index(Basis.UNKNOWN), dtype=np.int8))


def column(value: np.ndarray, spread: float = 0.0, basis: Basis = Basis.CALIBRATED) -> Column:
    """value, value ± spread."""
    value = np.asarray(value, dtype=float)
    return Column(
        value, value * (1 - spread), value * (1 + spread),
        np.full(len(value), BY_WEAKNESS.index(basis), dtype=np.int8),
    )  # fmt: skip


def plain(words: str, **figures: list[float]) -> SweepTable:
    """A sweep of one point per letter (F T R U N E), each its own variant on one target."""
    count = len(words)
    letters = "FTRUNE"
    made = {name: column(np.array(figures.get(name, [NAN] * count), dtype=float)) for name in FIGURES}
    zeros = np.zeros(count, dtype=np.intp)
    return SweepTable(
        {"question": "?"}, {}, (), variants(count), targets(1), np.arange(count), zeros,
        np.array([letters.index(letter) for letter in words], dtype=np.int8), zeros, ("ram:sram",), made,
        zeros, ("",),
    )  # fmt: skip


def _figures(v, t, place, rng) -> dict[str, Column]:
    variant, target = place
    macs = np.array([one.macs for one in v])[variant]
    hz = np.array([one.clock_hz for one in t])[target]
    slow = np.array([4.0 if one.runtime == "tflm-reference" else 1.0 for one in t])[target]
    strength = np.array([one.sparsity for one in v])[variant]
    width = np.array([float(one.axes.get("width", 1)) for one in v])[variant]
    per_model = np.array([1 + 2.5 * _MODELS.index(one.model) for one in v])[variant]
    latency = macs * per_model * slow * 2.2 / hz * rng.normal(1, 0.03, len(hz)).clip(0.8)
    arena = np.round(24_000 * per_model * width**0.7 + 300 * rng.integers(0, 9, len(hz)))
    flash = np.round(60_000 * width * per_model * (1 - 0.5 * strength) + 70_000)
    energy = np.where(target % 3 == 1, NAN, latency * 0.03)
    noise = np.array([hash_noise(one) for one in v])[variant]
    accuracy = 0.93 - 0.09 * strength**2 - 0.06 * (1 - width) - 0.01 * per_model + noise
    made = {
        "arena_bytes": column(arena, 0, Basis.EXACT),
        "ram_bytes": column(arena + 4_000, 0.01, Basis.ANALYTIC),
        "flash_bytes": column(flash, 0.04), "latency_s": column(latency, 0.15),
        "energy_j": column(energy, 0.3),
        "accuracy": column(accuracy, 0.012, Basis.MEASURED),
    }  # fmt: skip
    unknown = np.isnan(energy)
    made["energy_j"].grade[unknown] = BY_WEAKNESS.index(Basis.UNKNOWN)
    return made


def hash_noise(one: VariantRow) -> float:
    return ((one.number * 7919) % 101 - 50) / 50 * 0.006


def _words(figures, t, target, rng) -> tuple[np.ndarray, np.ndarray]:
    ram = figures["ram_bytes"].value / np.array([one.ram_bytes * 0.4 for one in t])[target]
    flash = figures["flash_bytes"].value / np.array([one.flash_bytes for one in t])[target]
    late = figures["latency_s"].value / 0.25
    over = np.stack([ram, flash, late])
    limiting = over.argmax(axis=0)
    most = over.max(axis=0)
    word = np.select([most > 1.15, most > 0.98, most > 0.9], [4, 2, 1], 0)
    odd = rng.random(len(word))
    word = np.where(odd > 0.97, 5, np.where(odd > 0.94, 3, np.where(odd > 0.92, 4, word)))
    limiting = np.where((odd > 0.92) & (odd <= 0.94), 3, limiting)
    return word.astype(np.int8), limiting.astype(np.intp)


# sweeps with something odd each
EXAMPLES: dict[str, SweepTable] = {
    "small": table(21, 5),
    "no accuracy": table(21, 5, accuracy=False),
    "hostile": table(21, 5, hostile=True),
    "one point": plain("F", ram_bytes=[1024], latency_s=[0.1]),
    "nothing known": plain("UU"),
    "only errors": plain("EEE"),
    "none fits": plain("NNN", ram_bytes=[1e7, 2e7, 3e7], latency_s=[1, 1, 1], accuracy=[0.9, 0.9, 0.9]),
    "all equal": plain("FFFF", ram_bytes=[7] * 4, latency_s=[1] * 4, accuracy=[0.5] * 4, flash_bytes=[9] * 4),
    "zeros": plain("FF", ram_bytes=[0, 0], latency_s=[0, 0], accuracy=[0, 1], energy_j=[0, 1]),
    "no point": plain(""),
}
