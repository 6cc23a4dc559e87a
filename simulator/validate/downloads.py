"""How well does gzip compress trained int8 weights, dense and with half of them zero? SA-26."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

from ...graphs.encodings.download import gzip_ratio
from ...graphs.encodings.values import values_of_tensor
from ...graphs.ir import DType, ModelGraph
from ...graphs.tflite.read import read_tflite
from ...graphs.variants.weights import weights
from .deep_compression import published_rows
from .facts import Facts
from .table import Cell, Claim, ValidationTable

# models of the shared folder whose weights were trained on data, not drawn
_TRAINED = (
    "kws_ref_model.tflite", "vww_96_int8.tflite", "pretrainedResnet_quant.tflite",
    "model_ToyCar_quant_fullint_micro_intio.tflite", "str_ww_ref_model.tflite",
    "mobilenet_v1_0.25_128_quant.tflite", "mobilenet_v1_0.75_192_quant.tflite",
    "mobilenet_v2_1.0_224_quant.tflite", "person_detect.tflite",
)  # fmt: skip
_DENSE, _HALF = (0.74, 0.90), (0.50, 0.70)
_PUBLISHED_DENSE, _PUBLISHED_HALF = (0.79, 0.84), (0.59, 0.63)
_GZIP_ADDS = 0.05
_SPARSE = 0.3  # a network whose weights are trained sparse is not a dense one


@dataclass(frozen=True, slots=True)
class GzipRatios:
    """gzip / raw of the 8-bit weights of one model, as they are and with the smaller half set to zero."""

    model: str
    weight_bytes: int
    sparsity: float
    entropy_bits: float
    dense: float
    half: float

    @property
    def is_dense(self) -> bool:
        return self.sparsity < _SPARSE


def gzip_ratios(name: str, graph: ModelGraph) -> GzipRatios | None:
    """The ratios over all 8-bit weights of the model; None where it has none."""
    dense, half, zeros, bits = [], [], 0.0, 0.0
    for one in weights(graph):
        tensor = graph.tensors[one.tensor]
        values = values_of_tensor(tensor) if tensor.dtype in (DType.INT8, DType.UINT8) else None
        if values is None:
            continue
        signed = values.flat.astype(np.uint8).view(np.int8)
        dense.append(signed.tobytes())
        half.append(_with_half_zero(signed).tobytes())
        zeros += values.sparsity * values.count
        bits += values.entropy_bits * values.count
    whole = b"".join(dense)
    if not whole:
        return None
    return GzipRatios(name, len(whole), zeros / len(whole), bits / len(whole), gzip_ratio(whole),
                      gzip_ratio(b"".join(half)))  # fmt: skip


def _with_half_zero(values: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """The smaller half of the magnitudes is zero."""
    order = np.argsort(np.abs(values.astype(np.int16)), kind="stable")
    pruned = values.copy()
    pruned[order[: len(values) // 2]] = 0
    return pruned


def trained_ratios(facts: Facts) -> tuple[list[GzipRatios], list[str]]:
    """(ratios of the trained models, names of those that are not there or hold no 8-bit weights)."""
    found, absent = [], []
    for name in _TRAINED:
        path = facts.folder / "models" / name
        ratios = gzip_ratios(name, read_tflite(path)) if path.is_file() else None
        if ratios is None:
            absent.append(name)
        else:
            found.append(ratios)
    return found, absent


def downloads_table(facts: Facts) -> ValidationTable:
    """SA-26: our ratios, and those that TFMOT and Arm published, quoted."""
    found, absent = trained_ratios(facts)
    rows: list[tuple[Cell, ...]] = [
        (one.model, one.weight_bytes, round(one.sparsity, 3), round(one.entropy_bits, 2), round(one.dense, 3),
         round(one.half, 3)) for one in found
    ]  # fmt: skip
    rows += [
        (f"{row['network']} {row['variant']} (published)", int(row["raw_bytes"]),
         int(row["sparsity_pct"]) / 100, None, *_published(row))
        for row in published_rows("downloads.csv")
    ]  # fmt: skip
    return ValidationTable(
        "downloads", "gzip / raw of 8-bit weights, as trained and with the smaller half zero",
        ("model", "weights B", "zeros", "entropy bits", "as trained", "half zero"), tuple(rows),
        tuple(_claims(found)), tuple(f"{name}: not there, or no 8-bit weights" for name in absent),
    )  # fmt: skip


def _published(row: dict[str, str]) -> tuple[Cell, Cell]:
    ratio = round(int(row["gzip_bytes"]) / int(row["raw_bytes"]), 3)
    return (ratio, None) if row["sparsity_pct"] == "0" else (None, ratio)


def _claims(found: list[GzipRatios]) -> Iterator[Claim]:
    dense = [one for one in found if one.is_dense]
    for what, ratios, bounds, quoted in (
        ("dense", [one.dense for one in dense], _DENSE, _PUBLISHED_DENSE),
        ("half zero", [one.half for one in dense], _HALF, _PUBLISHED_HALF),
    ):
        asked = f"{bounds[0]:.2f}..{bounds[1]:.2f} (published: {quoted[0]:.2f}..{quoted[1]:.2f})"
        inside = [bounds[0] <= ratio <= bounds[1] for ratio in ratios]
        middle = median(ratios) if ratios else float("nan")
        yield Claim(
            f"SA-26: {what}: median of the models {asked}", f"{middle:.3f}",
            bounds[0] <= middle <= bounds[1],
        )  # fmt: skip
        reached = (
            f"{min(ratios):.3f}..{max(ratios):.3f}, {sum(inside)} of {len(inside)}" if ratios else "none"
        )
        yield Claim(f"SA-26: {what}: every model {asked}", reached, bool(inside) and all(inside))
    over = [one.dense - one.entropy_bits / 8 for one in dense]
    yield Claim(
        "gzip adds at most 0.05 to the entropy of single weights, which differs by network",
        f"{min(over):.3f}..{max(over):.3f}" if over else "none",
        bool(over) and min(over) >= 0 and max(over) <= _GZIP_ADDS,
    )
