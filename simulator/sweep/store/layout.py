"""How does a store lie in its file: tables, columns, and the view that people query."""

from __future__ import annotations

from ..table import FIGURES, WORDS

APPLICATION_ID, LAYOUT_VERSION = 0x50464C53, 1  # "PFLS"
PRICED = FIGURES[:-1]  # accuracy is kept once per variant and kernel set
POINT_COLUMNS = (
    "id", "variant", "target", "word", "limiting", "reason",
    *(f"{name}{end}" for name in PRICED for end in ("", "_lo", "_hi", "_grade")),
)  # fmt: skip
VARIANT_COLUMNS = (
    "number", "model", "name", "text", "axes", "model_sha256", "recipe_sha256", "sha256", "file_bytes",
    "gzip_bytes", "sparsity", "bits", "weight_count", "macs", "retrain", "notes", "error", "source",
)  # fmt: skip
TARGET_COLUMNS = (
    "number", "device", "title", "runtime", "clock_hz", "place", "supply", "npu", "device_sha256",
    "runtime_sha256", "calibration_sha256", "ram_bytes", "flash_bytes", "error", "kernels",
)  # fmt: skip
QUALITY_COLUMNS = (
    "variant", "kernels", "metric", "value", "lo", "hi", "count", "change", "change_text", "reason",
)  # fmt: skip
_WORD_CASES = " ".join(f"WHEN {code} THEN '{word}'" for code, word in enumerate(WORDS))
_BASIS_CASES = "(SELECT text FROM basis WHERE basis.grade = point.{0}_grade) AS {0}_basis"

_TABLES = f"""
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE basis (grade INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE text (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE variant ({", ".join(VARIANT_COLUMNS)}, PRIMARY KEY (number));
CREATE TABLE target ({", ".join(TARGET_COLUMNS)}, PRIMARY KEY (number));
CREATE TABLE quality ({", ".join(QUALITY_COLUMNS)}, PRIMARY KEY (variant, kernels)) WITHOUT ROWID;
CREATE TABLE tile (number INTEGER PRIMARY KEY, points INTEGER NOT NULL);
CREATE TABLE point (id INTEGER PRIMARY KEY, {", ".join(POINT_COLUMNS[1:])});
"""
_VIEW = f"""
CREATE VIEW points AS SELECT
  point.id AS id, variant.model AS model, variant.name AS recipe, variant.text AS steps, variant.axes AS axes,
  target.device AS device, target.runtime AS runtime, target.clock_hz AS clock_hz, target.place AS place,
  target.supply AS supply, target.npu AS npu,
  CASE point.word {_WORD_CASES} END AS word, limiting.text AS limiting, reason.text AS reason,
  {
    ", ".join(
        f"point.{n} AS {n}, point.{n}_lo AS {n}_lo, point.{n}_hi AS {n}_hi, {_BASIS_CASES.format(n)}"
        for n in PRICED
    )
},
  quality.value AS accuracy, quality.lo AS accuracy_lo, quality.hi AS accuracy_hi,
  quality.metric AS metric, quality.change_text AS accuracy_change,
  variant.file_bytes AS file_bytes, nullif(variant.gzip_bytes, 0) AS gzip_bytes, variant.sparsity AS sparsity,
  variant.bits AS bits, variant.macs AS macs, variant.retrain AS retrain,
  variant.model_sha256 AS model_sha256, variant.recipe_sha256 AS recipe_sha256, variant.sha256 AS sha256,
  target.device_sha256 AS device_sha256, target.runtime_sha256 AS runtime_sha256,
  target.calibration_sha256 AS calibration_sha256
FROM point
JOIN variant ON variant.number = point.variant
JOIN target ON target.number = point.target
LEFT JOIN text AS limiting ON limiting.id = point.limiting
LEFT JOIN text AS reason ON reason.id = point.reason
LEFT JOIN quality ON quality.variant = point.variant AND quality.kernels = target.kernels;
"""
CREATE = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {LAYOUT_VERSION};{_TABLES}{_VIEW}"


def insert(table: str, columns: tuple[str, ...], *, verb: str = "INSERT OR IGNORE") -> str:
    """The statement that adds one row."""
    marks = ", ".join("?" * len(columns))
    return f"{verb} INTO {table} ({', '.join(columns)}) VALUES ({marks})"
