"""Does the formula give the rates that Deep Compression published, per tensor and for whole networks?"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...graphs.encodings.rates import deep_compression_rate
from .table import Cell, Claim, ValidationTable

PUBLISHED = Path(__file__).parents[1] / "data" / "published"
# (network, tensors) -> how far the formula may be off; kept shares and sizes are printed rounded
_TOLERANCES = {
    ("alexnet", "conv"): 0.03, ("alexnet", "fc8"): 0.03, ("alexnet", "fc"): 0.08,
    ("vgg-16", "conv1_1"): 0.09, ("vgg-16", "conv"): 0.02, ("vgg-16", "fc"): 0.14,
}  # fmt: skip
_WHOLE = {"alexnet": (27.0, 35.0, 0.03), "vgg-16": (31.0, 49.0, 0.09)}  # printed rates and their tolerance
_OF_NETWORKS = (39.6, 39.1, 34.8, 48.8)  # SA-30


@dataclass(frozen=True, slots=True)
class PublishedTensor:
    """One row of the paper's tables, and what the formula makes of it; rates are stored / original.

    Args:
        printed_count, count: weights as printed, and exactly where the architecture says.
    """

    network: str
    name: str
    printed_count: int
    count: int
    kept: float
    printed_rate: float
    printed_huffman_rate: float
    rate: float
    huffman_rate: float
    rounding: float  # half a unit of the last digit of the printed rates, P+Q and P+Q+H
    huffman_rounding: float

    @property
    def tolerance(self) -> float:
        """That of the most specific entry of the table."""
        found = [t for (network, head), t in _TOLERANCES.items()
                 if network == self.network and self.name.startswith(head)]  # fmt: skip
        exact = _TOLERANCES.get((self.network, self.name))
        return found[0] if exact is None else exact

    @property
    def error(self) -> float:
        """Formula / printed - 1 beyond the rounding of what is printed: of P+Q or P+Q+H, the larger."""
        pairs = (
            (self.rate, self.printed_rate, self.rounding),
            (self.huffman_rate, self.printed_huffman_rate, self.huffman_rounding),
        )
        errors = []
        for ours, printed, rounding in pairs:
            nearest = min(max(ours, printed - rounding), printed + rounding)
            errors.append(ours / nearest - 1)
        return max(errors, key=abs)


def published_rows(name: str) -> list[dict[str, str]]:
    """The rows of a CSV of published figures."""
    with (PUBLISHED / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


@lru_cache(maxsize=1)
def published_tensors() -> tuple[PublishedTensor, ...]:
    """All tensors of both networks; the totals are left out."""
    return tuple(_tensor(row) for row in published_rows("deep_compression.csv") if row["tensor"] != "total")


def _tensor(row: dict[str, str]) -> PublishedTensor:
    printed = int(row["weights"])
    count, kept = int(row["exact_weights"] or printed), float(row["kept_pct"]) / 100
    bits, span = float(row["weight_bits"]), int(row["index_bits"])
    huffman = float(row["weight_bits_huffman"]), float(row["index_bits_huffman"])
    rate, coded = (
        deep_compression_rate(
            count, kept, weight_bits=weight, index_bits=index, codes=1 << int(bits), span_bits=span
        )
        for weight, index in ((bits, span), huffman)
    )
    return PublishedTensor(
        row["network"], row["tensor"], printed, count, kept, float(row["rate_pct"]) / 100,
        float(row["rate_huffman_pct"]) / 100, rate, coded,
        _rounding(row["rate_pct"]), _rounding(row["rate_huffman_pct"]),
    )  # fmt: skip


def _rounding(printed_pct: str) -> float:
    """Half a unit of the last printed digit, as a share."""
    return 0.5 * 10.0 ** -len(printed_pct.partition(".")[2]) / 100


def whole_network(network: str, *, printed: bool) -> tuple[float, float]:
    """(original / stored of P+Q, of P+Q+H), tensors weighted by their weights.

    Args:
        printed: by the rates that the paper prints per tensor, or by the formula.
    """
    tensors = [one for one in published_tensors() if one.network == network]
    original = sum(one.count for one in tensors)
    shared = (one.printed_rate if printed else one.rate for one in tensors)
    coded = (one.printed_huffman_rate if printed else one.huffman_rate for one in tensors)
    counts = [one.count for one in tensors]
    return (
        original / sum(n * rate for n, rate in zip(counts, shared, strict=True)),
        original / sum(n * rate for n, rate in zip(counts, coded, strict=True)),
    )


def network_ratios() -> list[tuple[str, float, float]]:
    """(network, before / after, printed) of table 1."""
    return [
        (row["network"], int(row["before_kb"]) / int(row["after_kb"]), float(row["printed_rate"]))
        for row in published_rows("deep_compression_networks.csv")
    ]


def deep_compression_table() -> ValidationTable:
    """SA-28 to SA-30."""
    return ValidationTable(
        "deep-compression",
        "Deep Compression: stored / original in percent by the formula, against its tables 4 and 5",
        ("network", "tensor", "weights", "kept %", "P+Q %", "printed", "P+Q+H %", "printed ", "worst error %",
         "tolerance %"),
        tuple(map(_line, published_tensors())), tuple(_claims()),
    )  # fmt: skip


def _line(one: PublishedTensor) -> tuple[Cell, ...]:
    return (
        one.network, one.name, one.count, round(100 * one.kept), _percent(one.rate),
        _percent(one.printed_rate), _percent(one.huffman_rate), _percent(one.printed_huffman_rate),
        _percent(one.error), _percent(one.tolerance),
    )  # fmt: skip


def _claims() -> Iterator[Claim]:
    off = [one for one in published_tensors() if abs(one.error) > one.tolerance]
    named = ", ".join(f"{one.network} {one.name} {_percent(one.error)} %" for one in off)
    yield Claim(
        "SA-28: every tensor within its tolerance, the rounding of printed rates aside",
        named or "all",
        not off,
    )
    for network, (shared, coded, tolerance) in _WHOLE.items():
        ours = whole_network(network, printed=True)
        yield Claim(
            f"SA-29: {network} {shared:g}x and {coded:g}x from its tensors' printed rates, {tolerance:.0%}",
            f"{ours[0]:.1f}x and {ours[1]:.1f}x",
            all(abs(a / b - 1) <= tolerance for a, b in zip(ours, (shared, coded), strict=True)),
        )
        formula = whole_network(network, printed=False)
        yield Claim(
            f"{network}: the same from the formula's rates", f"{formula[0]:.1f}x and {formula[1]:.1f}x", None
        )
    ratios = [ratio for _, ratio, _ in network_ratios()]
    yield Claim(
        "SA-30: sizes before / after of table 1", ", ".join(f"{ratio:.1f}x" for ratio in ratios),
        all(abs(a - b) <= 0.05 for a, b in zip(ratios, _OF_NETWORKS, strict=True)),
    )  # fmt: skip


def _percent(share: float) -> float:
    return round(100 * share, 2)
